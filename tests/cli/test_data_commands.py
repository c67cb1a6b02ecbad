"""`graphmer data fetch` and `build` on a recipe of three small packages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphmer_geo.cli import main
from graphmer_geo.data import DataFolder
from graphmer_geo.datasets import fetch
from tests.datasets.toy_index import Index, write_recipe

CODE = '''
class {name}:
    """Something that has {name}."""

    def size_of(self, {name}_list):
        return sum(len(item) for item in {name}_list)

    def both(self, one, other):
        return self.size_of(one) + self.size_of(other) + len("{name}")
'''


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GRAPHMER_CACHE", str(tmp_path / "cache"))
    index = Index(tmp_path / "index")
    monkeypatch.setattr(fetch, "download", index.download)
    names = ("apple", "river", "stone", "cloud")
    entries = [index.add(name, {f"{name}/core.py": CODE.format(name=name)}) for name in names]
    return str(write_recipe(tmp_path, entries, ", validation: [stone], test: [cloud]"))


def test_fetch_tells_what_was_read_and_left_out(recipe: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", recipe]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["train", "2", "2"] in rows
    assert ["test", "1", "1"] in rows
    assert main(["data", "fetch", recipe, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(p["name"], p["split"], p["files"]) for p in found["projects"]][2:] == [
        ("stone", "validation", 1),
        ("cloud", "test", 1),
    ]
    assert all(len(p["archive_sha256"]) == len(p["code_sha256"]) == 64 for p in found["projects"])


def test_build_splits_as_the_recipe_says(recipe: str, tmp_path: Path) -> None:
    words = ["data", "build", recipe, "--out", str(tmp_path / "toy"), "--workers", "1"]
    assert main([*words, "--config.near_duplicates", "0", "--config.vocab_size", "300"]) == 0
    data = DataFolder.open(tmp_path / "toy" / "data")
    assert data.manifest.units == {
        "apple": "train", "river": "train", "stone": "validation", "cloud": "test",
    }  # fmt: skip
    assert data.manifest.config.near_duplicates == 0
    assert set(data.chunks("test")["unit"].to_pylist()) == {"cloud"}


def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "pypi-2000"]) == 2
    assert capsys.readouterr().err.startswith("graphmer data fetch: no dataset recipe 'pypi-2000'")
