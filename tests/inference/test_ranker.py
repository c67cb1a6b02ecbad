from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from graphmer_geo.data import ChainConfig, DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.inference import ranker as module
from graphmer_geo.inference.questions import Questions, ask
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries
from graphmer_geo.train.run import model_config, new_model
from graphmer_geo.train.tables import Tables

from .conftest import TINY


class Coarse:
    """Random scores with many ties, a function of head and candidate."""

    name = "coarse"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        self.asked.append(len(queries) * len(candidates))
        return ((queries.head[:, None] * 7 + candidates[None] * 13) % 5).astype(np.float32)


@pytest.fixture(scope="module")
def tables(folder: DataFolder) -> Tables:
    return Tables.load(folder)


@pytest.fixture(scope="module")
def questions(folder: DataFolder) -> Questions:
    return ask(folder, "test", ChainConfig(), per_chain=3, seed=0)


def reference(
    tables: Tables, queries: Queries, score: Callable[[int, int], float]
) -> list[tuple[float, int]]:
    """The protocol in words: same kind as some tail of the relation, not another true answer."""
    triples = [tuple(t) for t in tables.triples.tolist()]
    found = []
    for h, r, t in zip(queries.head.tolist(), queries.relation.tolist(), queries.tail.tolist(), strict=True):
        kinds = {tables.kinds[c] for _, relation, c in triples if relation == r}
        true = {c for head, relation, c in triples if (head, relation) == (h, r)} - {t}
        rivals = [c for c in range(len(tables)) if tables.kinds[c] in kinds and c not in true and c != t]
        better = sum(score(h, c) > score(h, t) for c in rivals)
        ties = sum(score(h, c) == score(h, t) for c in rivals)
        found.append((1 + better + ties / 2, len(rivals) + 1))
    return found


def test_baseline_ranks_equal_the_protocol(tables: Tables, questions: Questions) -> None:
    ranks = Ranker(tables).rank(Coarse(), questions.queries)
    expected = reference(tables, questions.queries, lambda h, c: (h * 7 + c * 13) % 5)
    assert list(zip(ranks.rank.tolist(), ranks.candidates.tolist(), strict=True)) == expected


def test_blocks_bound_memory_and_change_nothing(
    tables: Tables, questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Ranker(tables).rank(Coarse(), questions.queries)
    monkeypatch.setattr(module, "BLOCK", 150)
    scorer = Coarse()
    parts = Ranker(tables).rank(scorer, questions.queries)
    assert max(scorer.asked) <= 150
    assert parts.rank.tolist() == whole.rank.tolist()


def test_model_ranks_equal_the_protocol(
    folder: DataFolder, tables: Tables, questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = new_model(model_config(folder, TINY), folder, tables).eval()
    found = Ranker(tables).rank_model(model, questions)
    every = np.arange(len(tables))
    rows: list[list[float]] = []
    for batch, asked in questions:
        near = tables.places.level(questions.queries.head[asked][:, None], every[None])
        rows += model.rank(batch, *tables.names(every), near=torch.from_numpy(near)).tolist()
    one_at_a_time = []
    for i, scores in enumerate(rows):
        alone = questions.queries.select(np.array([i]))
        one_at_a_time += reference(tables, alone, lambda h, c, s=scores: round(s[c], 4))
    assert found.candidates.tolist() == [n for _, n in one_at_a_time]
    assert found.rank.tolist() == pytest.approx([r for r, _ in one_at_a_time], abs=1.0)
    monkeypatch.setattr(module, "BLOCK", 200)
    assert Ranker(tables).rank_model(model, questions).rank.tolist() == found.rank.tolist()


def test_every_answer_competes(tables: Tables, questions: Questions) -> None:
    ranker = Ranker(tables)
    for relation, tail in zip(questions.queries.relation, questions.queries.tail, strict=True):
        assert tail in ranker.candidates(int(relation))


def test_an_answer_that_is_no_candidate_is_an_error(tables: Tables, questions: Questions) -> None:
    ranker = Ranker(tables)
    ranker.admitted = np.zeros_like(ranker.admitted)
    ranker.admitted[:, 0] = True
    with pytest.raises(UserError, match="not among"):
        ranker.rank(
            Coarse(), replace(questions.queries, tail=np.full(len(questions.queries), len(tables) - 1))
        )


def test_only_facts_of_the_split_are_asked_for(tables: Tables, questions: Questions) -> None:
    own = {tuple(t) for t in tables.triples[tables.triple_split == "test"].tolist()}
    queries = questions.queries
    for triple in zip(queries.head.tolist(), queries.relation.tolist(), queries.tail.tolist(), strict=True):
        assert triple in own


def test_nothing_in_a_batch_tells_the_answer(questions: Questions, folder: DataFolder) -> None:
    mask = folder.tokenizer.mask_id
    for batch, rows in questions:
        assert (batch["tok"][batch["rank_index"]] == mask).all()
        assert batch["rank_tail"].tolist() == questions.queries.tail[rows].tolist()
        for q, triple in enumerate(batch["rank_triple"].tolist()):
            leaves = batch["leaf_index"][batch["leaf_triple"] == triple]
            assert leaves.tolist() == [batch["rank_index"][q].item()]  # one leaf, however long the name


def test_a_limit_takes_the_same_chunks_again(folder: DataFolder) -> None:
    few = [ask(folder, "test", ChainConfig(), per_chain=2, seed=1, limit=4) for _ in range(2)]
    assert few[0].batches == few[1].batches
    assert 4 <= len(few[0].queries) <= 6
