"""10,000 queries against 100,000 candidates are a billion scores; they must never exist at once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries
from graphmer_geo.train.places import Places
from graphmer_geo.train.tables import ENTITY_KINDS, Tables

ENTITIES = 100_000
GIB = 2**30


class Cyclic:
    name = "cyclic"

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        row = (candidates % 97).astype(np.float32)
        return np.broadcast_to(row, (len(queries), len(row))).copy()


@pytest.mark.slow
def test_many_queries_against_many_candidates() -> None:
    rng = np.random.default_rng(0)
    triples = np.stack(
        [rng.integers(ENTITIES, size=10_000), np.ones(10_000, int), np.arange(10_000) * 10], axis=1
    )
    nothing = np.zeros(ENTITIES, dtype=np.int64)
    tables = Tables(
        relations={"none": 0, "calls": 1, "calls^-1": 2},
        labels=[""] * ENTITIES,
        kinds=nothing,
        split=np.array(["test"] * ENTITIES),
        name_tok=np.zeros(ENTITIES, dtype=np.int64),
        name_ptr=np.arange(ENTITIES + 1),
        triples=triples,
        triple_split=np.array(["test"] * 10_000),
        triple_unit=np.array([""] * 10_000),
        places=Places(nothing, nothing, nothing, nothing == 1),
    )
    assert len(ENTITY_KINDS) > 1
    zeros = np.zeros(10_000, dtype=np.int64)
    queries = Queries(triples[:, 1], triples[:, 0], triples[:, 2], zeros == 1, zeros, [""], np.arange(10_000))
    ranker = Ranker(tables)
    tracemalloc.start()  # counts NumPy's memory; torch's own blocks are of the same few shapes
    ranks = ranker.rank(Cyclic(), queries)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < GIB
    assert set(ranks.candidates.tolist()) <= set(range(ENTITIES - 9, ENTITIES + 1))
    residue = 10 * np.arange(10_000) % 97
    assert np.abs(ranks.rank.numpy() - (96 - residue + 0.5) * ENTITIES / 97).max() < ENTITIES / 90
