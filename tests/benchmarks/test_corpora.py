"""What the benchmarks of the graph read is fetched by the datasets' machinery."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import corpora
from graphmer_geo.errors import UserError


def test_packages_come_through_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "package_folder", lambda package: tmp_path / package.sha256)
    first = corpora.pypi_packages()[0]
    [source] = corpora.pypi([first.name])
    assert source.path == tmp_path / first.sha256
    assert (source.package, source.version) == (first.name, first.version)


def test_an_unknown_package_is_named() -> None:
    with pytest.raises(UserError, match="unknown package 'nope'"):
        corpora.pypi(["nope"])


def test_the_standard_library_is_read_without_its_tests() -> None:
    source = corpora.stdlib()
    assert "json/decoder.py" in source.include
    assert not [path for path in source.include if path.startswith("test/")]
    assert [path for path in corpora.stdlib(tests=True).include if path.startswith("test/")]
