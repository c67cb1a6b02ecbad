from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmer_geo.data import from_hetero, node_index, to_hetero
from graphmer_geo.data.hetero import hetero_from_tables
from graphmer_geo.errors import UserError

KINDS = ("Class", "Function", "Module", "ExternalSymbol")
RELATIONS = ("calls", "declares", "hasType")


def tables(kinds, facts):
    """``facts``: (file, subject row, relation, object row, heuristic)."""
    iris = [f"id:{n:04}" for n in range(len(kinds))]
    entities = pa.table({
        "iri": pa.array(iris, pa.string()),
        "kind": pa.array(kinds, pa.string()),
        "name": pa.array([f"n{n}" for n in range(len(kinds))], pa.string()),
        "qualified_name": pa.array([f"q.n{n}" for n in range(len(kinds))], pa.string()),
    })  # fmt: skip
    triples = pa.table({
        "file": pa.array([f[0] for f in facts], pa.string()),
        "subject": pa.array([iris[f[1]] for f in facts], pa.string()),
        "relation": pa.array([f[2] for f in facts], pa.string()),
        "object": pa.array([iris[f[3]] for f in facts], pa.string()),
        "heuristic": pa.array([f[4] for f in facts], pa.bool_()),
    })  # fmt: skip
    return entities, triples


@st.composite
def graphs(draw):
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12))
    row = st.integers(0, len(kinds) - 1)
    fact = st.tuples(st.sampled_from(["a", "b"]), row, st.sampled_from(RELATIONS), row, st.booleans())
    return kinds, draw(st.lists(fact, max_size=25))


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_round_trip_is_lossless(graph):
    kinds, facts = graph
    entities, triples = tables(kinds, facts)
    data = hetero_from_tables(entities, triples)
    columns = (triples[c].to_pylist() for c in ("subject", "relation", "object"))
    assert from_hetero(data) == sorted(set(zip(*columns, strict=True)))
    iris = entities["iri"].to_pylist()
    for iri, (kind, row) in node_index(data).items():
        assert data[kind].iri[row] == iri
        assert iris[data[kind].node_id[row]] == iri
        assert kinds[iris.index(iri)] == kind
    assert sorted(node_index(data)) == iris


def test_a_fact_of_two_files_is_one_edge_and_sure_if_one_is():
    entities, triples = tables(
        ["Class", "Function"],
        [("a", 1, "calls", 0, True), ("b", 1, "calls", 0, False), ("a", 1, "calls", 1, True)],
    )
    data = hetero_from_tables(entities, triples)
    assert data["Function", "calls", "Class"].edge_index.tolist() == [[0], [0]]
    assert data["Function", "calls", "Class"].heuristic.tolist() == [False]
    assert data["Function", "calls", "Function"].heuristic.tolist() == [True]


def test_pyg_accepts_it():
    entities, triples = tables(["Class", "Function", "Class"], [("a", 1, "calls", 2, False)])
    data = hetero_from_tables(entities, triples)
    assert data.validate()
    assert data.metadata() == (["Class", "Function"], [("Function", "calls", "Class")])
    assert data["Class"].num_nodes == 2
    assert data.num_edges == 1
    assert data["Function", "calls", "Class"].edge_index.dtype == torch.long
    assert data["Class"].qualified_name == ["q.n0", "q.n2"]


def test_from_a_knowledge_graph(kg):
    data = to_hetero(kg)
    wanted = {(t["subject"], t["relation"], t["object"]) for t in kg.triples().to_pylist()}
    assert from_hetero(data) == sorted(wanted)
    assert ("Method", "raises", "Class") in data.edge_types


def test_unknown_entity_is_named():
    entities, triples = tables(["Class"], [("a", 0, "calls", 0, False)])
    with pytest.raises(UserError, match="'id:0000', which is no entity"):
        hetero_from_tables(entities.slice(0, 0), triples)


@pytest.mark.slow
def test_a_million_triples_take_seconds():
    rng = np.random.default_rng(0)
    count, nodes = 1_000_000, 200_000
    iris = [f"https://w3id.org/graphmer/id/python/p/1/module/m{n:06}#f()." for n in range(nodes)]
    entities = pa.table(
        {"iri": iris, "kind": rng.choice(KINDS, nodes).tolist(), "name": iris, "qualified_name": iris}
    )
    column = pa.array(iris)
    triples = pa.table(
        {
            "subject": column.take(pa.array(rng.integers(0, nodes, count))),
            "relation": rng.choice(RELATIONS, count).tolist(),
            "object": column.take(pa.array(rng.integers(0, nodes, count))),
            "heuristic": rng.random(count) < 0.1,
        }
    )
    start = time.perf_counter()
    data = hetero_from_tables(entities, triples)
    assert time.perf_counter() - start < 10
    assert data.num_edges > 0.99 * count
