from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from graphmer_geo.data import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.inference import EvaluationReport, evaluate
from graphmer_geo.inference.report import aggregate

SCORERS = {"model", "random", "tail frequency", "lexical copy", "nearness", "all three"}


@pytest.fixture(scope="module")
def report(run: Path, folder: DataFolder) -> EvaluationReport:
    return evaluate(run, folder.path, "test")


def test_all_scorers_answer_the_same_queries(report: EvaluationReport) -> None:
    for group in report.ranking.values():
        assert group.keys() == SCORERS
        assert len({metrics["count"] for metrics in group.values()}) == 1
    counts = {name: group["model"]["count"] for name, group in report.ranking.items()}
    assert counts["hidden"] + counts["visible"] == counts["all"]
    assert counts.get("forward visible", 0) + counts.get("inverse visible", 0) == counts["visible"]
    assert sum(g["all"]["model"]["count"] for g in report.per_relation.values()) == counts["all"]


def test_macro_counts_relations_once(report: EvaluationReport) -> None:
    per_relation = [groups["all"]["model"]["mrr"] for groups in report.per_relation.values()]
    assert report.macro["all"]["model"]["mrr"] == pytest.approx(np.mean(per_relation))
    assert report.macro["all"]["model"]["count"] == len(per_relation)


def test_mlm_stands_beside_its_baselines(report: EvaluationReport) -> None:
    assert report.mlm.keys() == {"model", "unigram", "n-gram", "count"}
    assert report.mlm["count"] > 0


def test_deterministic(report: EvaluationReport, run: Path, folder: DataFolder) -> None:
    assert evaluate(run, folder.path, "test").to_dict() == report.to_dict()


def test_numbers_survive_json_and_are_all_in_the_tables(report: EvaluationReport) -> None:
    assert EvaluationReport(**json.loads(json.dumps(report.to_dict()))) == report
    text = report.to_markdown()
    for name in SCORERS | {"hidden", "visible", "n-gram", *report.per_relation}:
        assert f" {name} " in text
    assert len(report.to_rich()) == 4


def test_weights_that_do_not_fit_are_an_error(run: Path, folder: DataFolder, tmp_path: Path) -> None:
    """An earlier system evaluated random weights after a warning."""
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    weights = load_file(broken / "model.safetensors")
    weights.pop("lm_head.bias")
    save_file(weights, broken / "model.safetensors")
    with pytest.raises(UserError, match=r"lm_head\.bias"):
        evaluate(broken, folder.path)


def test_missing_pieces_are_an_error(run: Path, folder: DataFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no train\.yaml"):
        evaluate(tmp_path, folder.path)
    with pytest.raises(UserError, match="no prepared data"):
        evaluate(run, tmp_path)
    with pytest.raises(UserError, match="split is 'train'"):
        evaluate(run, folder.path, "train")


def test_data_with_another_tokenizer_is_refused(run: Path, folder: DataFolder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder.path, other)
    path = other / "tokenizer.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(UserError, match="tokenizer_hash"):
        evaluate(run, other)


def test_groups_by_hand() -> None:
    values = {"x": {"mrr": np.array([1.0, 0.5, 0.0, 0.0])}}
    names = ["calls", "calls", "calls^-1", "reads"]
    micro, macro, by_relation = aggregate(values, names, np.array([True, False, False, False]))
    assert micro["all"]["x"] == {"mrr": 0.375, "count": 4}
    assert micro["hidden"]["x"]["mrr"] == pytest.approx(0.5 / 3)
    assert micro["inverse hidden"]["x"] == {"mrr": 0.0, "count": 1}
    assert macro["all"]["x"] == {"mrr": 0.25, "count": 3}
    assert "inverse visible" not in micro  # no such query, no score
    assert by_relation["calls"]["visible"]["x"] == {"mrr": 1.0, "count": 1}
