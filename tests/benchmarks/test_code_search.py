"""Code search at the smallest size: every scorer answers the same queries, and none knows the answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import code_search
from benchmarks.retrieval import rivals
from benchmarks.retrieval.answers import at_ranks, average_precision, margins, one_answer, over_queries
from benchmarks.retrieval.model import first
from graphmer_geo.data import DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.data.pairs import mine_pairs
from graphmer_geo.errors import UserError
from graphmer_geo.results import read_result
from tests.data import documented
from tests.data.standin import StandInKG

pytest.importorskip("bm25s")
WORDS = ["--steps", "2", "--search_steps", "4", "--size", "tiny", "--threads", "1", "--per_batch", "4",
         "--rivals", "BM25", "BM25, name apart"]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("benchmark")
    config = DataConfig(vocab_size=600, max_roots=64, min_roots=4, near_duplicates=0,
                        test_units=("shop/animals",), validation_units=("shop/plants",))  # fmt: skip
    prepare(StandInKG(documented.write(root / "code")), root / "data", config)
    return root / "data"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def test_every_scorer_answers_the_same_queries(data: Path, work: Path) -> None:
    out = work / "r.json"
    words = ["--data", str(data), "--work", str(work), "--seeds", "0", "1", "--out", str(out)]
    code_search.main([*words, *WORDS])
    found = read_result(out)["metrics"]
    assert set(found["search"]) == {
        "random", "BM25", "BM25, name apart", "encoder", "vectors alone", "words alone", "leaves hidden",
        "text only",
    }  # fmt: skip
    assert found["candidates"] == 18
    for cells in found["search"].values():
        for cell in cells.values():
            assert 0 <= cell["low"] <= cell["mean"] <= cell["high"] <= 1
            assert len(cell["values"]) == 2
    trained = found["trainings"][0]
    assert trained["encoder"]["steps"] == trained["text only"]["steps"] == 4
    assert trained["encoder"]["pairs"] == 12
    assert set(found["encoder_minus"]) == set(found["search"]) - {"encoder"}


def test_shuffled_labels_score_at_random(data: Path, work: Path) -> None:
    """Whatever does better has seen the answers on a way around the questions."""
    out = work / "shuffled.json"
    words = ["--data", str(data), "--work", str(work), "--shuffle_labels", "--out", str(out)]
    code_search.main([*words, "--variants", "encoder", *WORDS])
    search = read_result(out)["metrics"]["search"]
    for name, cells in search.items():
        assert cells["mrr@10"]["mean"] == pytest.approx(search["random"]["mrr@10"]["mean"], abs=0.25), name


def test_pairs_of_somebody_else(data: Path, work: Path, tmp_path: Path) -> None:
    rows = [{"query": f"get the {noun}", "code": f"def get_{noun}(x):\n    return x.{noun}\n"}
            for noun in ("colour", "weight", "price")]  # fmt: skip
    file, out = tmp_path / "pairs.jsonl", tmp_path / "r.json"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["--data", str(file), "--work", str(work), "--out", str(out), "--variants", "encoder", *WORDS]
    with pytest.raises(SystemExit, match="say by --train_data"):
        code_search.main(words)
    code_search.main([*words, "--train_data", str(data)])
    found = read_result(out)["metrics"]
    assert found["candidates"] == 3
    assert found["search"]["BM25"]["mrr@10"]["mean"] == 1.0
    assert "leaves hidden" not in found["search"]
    out.write_text("kept")
    file.write_text('{"query": 1}\n')
    with pytest.raises(SystemExit, match="line 1 has no text 'query'"):
        code_search.main([*words, "--train_data", str(data)])
    file.write_text("")
    with pytest.raises(SystemExit, match="holds no pairs"):
        code_search.main([*words, "--train_data", str(data)])
    assert out.read_text() == "kept"


def test_the_first_pairs_are_as_among_all(data: Path) -> None:
    pairs = mine_pairs(DataFolder.open(data), "train")
    some = first(pairs, 5)
    whole, part = (LeafyChainDataset(p.folder, "train") for p in (pairs, some))
    assert len(part) == len(some) == 5
    assert first(pairs, None) is pairs
    for row in range(5):
        assert torch.equal(whole[row]["tok"], part[row]["tok"])
        assert np.array_equal(pairs.code_words.take([row]).word, some.code_words.take([row]).word)


def test_bm25_and_tf_idf_find_shared_sub_tokens() -> None:
    codes = ["def read_file(path): ...", "def writeFile(path): ...", "x = 1", ""]
    for scorer in (rivals.bm25, rivals.tf_idf):
        scores = scorer(["read the file", "write a file", ""], codes)
        assert scores.shape == (3, 4)
        assert scores[:2].argmax(axis=1).tolist() == [0, 1]
        assert not scores[:2, 3].any()


def test_metrics_by_hand() -> None:
    values = at_ranks(np.array([1.0, 2.0, 11.0, 2.5]))
    assert values["mrr@10"].tolist() == [1.0, 0.5, 0.0, 0.4]
    assert values["recall@1"].tolist() == [1, 0, 0, 0]
    assert values["recall@10"].tolist() == [1, 1, 0, 1]
    assert one_answer(np.zeros((1, 3), np.float32), np.array([0]))["mrr@10"].tolist() == [0.5]
    scores = np.array([[-np.inf, 3, 2, 1], [1, 1, -np.inf, 1]], np.float32)
    found = average_precision(scores, [np.array([1, 3]), np.array([0])])["map"]
    assert found.tolist() == [(1 + 2 / 3) / 2, 1 / 3]  # of equal ones the right one comes last
    with pytest.raises(UserError, match="NaN"):
        average_precision(scores * np.nan, [np.array([1]), np.array([0])])
    with pytest.raises(UserError, match="no right answer"):
        average_precision(scores, [np.array([1]), np.array([], np.int64)])


def test_average_precision_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(0)
    scores = rng.normal(size=(5, 30)).astype(np.float32)
    relevant = [rng.choice(30, 4, replace=False) for _ in range(5)]
    for row, value in enumerate(average_precision(scores, relevant)["map"]):
        truth = np.isin(np.arange(30), relevant[row])
        assert value == pytest.approx(average_precision_score(truth, scores[row]))


def test_intervals_hold_the_mean_and_margins_are_paired() -> None:
    rng = np.random.default_rng(1)
    hard = rng.random(400)
    runs = [{"a": {"m": hard + 0.05}, "b": {"m": hard}} for _ in range(2)]
    cell = over_queries(runs)["b"]["m"]
    assert cell["low"] < cell["mean"] < cell["high"]
    assert cell["high"] - cell["low"] == pytest.approx(2 * 1.96 * hard.std() / 20, rel=0.15)
    margin = margins(runs, "a", "m")["b"]
    assert margin["low"] == pytest.approx(0.05)
    assert margin["high"] == pytest.approx(0.05)
