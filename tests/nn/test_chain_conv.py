from __future__ import annotations

import pytest
import torch
from torch import Tensor

from graphmer_geo.data.fake import FAKE, fake_batch
from graphmer_geo.nn import ChainStructure, HGATConv, LeafyChainConv

R = FAKE.num_relations
PLACE = ("root", "group", "slot", "batch")


def slow_edges(batch: dict[str, Tensor], leaf_edges: str) -> set[tuple[int, int, int]]:
    """All edges (source, target, type), one pair of nodes at a time."""
    root, group, slot, graph = (batch[key].tolist() for key in PLACE)
    found = set()
    for u in range(len(root)):
        for v in range(len(root)):
            if graph[u] != graph[v]:
                continue
            if slot[u] < 0 and slot[v] < 0 and root[v] == root[u] + 1:
                found |= {(u, v, 2 * R), (v, u, 2 * R + 1)}
            tail = slot[u] >= 0 and slot[v] == slot[u] + 1 and group[u] == group[v]
            if leaf_edges == "path" and tail:
                found |= {(u, v, 2 * R + 2), (v, u, 2 * R + 3)}
    for (head, leaf), r in zip(batch["edge_index"].t().tolist(), batch["edge_rel"].tolist(), strict=True):
        found |= {(head, leaf, r), (leaf, head, r + R)}
    return found


@pytest.mark.parametrize("leaf_edges", ["star", "path"])
def test_edges_equal_pair_by_pair(leaf_edges: str) -> None:
    batch = fake_batch(4)
    conv = LeafyChainConv(8, R, leaf_edges=leaf_edges)
    edge_index, edge_type = conv.edges(ChainStructure.of(batch))
    real = (edge_index < batch["tok"].numel()).all(0)
    assert (edge_index[:, ~real] == batch["tok"].numel()).all()  # the others touch no node at all
    found = [tuple(edge) for edge in torch.cat((edge_index, edge_type[None]))[:, real].t().tolist()]
    assert set(found) == slow_edges(batch, leaf_edges)
    assert len(found) == len(set(found))
    assert int(edge_type.max()) < conv.conv.num_relations


@pytest.mark.parametrize("pre_norm", [True, False])
def test_residual_and_norm(pre_norm: bool) -> None:
    batch = fake_batch(3)
    step = LeafyChainConv(8, R, num_bases=2, pre_norm=pre_norm).eval()
    x = torch.randn(batch["tok"].numel(), 8)
    edges = torch.tensor(sorted(slow_edges(batch, "star"))).t()
    reference = HGATConv(8, 8, step.conv.num_relations, num_bases=2)
    reference.load_state_dict(step.conv.state_dict())
    if pre_norm:
        expected = x + reference(step.norm(x), edges[:2], edges[2])
    else:
        expected = step.norm(x + reference(x, edges[:2], edges[2]))
    out = step(x, *step.edges(ChainStructure.of(batch)))
    torch.testing.assert_close(out, expected)


def test_a_chain_without_triples_and_a_single_root() -> None:
    step = LeafyChainConv(8, R).eval()
    for n in (0, 1, 5):
        minus = torch.full((n,), -1)
        edges = step.edges(ChainStructure(torch.arange(n), minus, minus, torch.zeros(n).long()))
        assert step(torch.randn(n, 8), *edges).shape == (n, 8)
        assert int((edges[0] < n).all(0).sum()) == 2 * max(n - 1, 0)
