"""The demo on the shipped Java project alone: the stages are those of the full run, on less code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import graphmer_geo.demo
from graphmer_geo.datasets import fetch_corpus, load_recipe
from graphmer_geo.datasets.recipe import Shipped
from graphmer_geo.demo import demo
from graphmer_geo.errors import UserError
from graphmer_geo.results import read_result


@pytest.fixture
def java_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHMER_CACHE", str(tmp_path / "cache"))
    recipe = load_recipe("demo")
    recipe = replace(recipe, sources=tuple(s for s in recipe.sources if isinstance(s, Shipped)))
    monkeypatch.setattr(graphmer_geo.demo, "fetch_corpus", lambda name: fetch_corpus(recipe))


@pytest.mark.slow
@pytest.mark.usefixtures("java_only")
def test_every_stage_leaves_its_output_and_is_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = demo(out="out", minutes=0.05, threads=1, seed=3)
    page = report.read_text(encoding="utf-8")
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    outcome = read_result(tmp_path / "out" / "result.json")
    assert outcome["command"] == "graphmer demo --minutes 0.05 --threads 1 --seed 3"
    hidden = outcome["metrics"]["evaluation"]["ranking"]["hidden"]
    assert {"model", "random", "tail frequency", "lexical copy"} <= set(hidden)
    assert outcome["metrics"]["training"]["step"] > 0

    weights = tmp_path / "out" / "run" / "model.safetensors"
    trained = weights.stat().st_mtime_ns
    capsys.readouterr()
    demo(out="out", minutes=0.05, threads=1, seed=3)
    assert "is complete" in capsys.readouterr().out
    assert weights.stat().st_mtime_ns == trained
    again = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert again["metrics"]["evaluation"] == outcome["metrics"]["evaluation"]


@pytest.mark.parametrize(
    ("setting", "message"), [({"minutes": 0}, "minutes is 0"), ({"threads": 0}, "threads is 0")]
)
def test_settings_that_cannot_work(tmp_path: Path, setting: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        demo(out=tmp_path, **setting)  # type: ignore[arg-type]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        demo(out=tmp_path / "demo")
    assert (tmp_path / "demo").read_text() == "mine"
