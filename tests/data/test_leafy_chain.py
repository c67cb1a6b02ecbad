from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmer_geo.data import Triple, build_chain, chain_to_triples
from graphmer_geo.data.fake import fake_chains
from graphmer_geo.data.leafy_chain import TripleTable, assemble, ranges
from graphmer_geo.errors import UserError

ROOTS = [1, 10, 11, 12, 13, 14, 2]


def facts(triples):
    return [((t.head_start, t.head_len), t.relation, tuple(t.tail_tokens)) for t in triples]


@st.composite
def chains(draw):
    size = draw(st.integers(3, 20))
    triples = []
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, size - 1))
        length = draw(st.integers(1, size - start))
        tail = draw(st.lists(st.integers(5, 50), min_size=1, max_size=8))
        triples.append(Triple(start, length, draw(st.integers(1, 9)), tuple(tail)))
    return [draw(st.integers(5, 50)) for _ in range(size)], triples


@given(chains())
@settings(max_examples=100, deadline=None)
def test_chain_to_triples_is_lossless(case):
    roots, triples = case
    chain, skipped = build_chain(roots, triples)
    assert not skipped
    assert chain_to_triples(chain) == facts(triples)


@given(chains())
@settings(max_examples=50, deadline=None)
def test_layout_against_a_slow_reference(case):
    roots, triples = case
    chain, _ = build_chain(roots, triples)
    nodes = [(token, index, -1, -1) for index, token in enumerate(roots)]
    edges, relations, leaf_triple = [], [], []
    for ordinal, triple in enumerate(triples):
        for slot, token in enumerate(triple.tail_tokens):
            for head in range(triple.head_start, triple.head_start + triple.head_len):
                edges.append((head, len(nodes)))
                relations.append(triple.relation)
            nodes.append((token, triple.head_start, ordinal, slot))
            leaf_triple.append(ordinal)
    columns = list(zip(*nodes, strict=True))
    for key, column in zip(("tok", "root", "group", "slot"), columns, strict=True):
        assert chain[key].tolist() == list(column), key
    assert list(zip(*chain["edge_index"].tolist(), strict=True)) == edges
    assert chain["edge_rel"].tolist() == relations
    assert chain["leaf_triple"].tolist() == leaf_triple
    assert chain["leaf_index"].tolist() == list(range(len(roots), len(nodes)))
    assert chain.num_nodes == len(nodes)


def test_number_of_edges_is_sum_of_tail_times_head():
    triples = [Triple(1, 2, 1, (5, 6, 7)), Triple(3, 1, 2, (8,))]
    assert build_chain(ROOTS, triples)[0]["edge_index"].shape == (2, 2 * 3 + 1)


def test_two_heads_that_start_at_the_same_token_stay_apart():
    """In the authors' code the second overwrites the first's relation, length and leading slots."""
    triples = [Triple(2, 1, 3, (20, 21, 22)), Triple(2, 2, 4, (30,)), Triple(2, 2, 4, (31, 32))]
    chain, _ = build_chain(ROOTS, triples)
    assert chain_to_triples(chain) == facts(triples)
    assert chain["root"][len(ROOTS) :].tolist() == [2] * 6


def test_tails_over_capacity_are_returned_and_never_cut():
    triples = [Triple(1, 1, 1, tuple(range(20, 29))), Triple(2, 1, 1, tuple(range(20, 28)))]
    chain, skipped = build_chain(ROOTS, triples, max_leaves=8)
    assert skipped == triples[:1]
    assert chain_to_triples(chain) == facts(triples[1:])


def test_one_bad_triple_does_not_disable_the_others():
    good = [Triple(1, 1, 1, (20,)), Triple(3, 2, 2, (21, 22))]
    chain, skipped = build_chain(ROOTS, [good[0], Triple(2, 1, 1, ()), good[1]])
    assert len(skipped) == 1
    assert chain_to_triples(chain) == facts(good)


@pytest.mark.parametrize(("start", "length"), [(6, 2), (-1, 1), (0, 0), (7, 1)])
def test_head_outside_the_roots_is_an_error(start, length):
    with pytest.raises(UserError, match=f"head at {start} of {length} tokens is outside the 7 roots"):
        build_chain(ROOTS, [Triple(start, length, 1, (20,))])


def test_no_triples_and_no_padding():
    chain, _ = build_chain(ROOTS, [])
    assert chain["tok"].tolist() == ROOTS
    assert chain["edge_index"].shape == (2, 0)
    assert chain["edge_index"].dtype == torch.long
    assert chain_to_triples(chain) == []


def test_table_survives_the_chain():
    for chain in fake_chains(5, seed=3):
        table = TripleTable.from_chain(chain)
        again = assemble(chain["tok"].numpy()[: chain.num_nodes - len(table.leaf_tok)], table)
        for key, value in chain.to_dict().items():
            if isinstance(value, torch.Tensor):
                assert torch.equal(again[key], value), key


def test_take_and_collapsed():
    triples = [Triple(1, 1, 1, (20, 21)), Triple(2, 1, 2, (22,)), Triple(3, 1, 3, (23, 24, 25))]
    table = TripleTable.from_triples(triples)
    chosen = table.take(np.array([2, 0]))
    assert chosen.leaf_tok.tolist() == [23, 24, 25, 20, 21]
    assert chosen.rel.tolist() == [3, 1]
    collapsed = table.collapsed(np.array([0, 2]), token=4)
    assert collapsed.leaf_tok.tolist() == [4, 22, 4]
    assert collapsed.leaf_len.tolist() == [1, 1, 1]
    assert table.leaf_tok.tolist() == [20, 21, 22, 23, 24, 25]


def test_ranges():
    assert ranges(np.array([3, 0, 7]), np.array([2, 0, 3])).tolist() == [3, 4, 7, 8, 9]
    assert ranges(np.array([], np.int64), np.array([], np.int64)).tolist() == []
