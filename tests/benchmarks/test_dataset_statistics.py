from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import dataset_statistics
from benchmarks.tables import datasets
from graphmer_geo.data import DataConfig
from graphmer_geo.datasets import build_dataset, fetch
from graphmer_geo.results import read_result, result, write_result
from tests.datasets.toy_corpus import PROJECTS, make_recipe
from tests.datasets.toy_index import Index


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRAPHMER_CACHE", str(tmp_path / "cache"))
    index = Index(tmp_path / "index")
    monkeypatch.setattr(fetch, "download", index.download)
    recipe = make_recipe(tmp_path, index)
    return build_dataset(recipe, tmp_path / "toy", DataConfig(vocab_size=400, max_roots=96), workers=1)


def test_numbers_are_those_of_the_dataset(built, tmp_path: Path) -> None:
    metrics = dataset_statistics.measure(built)
    assert metrics["projects"] == len(PROJECTS)
    assert metrics["files_removed"] == {"duplicate": 1}
    assert metrics["triples"] == sum(metrics["relations"].values()) == built.data.triples.num_rows
    assert metrics["root_tokens"] == sum(
        len(row["tok"]) for split in metrics["splits"] for row in built.data.chunks(split).to_pylist()
    )
    test = metrics["splits"]["test"]
    assert (test["units"], test["near_duplicates_dropped"]) == (1, 1)
    assert 0 < test["visible_share"] < 1
    assert json.loads(json.dumps(metrics)) == metrics

    path = tmp_path / "dataset-toy.json"
    write_result(path, result("dataset", metrics, seed=0, command="x"))
    page = datasets.render(path, read_result(path))
    assert "### toy" in page
    assert f"{metrics['root_tokens']:,} root tokens" in page
    assert "Files left out: duplicate 1." in page
    assert datasets.render(path, {"task": "validate"}) == ""
