"""The recipe of the benchmark corpus, and what happens when a package is not the pinned one."""

import re

import pytest

from benchmarks import corpora
from graphmer_geo.errors import UserError


def test_every_package_is_pinned_by_version_hash_and_licence():
    packages = corpora.pypi_packages()
    assert len({p.name for p in packages}) == len(packages) == 20
    assert all(re.fullmatch(r"[0-9a-f]{64}", p.sha256) and p.version and p.license for p in packages)


def test_another_file_under_the_pinned_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "CACHE", tmp_path)
    package = corpora.pypi_packages()[0]
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / f"{package.name}-{package.version}-py3-none-any.whl").write_bytes(b"not it")
    with pytest.raises(UserError, match=r"has SHA-256 .*, the recipe says"):
        corpora.pypi([package.name])
    assert not (tmp_path / f"{package.name}-{package.version}").exists()


def test_an_unknown_package_is_named():
    with pytest.raises(UserError, match="unknown package 'nope'"):
        corpora.pypi(["nope"])


def test_the_standard_library_is_read_without_its_tests():
    source = corpora.stdlib()
    assert "json/decoder.py" in source.include
    assert not [path for path in source.include if path.startswith("test/")]
