"""Attention over a flat batch by FlexAttention: nothing of the size of all pairs of nodes is ever stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from graphmer_geo.nn.decay import GraphDecay
from graphmer_geo.nn.distance import LeafEdges
from graphmer_geo.nn.structure import ChainStructure

#: Rows and columns of one block of the mask.
BLOCK = 128


class FlexBias(NamedTuple):
    """What :func:`torch.nn.attention.flex_attention.flex_attention` is told of a flat batch."""

    score_mod: Callable[..., Tensor]
    block_mask: BlockMask

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attention within each graph, all ``[n, H, dim]``."""
        query, key, value = (part.transpose(0, 1).unsqueeze(0) for part in (query, key, value))
        kernel: Any = flex_attention if query.device.type == "cpu" else _compiled()
        out = kernel(query, key, value, score_mod=self.score_mod, block_mask=self.block_mask)
        return out.squeeze(0).transpose(0, 1)


@cache
def _compiled() -> Any:
    """The fused kernel. Sizes differ from batch to batch, so they are no part of what is compiled."""
    return torch.compile(flex_attention, dynamic=True)


def flex_bias(
    decay: GraphDecay,
    relation: Tensor | None,
    leaf_edges: LeafEdges,
    chains: ChainStructure,
) -> FlexBias:
    """Decay and relation bias of a flat batch as functions of two nodes.

    Args:
        decay: the decay with distance.
        relation: ``[2, H, relations]`` weight of a :class:`~graphmer_geo.nn.RelationBias`, or None.
        leaf_edges: whether neighbouring leaves of a tail are joined.
        chains: the batch. The head tokens of a leaf are consecutive nodes, as they are in leafy chains: of
            others only the first and the last would count; and a leaf has one relation.
    """
    batch = chains.batch
    count = torch.bincount(batch)
    longest = int(count.max()) if batch.numel() else 0
    change = _decay(decay, longest + 1, _distance(*chains.place, leaf_edges))
    if relation is not None and chains.edges is not None:
        change = _related(change, relation, batch.numel(), *chains.edges)
    return FlexBias(change, block_mask(batch, count))


def _distance(root: Tensor, group: Tensor, slot: Tensor, leaf_edges: LeafEdges) -> Callable[..., Tensor]:
    """:func:`~graphmer_geo.nn.leafy_chain_distance` of two nodes."""
    leaf, farthest, step = (slot >= 0).int(), *((2, 1) if leaf_edges == "path" else (1, 2))
    family = torch.where(slot >= 0, group, -1 - root).int()  # roots get a family of their own each
    root, slot = root.int(), slot.int()

    def distance(i: Tensor, j: Tensor) -> Tensor:
        within = (slot[i] - slot[j]).abs().clamp(max=farthest) * step
        return torch.where(family[i] == family[j], within, (root[i] - root[j]).abs() + leaf[i] + leaf[j])

    return distance


def _decay(decay: GraphDecay, max_distance: int, distance: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Score of a pair with the decay of its distance."""
    if decay.p is None:
        return lambda score, b, h, i, j: score
    table = decay(max_distance).float()
    if decay.mode == "additive":
        return lambda score, b, h, i, j: score + table[h, distance(i, j)]
    factor = table.exp()
    return lambda score, b, h, i, j: score * factor[h, distance(i, j)]


def _related(
    change: Callable[..., Tensor], weight: Tensor, nodes: int, edge_index: Tensor, edge_rel: Tensor
) -> Callable[..., Tensor]:
    """``change``, then the relation bias between a leaf and the tokens ``first`` … ``last`` of its head."""
    head, leaf = edge_index
    relation = leaf.new_zeros(nodes).scatter(0, leaf, edge_rel)
    first = leaf.new_full((nodes,), nodes).scatter_reduce(0, leaf, head, "amin")
    last = leaf.new_full((nodes,), -1).scatter_reduce(0, leaf, head, "amax")
    from_leaf, from_head = weight.float().unbind(0)

    def with_relation(score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        asked = (first[i] <= j) & (j <= last[i])
        asking = (first[j] <= i) & (i <= last[j])
        score = change(score, b, h, i, j)
        score = score + torch.where(asked, from_leaf[h, relation[i]], 0.0)
        return score + torch.where(asking, from_head[h, relation[j]], 0.0)

    return with_relation


def block_mask(batch: Tensor, count: Tensor) -> BlockMask:
    """Which blocks of pairs hold nodes of one graph; graphs are consecutive, so these are runs of blocks.

    Args:
        batch: ``[n]`` graph of each node, ascending.
        count: ``[B]`` nodes of each graph.
    """
    nodes = batch.numel()
    end = count.cumsum(0)
    row = torch.arange(0, nodes, BLOCK, device=batch.device)
    first_graph, last_graph = batch[row], batch[(row + BLOCK - 1).clamp(max=nodes - 1)]
    first = (end - count)[first_graph].div(BLOCK, rounding_mode="floor")
    last = (end[last_graph] - 1).div(BLOCK, rounding_mode="floor")
    column = torch.arange(row.numel(), device=batch.device)
    index = (first.unsqueeze(1) + column).clamp(max=max(row.numel() - 1, 0))

    def same_graph(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return batch[i] == batch[j]

    return BlockMask.from_kv_blocks(
        (last - first + 1).int()[None, None],
        index.int()[None, None],
        BLOCK_SIZE=BLOCK,
        mask_mod=same_graph,
        seq_lengths=(nodes, nodes),
    )
