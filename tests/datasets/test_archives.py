"""Archives are hostile: paths that lead elsewhere, links, and sizes that were stated wrongly."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from graphmer_geo.datasets.archives import Limits, unpack
from graphmer_geo.errors import UserError


def everything(path: str) -> bool:
    return True


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "a/../../out.py", "C:/out.py", "a\\..\\out.py"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="leads out of the folder; it is not unpacked"):
        unpack(zipped(tmp_path / "a.zip", {"good.py": b"x", name: b"x"}), tmp_path / "to" / "it", everything)
    assert [p.name for p in tmp_path.rglob("*")] == ["a.zip", "to"]  # nothing half


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(files=1), "holds more than 1 files"),
        (Limits(bytes=15), "unpacks to too much"),
        (Limits(file_bytes=5), "unpacks to too much"),
        (Limits(depth=1), "nested deeper than 1"),
    ],
)
def test_limits(tmp_path: Path, limits: Limits, message: str) -> None:
    archive = zipped(tmp_path / "a.zip", {"a/one.py": b"0123456789", "a/two.py": b"0123456789"})
    with pytest.raises(UserError, match=message):
        unpack(archive, tmp_path / "it", everything, limits)
    assert not (tmp_path / "it").exists()


def test_a_bomb_is_counted_as_it_is_read(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.py": bytes(5_000_000)})
    assert archive.stat().st_size < 10_000
    with pytest.raises(UserError, match="unpacks to too much"):
        unpack(archive, tmp_path / "it", everything, Limits(file_bytes=1_000_000))


def test_links_and_devices_of_a_tar_are_passed_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        kinds = {"link.py": tarfile.SYMTYPE, "hard.py": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE}
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("pkg/real.py")
        info.size, info.mode = 5, 0o4777
        archive.addfile(info, io.BytesIO(b"x = 1"))
    unpack(tmp_path / "a.tar.gz", tmp_path / "it", everything)
    found = [p for p in (tmp_path / "it").rglob("*") if not p.is_dir()]
    assert [p.name for p in found] == ["real.py"]
    assert not found[0].stat().st_mode & 0o111


def test_a_symbolic_link_of_a_zip_is_passed_over(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.py")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    unpack(tmp_path / "a.zip", tmp_path / "it", everything)
    assert list((tmp_path / "it").iterdir()) == []


def test_a_broken_archive_is_one_line(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", {"a.py": b"x" * 1000}).read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[:-30])
    for broken in (tmp_path / "b.zip", tmp_path / "c.zip"):
        broken.touch()
        with pytest.raises(UserError, match="cannot be unpacked"):
            unpack(broken, tmp_path / "it", everything)
        assert not (tmp_path / "it").exists()
