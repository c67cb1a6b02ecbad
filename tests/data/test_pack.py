"""A compact copy trains as the data itself, and fits where it has to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from standin import StandInKG

from graphmer_geo.cli import main
from graphmer_geo.data import DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.data.pack import SPARE, pack
from graphmer_geo.errors import UserError


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack") / "data"
    prepare(StandInKG(), folder, DataConfig(vocab_size=500, max_roots=64, curriculum=(24,), min_roots=5))
    return folder


def test_a_copy_is_smaller_and_gives_the_same_chains(source: Path, tmp_path: Path) -> None:
    packed = pack(source, tmp_path / "packed")
    assert packed.bytes == size(tmp_path / "packed") < 0.8 * size(source)
    assert packed.chunks == packed.of
    whole, copy = DataFolder.open(source), DataFolder.open(tmp_path / "packed")
    assert copy.manifest == whole.manifest
    assert not set(copy.chunks("train").column_names) & set(SPARE["chunks"])
    for split, roots in (("train", None), ("train", 24), ("validation", None), ("test", None)):
        a, b = (LeafyChainDataset(folder, split, roots=roots) for folder in (whole, copy))
        assert len(a) == len(b) > 0
        for i in range(len(a)):
            one, two = a[i].to_dict(), b[i].to_dict()
            assert all(torch.equal(one[k], two[k]) for k in one if isinstance(one[k], torch.Tensor))


def test_what_does_not_fit_loses_training_files_only(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = shutil.copytree(source, tmp_path / "source")
    for path in (source / "chunks").glob("train*/*"):  # the fixture's code is of one file
        table = pq.read_table(path)
        files = [f"file{row % 9}" for row in range(len(table))]
        pq.write_table(table.set_column(table.column_names.index("file"), "file", [files]), path)
    everything = pack(source, tmp_path / "all").bytes
    chunks = sum(file.stat().st_size for file in (tmp_path / "all/chunks").glob("train*/*"))
    limit = (everything - chunks // 8) / 1e6
    assert main(["data", "pack", str(source), "--out", str(tmp_path / "some"), "--max-mb", str(limit)]) == 0
    assert size(tmp_path / "some") <= limit * 1e6
    whole, some = DataFolder.open(source), DataFolder.open(tmp_path / "some")
    kept, there = (set(f.chunks("train")["file"].to_pylist()) for f in (some, whole))
    assert 0 < len(kept) < len(there)
    assert kept == set(some.chunks("train", 24)["file"].to_pylist())
    assert len(some.chunks("test")) == len(whole.chunks("test"))
    assert some.triples.equals(whole.triples)
    assert some.manifest.fingerprint != whole.manifest.fingerprint
    assert f"{len(some.chunks('train')):,} of {len(whole.chunks('train')):,}" in capsys.readouterr().out


def test_what_cannot_fit_is_an_error(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"alone take .* MB of 0\.001; raise --max-mb"):
        pack(source, tmp_path / "none", 0.001)
    assert not (tmp_path / "none").exists()
    with pytest.raises(UserError, match="choose another --out"):
        pack(source, source)
