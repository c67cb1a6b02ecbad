"""Which files are read, and how little a hostile tree can do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.kg import Source, build_kg, sources
from graphmer_geo.kg.sources import FoundFile, find_files, read_bounded
from tests.kg.conftest import write_corpus

TOY = {".toy": "toy"}


def found(*given: str | Path | Source) -> dict[str, FoundFile]:
    return {f.path: f for f in find_files(given, TOY)}


def test_order_is_sorted_and_files_of_other_languages_are_not_listed(tmp_path: Path) -> None:
    write_corpus(tmp_path, {p: "" for p in ("b/z.toy", "a.toy", "b/a.toy", "b/notes.txt", "README")})
    assert list(found(tmp_path)) == ["a.toy", "b/a.toy", "b/z.toy"]


def test_hidden_cache_and_environment_folders_are_skipped(tmp_path: Path) -> None:
    kept = ["build/a.toy", "src/dist/a.toy", "src/bin/__init__.toy"]
    dropped = [".git/a.toy", "__pycache__/a.toy", "node_modules/a.toy", "myenv/lib/a.toy", "x.egg-info/a.toy"]
    write_corpus(tmp_path, dict.fromkeys([*kept, *dropped, "myenv/pyvenv.cfg"], ""))
    assert set(found(tmp_path)) == set(kept)


def test_build_output_is_skipped_only_beside_a_build_file(tmp_path: Path) -> None:
    write_corpus(
        tmp_path,
        {
            "build/a.toy": "",
            "src/build/b.toy": "",
            "pyproject.toml": "",
            "out/__init__.py": "",
            "out/c.toy": "",
        },
    )
    assert set(found(tmp_path)) == {"src/build/b.toy", "out/c.toy"}


def test_no_link_is_followed(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"outside/secret.toy": "def secret()", "root/a.toy": ""})
    (tmp_path / "root/link.toy").symlink_to(tmp_path / "outside/secret.toy")
    (tmp_path / "root/folder").symlink_to(tmp_path / "outside")
    (tmp_path / "root/loop").symlink_to(tmp_path / "root")
    files = found(tmp_path / "root")
    assert set(files) == {"a.toy", "link.toy"}
    assert files["link.toy"].problem == "a symbolic link; links are not followed"
    with pytest.raises(OSError, match="symbolic links"):
        read_bounded(tmp_path / "root", "link.toy")


def test_links_and_large_files_are_skipped_records(
    tmp_path: Path, toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 100)
    write_corpus(tmp_path, {"a.toy": "def f()\n", "big.toy": "#" * 101})
    (tmp_path / "link.toy").symlink_to("/etc/passwd")
    kg = build_kg([tmp_path], languages=["toy"])
    assert {r.path: (r.status, r.sha256 != "") for r in kg.manifest.files} == {
        "a.toy": ("ok", True),
        "big.toy": ("skipped", False),
        "link.toy": ("skipped", False),
    }
    with pytest.raises(UserError, match="cannot read"):
        kg.read_source(next(r.key for r in kg.manifest.files if r.path == "big.toy"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang_the_build(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a.toy": ""})
    os.mkfifo(tmp_path / "pipe.toy")
    assert found(tmp_path)["pipe.toy"].problem == "not a regular file"
    with pytest.raises(OSError, match="not a regular file"):
        read_bounded(tmp_path, "pipe.toy")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_skipped(tmp_path: Path, toy: None) -> None:
    write_corpus(tmp_path, {"a.toy": "", "b.toy": ""})
    (tmp_path / "b.toy").chmod(0)
    records = {r.path: r for r in build_kg([tmp_path], languages=["toy"]).manifest.files}
    assert "unreadable" in records["b.toy"].problems[0]


def test_folders_nested_without_end_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_DEPTH", 3)
    write_corpus(tmp_path, {"1/2/3/deep.toy": "", "1/2/3/4/deeper.toy": ""})
    assert set(found(tmp_path)) == {"1/2/3/deep.toy"}


def test_a_file_name_that_is_no_text_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("")
    try:
        (tmp_path / os.fsdecode(b"b\xff.toy")).write_text("")
    except OSError:
        pytest.skip("this file system has text names only")
    assert found(tmp_path)["b\\udcff.toy"].problem == "its name is not valid UTF-8"


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (["a.toy"], {"a.toy"}),
        (["p"], {"p/b.toy", "p/q/c.toy"}),
        (["p/*.toy"], {"p/b.toy"}),
        (["**/c.toy"], {"p/q/c.toy"}),
        (["**/*.toy"], {"a.toy", "p/b.toy", "p/q/c.toy"}),
        (["./?.toy", "p/q/"], {"a.toy", "p/q/c.toy"}),
    ],
)
def test_include(tmp_path: Path, include: list[str], expected: set[str]) -> None:
    write_corpus(tmp_path, dict.fromkeys(["a.toy", "p/b.toy", "p/q/c.toy", "pq/d.txt"], ""))
    assert set(found(Source(tmp_path, include=include))) == expected


def test_include_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a.toy": ""})
    with pytest.raises(UserError, match=r"that match \['b.toy'\]"):
        found(Source(tmp_path, include=["b.toy"]))


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a.toy": "", "b.toy": ""})
    assert set(found(tmp_path / "a.toy")) == {"a.toy"}


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a.toy": ""})
    assert len(find_files([tmp_path, tmp_path / "a.toy", str(tmp_path)], TOY)) == 1


def test_a_package_folder_has_its_parent_as_root(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"pkg/__init__.py": "", "pkg/a.toy": "", "other.toy": ""})
    (file,) = find_files([tmp_path / "pkg"], TOY)
    assert (file.root, file.path, file.package) == (tmp_path.resolve(), "pkg/a.toy", "pkg")


def test_name_and_version_come_from_the_build_file(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a.toy": "", "pyproject.toml": '[project]\nname = "shop"\nversion = "1.2"\n'})
    file = found(tmp_path)["a.toy"]
    assert (file.package, file.version) == ("shop", "1.2")
    given = found(Source(tmp_path, package="mine", version="9"))["a.toy"]
    assert (given.package, given.version) == ("mine", "9")


def test_maven_name_and_version(tmp_path: Path) -> None:
    pom = (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><parent><version>3</version></parent>{}</project>'
    )
    write_corpus(tmp_path, {"a.toy": "", "pom.xml": pom.format("<artifactId>cart</artifactId>")})
    assert (found(tmp_path)["a.toy"].package, found(tmp_path)["a.toy"].version) == ("cart", "3")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "not toml ["),
        ("pyproject.toml", "[project]\ndynamic = ['version']\n"),
        ("pom.xml", "<project>"),
        ("pom.xml", '<!DOCTYPE x [<!ENTITY a "aaa">]><project><artifactId>&a;</artifactId></project>'),
        ("pom.xml", "<project><version>${revision}</version></project>"),
    ],
)
def test_a_build_file_that_says_nothing_usable_leaves_the_folder_name(
    tmp_path: Path, name: str, text: str
) -> None:
    write_corpus(tmp_path / "folder", {"a.toy": "", name: text})
    file = found(tmp_path / "folder")["a.toy"]
    assert (file.package, file.version) == ("folder", "0")
