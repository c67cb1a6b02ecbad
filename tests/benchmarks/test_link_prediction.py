"""Link prediction at the smallest size: every scorer answers, and none knows what it must not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import link_prediction
from benchmarks.links import encoders, kge
from benchmarks.links.seeds import differences, interval
from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, prepare
from graphmer_geo.errors import UserError
from graphmer_geo.inference.questions import ask
from graphmer_geo.results import read_result
from tests.data.standin import StandInKG

WORDS = ["--steps", "4", "--size", "tiny", "--threads", "1", "--epochs", "2", "--channels", "8",
         "--learning_rates", "0.01", "--limit", "60"]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, min_roots=5))
    return path


@pytest.fixture(scope="module")
def found(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("result") / "r.json"
    words = ["--data", str(data), "--out", str(out), "--seeds", "0", "1", "--variants", "encoder"]
    link_prediction.main([*words, "without leaves", *WORDS])
    return read_result(out)["metrics"]


def test_every_scorer_answers_the_same_queries(found: dict) -> None:
    simple = {"random", "tail frequency", "lexical copy", "nearness", "all three", "character n-grams"}
    wanted = {
        "inductive": simple | {"encoder", "without leaves"},
        "transductive": simple | {"encoder", "without leaves", *kge.MODELS},
    }
    for setting, scorers in wanted.items():
        for cells in found["settings"][setting]["ranking"].values():
            assert set(cells) == scorers
            assert len({json.dumps(c["count"]) for c in cells.values()}) == 1
            for metrics in cells.values():
                assert 0 < metrics["mrr"]["mean"] <= 1
                assert len(metrics["mrr"]["values"]) == 2
    tuning = found["settings"]["transductive"]["tuning"][0]["TransE"]
    assert tuning["chosen"] == {"channels": 8, "learning_rate": 0.01, "mrr": tuning["chosen"]["mrr"]}
    assert "without leaves" in found["settings"]["inductive"]["encoder_minus"]["all"]


def test_shuffled_labels_score_at_random(data: Path, tmp_path: Path) -> None:
    """Whatever does better has seen the answers on a way around the questions."""
    words = ["--data", str(data), "--settings", "inductive", "--out", str(tmp_path / "r.json")]
    link_prediction.main([*words, "--shuffle_labels", "--seeds", *"012345", *WORDS])
    ranking = read_result(tmp_path / "r.json")["metrics"]["settings"]["inductive"]["ranking"]["all"]
    expected, count = ranking["random"]["mrr"]["mean"], sum(ranking["random"]["count"]["values"])
    assert count > 90
    for name, cells in ranking.items():
        assert cells["mrr"]["mean"] == pytest.approx(expected, abs=4 * 0.25 / np.sqrt(count)), name


@pytest.mark.parametrize("name", sorted(kge.MODELS))
def test_scores_of_all_candidates_are_those_of_the_model(name: str) -> None:
    torch.manual_seed(0)
    model = kge.MODELS[name](20, 5, 6)
    head, relation = torch.tensor([3, 7, 7]), torch.tensor([0, 4, 2])
    candidates = torch.arange(20)
    scores = kge.score_all(model, head, relation, candidates)
    for row in range(3):
        one = model(head[row].expand(20), relation[row].expand(20), candidates)
        torch.testing.assert_close(scores[row], one, rtol=1e-4, atol=1e-5)


def test_without_leaves_the_questions_are_the_same(data: Path) -> None:
    folder = DataFolder.open(data)
    asked = ask(folder, "test", ChainConfig(), per_chain=2, seed=0, limit=30)
    alone = encoders.Alone(asked.queries, asked.dataset, asked.batches)
    mask, more = folder.tokenizer.mask_id, 0
    for (full, rows), (bare, same) in zip(asked, alone, strict=True):
        assert np.array_equal(rows, same)
        for key in ("rank_rel", "rank_head", "rank_tail", "rank_visible"):
            assert torch.equal(full[key], bare[key])
        leaves = bare["tok"][bare["slot"] >= 0]
        assert leaves.tolist() == [mask] * len(rows)
        assert bare["tok"][bare["rank_index"]].tolist() == leaves.tolist()
        more += int((full["slot"] >= 0).sum()) - len(leaves)
    assert more > 0


def test_intervals() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert found["mean"] == 2.0
    assert found["high"] - found["mean"] == pytest.approx(4.303 / np.sqrt(3), abs=1e-3)
    assert interval([0.5])["low"] is None
    with pytest.raises(UserError, match="a score is nan"):
        interval([0.1, float("nan")])
    runs = [{"all": {"a": {"mrr": 0.5 + s}, "b": {"mrr": 0.4}}} for s in (0.0, 0.1)]
    assert differences(runs, "a")["all"]["b"]["mean"] == pytest.approx(0.15)


def test_bad_input_writes_nothing(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    out.write_text("kept")
    with pytest.raises(SystemExit, match="holds no prepared data"):
        link_prediction.main(["--data", str(tmp_path), "--out", str(out), *WORDS])
    with pytest.raises(SystemExit, match="fraction is"):
        link_prediction.main(["--data", str(data), "--fraction", "0.7", "--settings", "transductive",
                              "--out", str(out), *WORDS])  # fmt: skip
    assert out.read_text() == "kept"
