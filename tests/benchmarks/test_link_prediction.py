"""Link prediction at the smallest size: every scorer answers, and none knows what it must not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import link_prediction
from benchmarks.links import encoders, gnn, kge, reference
from benchmarks.links.seeds import differences, interval
from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, prepare
from graphmer_geo.errors import UserError
from graphmer_geo.inference.questions import ask
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries, expected_per_query
from graphmer_geo.results import read_result
from graphmer_geo.train.tables import Tables
from tests.data.standin import StandInKG

WORDS = ["--steps", "4", "--size", "tiny", "--threads", "1", "--epochs", "2", "--channels", "8",
         "--learning_rates", "0.01", "--gnn_steps", "2", "--limit", "60"]  # fmt: skip


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
        "inductive": simple | {"encoder", "without leaves", *gnn.MODELS},
        "transductive": simple
        | {"encoder", "without leaves", *gnn.MODELS, *kge.MODELS, "PyKEEN ComplEx", "PyKEEN RotatE"},
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


@pytest.mark.parametrize("name", gnn.MODELS)
def test_graph_networks_learn(name: str, data: DataFolder) -> None:
    """What they have been trained on they find, though the asked facts are no messages."""
    folder = DataFolder.open(data)
    ranker = Ranker(Tables.load(folder))
    questions = ask(folder, "train", ChainConfig(), per_chain=4, seed=0)
    chance = expected_per_query(ranker.rank(Constant(), questions.queries).candidates)["mrr"].mean()
    budget = gnn.Budget((16,), (0.03,), steps=40, negatives=64, batch=256)
    scorer, told = gnn.tuned(name, ranker, questions.queries, questions.queries, budget, 0, True)
    assert told["chosen"]["mrr"] == told["trials"][0]["mrr"] > 1.5 * chance
    again, _ = gnn.tuned(name, ranker, questions.queries, questions.queries, budget, 0, True)
    torch.testing.assert_close(scorer.vectors, again.vectors)


def test_no_message_says_what_is_asked(data: DataFolder) -> None:
    """Nor do the inverse or a twin of an asked fact; what the split says otherwise is there."""
    folder = DataFolder.open(data)
    tables = Tables.load(folder)
    queries = ask(folder, "test", ChainConfig(), per_chain=2, seed=0).queries
    shown = {tuple(row) for row in gnn.seen(tables, "test", queries).tolist()}
    pairs = {frozenset(pair) for pair in zip(queries.head.tolist(), queries.tail.tolist(), strict=True)}
    expected = {
        (h, r, t)
        for (h, r, t), split in zip(tables.triples.tolist(), tables.triple_split, strict=True)
        if split in ("train", "test") and frozenset((h, t)) not in pairs
    }
    assert shown == expected
    assert any(s == "test" for s in tables.triple_split)


def test_typed_and_flat_edges_are_the_same(data: DataFolder) -> None:
    tables = Tables.load(DataFolder.open(data))
    typed = gnn._TypedHGT(tables, 4)
    back = set()
    names = {name: index for index, name in typed.relations.items()}
    for (source, relation, target), edges in typed.by_type(torch.from_numpy(tables.triples)).items():
        heads, tails = typed.rows[source][edges[0]], typed.rows[target][edges[1]]
        back |= {(h, names[relation], t) for h, t in zip(heads.tolist(), tails.tolist(), strict=True)}
    assert back == {tuple(row) for row in tables.triples.tolist()}


class Constant:
    name = "constant"

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        return np.zeros((len(queries), len(candidates)), np.float32)


@pytest.mark.parametrize("name", reference.MODELS)
def test_pykeen_scores_the_candidates_that_are_asked_for(name: str, data: DataFolder) -> None:
    tables = Tables.load(DataFolder.open(data))
    budget = kge.Budget((8,), (0.01,), epochs=1)
    scorer = reference.PyKEENScorer(name, reference.fit(name, tables, 8, 0.01, budget, 0))
    queries = ask(DataFolder.open(data), "test", ChainConfig(), per_chain=1, seed=0, limit=5).queries
    candidates = np.arange(1, len(tables), 3)
    scores = scorer.scores(queries, candidates)
    for row in range(len(queries)):
        for column in (0, 4):
            fact = torch.tensor([[queries.head[row], queries.relation[row], candidates[column]]])
            with torch.no_grad():
                wanted = float(scorer.model.score_hrt(fact))
            assert scores[row, column] == pytest.approx(wanted, abs=1e-4)


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
