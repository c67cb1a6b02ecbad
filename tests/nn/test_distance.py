from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import floyd_warshall

from graphmer_geo.nn import leafy_chain_distance


def random_chain(rng: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """Roots, then 0 … 3 tails of 0 … 7 leaves on each, numbered over the whole graph."""
    num_roots = int(rng.integers(1, 30))
    root, group, slot, number = list(range(num_roots)), [-1] * num_roots, [-1] * num_roots, 0
    for i in range(num_roots):
        for _ in range(rng.integers(0, 4)):
            k = int(rng.integers(0, 8))
            root, group, slot = root + [i] * k, group + [number] * k, slot + list(range(k))
            number += 1
    return root, group, slot


def edges_of(root: list[int], group: list[int], slot: list[int], leaf_edges: str) -> list[tuple[int, int]]:
    place = {(g, s): n for n, (g, s) in enumerate(zip(group, slot, strict=True)) if s >= 0}
    num_roots = sum(s < 0 for s in slot)
    edges = [(i, i + 1) for i in range(num_roots - 1)]
    edges += [(root[n], n) for n in place.values()]
    if leaf_edges == "path":
        edges += [(n, place[g, s + 1]) for (g, s), n in place.items() if (g, s + 1) in place]
    return edges


@pytest.mark.parametrize("leaf_edges", ["star", "path"])
def test_equals_floyd_warshall(leaf_edges: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        root, group, slot = random_chain(rng)
        adjacency = np.zeros((len(root), len(root)))
        for u, v in edges_of(root, group, slot, leaf_edges):
            adjacency[u, v] = adjacency[v, u] = 1
        found = leafy_chain_distance(*map(torch.tensor, (root, group, slot)), leaf_edges)
        np.testing.assert_array_equal(found, floyd_warshall(adjacency, unweighted=True))


def test_equals_networkx() -> None:
    root, group, slot = random_chain(np.random.default_rng(7))
    graph = nx.Graph(edges_of(root, group, slot, "star"))
    graph.add_nodes_from(range(len(root)))
    found = leafy_chain_distance(*map(torch.tensor, (root, group, slot)))
    for u, lengths in nx.all_pairs_shortest_path_length(graph):
        assert {v: int(found[u, v]) for v in graph} == lengths


def test_root_pairs_are_finite_and_batches_are_independent() -> None:
    root = torch.tensor([[0, 1, 2, 0, 0], [0, 1, 2, 3, 3]])
    slot = torch.tensor([[-1, -1, -1, 0, 1], [-1, -1, -1, -1, 0]])
    group = torch.tensor([[-1, -1, -1, 0, 0], [-1, -1, -1, -1, 0]])
    both = leafy_chain_distance(root, group, slot)
    assert both[0, :3, :3].tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    assert both[0, 3, 4] == 2
    for g in range(2):
        assert torch.equal(both[g], leafy_chain_distance(root[g], group[g], slot[g]))


def test_rejects_unknown_mode() -> None:
    with pytest.raises(ValueError, match="'clique'"):
        leafy_chain_distance(torch.tensor([0]), torch.tensor([-1]), torch.tensor([-1]), "clique")
