"""The bias of attention from graph distance and relations, in three layouts."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from graphmer_geo.nn.decay import DecayMode, GraphDecay
from graphmer_geo.nn.distance import LeafEdges, leafy_chain_distance
from graphmer_geo.nn.flex import FlexBias, flex_bias
from graphmer_geo.nn.precision import full_precision
from graphmer_geo.nn.ragged import RaggedLayout
from graphmer_geo.nn.structure import ChainStructure

# B graphs, H heads, N nodes of the largest graph, D channels. Heads come first, because a bias gathered from
# a table [H, entries] is then contiguous, and attention may treat [H, B] as one batch dimension.


class AttentionBias(NamedTuple):
    """What is done to the scores before the softmax: ``scores * factor + bias``.

    ``bias`` is ``[H, B, N, N]``, minus infinity on keys that are padding; ``factor`` has the same shape, or
    is None for 1 everywhere.
    """

    bias: Tensor
    factor: Tensor | None = None


class RaggedBias(NamedTuple):
    """The bias of a flat batch: one :class:`AttentionBias` for each bucket of the layout."""

    layout: RaggedLayout
    parts: tuple[AttentionBias, ...]


Bias = AttentionBias | RaggedBias | FlexBias


class RelationBias(nn.Module):
    """A learnable bias per head, relation and direction, between a leaf and the tokens of its triple's head.

    Args:
        num_relations: number of relations, 0 ("none") included.
        heads: number of attention heads.
    """

    def __init__(self, num_relations: int, heads: int) -> None:
        super().__init__()
        self.num_relations = num_relations
        self.heads = heads
        self.weight = nn.Parameter(torch.empty(2, heads, num_relations))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets all biases to 0."""
        nn.init.zeros_(self.weight)

    def forward(self, edge_rel: Tensor) -> tuple[Tensor, Tensor]:
        """Biases for edges head token → leaf.

        Args:
            edge_rel: ``[E]`` relation of each edge.

        Returns:
            ``[H, E]`` where the leaf asks and the head token is asked, and ``[H, E]`` for the other
            direction.
        """
        from_leaf, from_head = self.weight.index_select(2, edge_rel).unbind(0)
        return from_leaf, from_head

    def extra_repr(self) -> str:
        """Relations and heads."""
        return f"{self.num_relations}, heads={self.heads}"


class GraphAttentionBias(nn.Module):
    r"""Decay with distance plus :class:`RelationBias`, computed once per batch and shared by all layers.

    Distances are small integers, so a pair of nodes needs only a code into a table of few entries per head.
    The table holds the decay of each distance, one entry for padding (minus infinity), and one for each
    direction of each edge between a head token and a leaf. One gather makes the bias, and its backward is the
    only pass over ``[H, B, N, N]``.

    Args:
        heads: number of attention heads.
        num_relations: number of relations; ``None`` leaves out the relation bias.
        decay: ``"additive"``, ``"multiplicative"`` or ``"none"``, see :class:`~graphmer_geo.nn.GraphDecay`.
        decay_lambda: base of the decay.
        leaf_edges: ``"star"`` or ``"path"``, see :func:`~graphmer_geo.nn.leafy_chain_distance`.
        decay_offset: 1 or 0, see :class:`~graphmer_geo.nn.GraphDecay`.
        decay_per_head: a decay for each head, or one for all.
    """

    def __init__(
        self,
        heads: int,
        num_relations: int | None = None,
        decay: DecayMode = "additive",
        decay_lambda: float = 0.6,
        leaf_edges: LeafEdges = "star",
        decay_offset: int = 1,
        decay_per_head: bool = True,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.leaf_edges = leaf_edges
        self.decay = GraphDecay(heads, decay_lambda, decay, decay_offset, decay_per_head)
        self.relation = None if num_relations is None else RelationBias(num_relations, heads)

    def reset_parameters(self) -> None:
        """Resets the decay and the relation biases."""
        self.decay.reset_parameters()
        if self.relation is not None:
            self.relation.reset_parameters()

    def forward(
        self,
        root: Tensor,
        group: Tensor,
        slot: Tensor,
        mask: Tensor,
        edge_index: Tensor | None = None,
        edge_rel: Tensor | None = None,
    ) -> AttentionBias:
        """Builds the bias of a padded batch.

        Args:
            root: ``[B, N]`` root index of each node.
            group: ``[B, N]`` ordinal of its triple in the graph.
            slot: ``[B, N]`` place in the tail, -1 on roots.
            mask: ``[B, N]`` true on nodes, false on padding.
            edge_index: ``[2, E]`` head token → leaf, as positions in the padded batch (``graph * N + node``).
            edge_rel: ``[E]`` relation of each edge.

        Returns:
            The bias; its type is that of autocast, if autocast is on.
        """
        num_nodes = root.size(1)
        max_distance = num_nodes + 1  # roots are at most N - 1 apart, and either end may be a leaf
        code = leafy_chain_distance(root.int(), group.int(), slot.int(), self.leaf_edges).clamp_(
            max=max_distance
        )
        code = code.masked_fill_(~mask.unsqueeze(1), max_distance + 1)

        distance = torch.zeros(self.heads, max_distance + 1, device=root.device)
        log_f = distance if self.decay.p is None else full_precision(self.decay(max_distance))
        added = log_f if self.decay.mode == "additive" else distance
        table = torch.cat((added, added.new_full((self.heads, 1), float("-inf"))), dim=1)
        multiplied = torch.cat((log_f, log_f.new_zeros(self.heads, 1)), dim=1).exp()

        if self.relation is not None and edge_index is not None and edge_rel is not None:
            graph, leaf = edge_index[1].div(num_nodes, rounding_mode="floor"), edge_index[1] % num_nodes
            head = edge_index[0] % num_nodes
            at_edge = code[graph, leaf, head]
            entry = torch.arange(edge_rel.numel(), device=code.device, dtype=code.dtype) + table.size(1)
            from_leaf, from_head = self.relation(edge_rel)
            base = table.index_select(1, at_edge)
            table = torch.cat((table, base + from_leaf, base + from_head), dim=1)
            base = multiplied.index_select(1, at_edge)
            multiplied = torch.cat((multiplied, base, base), dim=1)
            code[graph, leaf, head] = entry
            code[graph, head, leaf] = entry + edge_rel.numel()

        factor = gather_table(multiplied, code) if self.decay.mode == "multiplicative" else None
        return AttentionBias(gather_table(table, code), factor)

    def ragged(self, chains: ChainStructure) -> RaggedBias:
        """The same for a flat batch, bucket by bucket of its layout."""
        layout = chains.layout()
        padded = (layout.pad(values) for values in chains.place)
        masks = (~layout.empty).split(layout.sizes())
        parts, first = [], 0
        for *place, inside, shape in zip(*padded, masks, layout.shapes, strict=True):
            edges: tuple[Tensor, ...] = ()
            if chains.edges is not None:
                ends, relation = layout.place[chains.edges[0]], chains.edges[1]
                if len(layout.shapes) > 1:
                    here = ((ends[1] >= first) & (ends[1] < first + inside.numel())).nonzero().squeeze(1)
                    ends, relation = ends[:, here] - first, relation[here]
                edges = (ends, relation)
            parts.append(self(*place, inside.view(shape), *edges))
            first += inside.numel()
        return RaggedBias(layout, tuple(parts))

    def flex(self, chains: ChainStructure) -> FlexBias:
        """The same for a flat batch, as functions of two nodes; see :mod:`graphmer_geo.nn.flex`.

        The head tokens of a leaf are consecutive nodes, and a leaf has one relation.
        """
        relation = None if self.relation is None else self.relation.weight
        return flex_bias(self.decay, relation, self.leaf_edges, chains)


def gather_table(table: Tensor, code: Tensor) -> Tensor:
    """``table[:, code]``, in autocast's type: ``[H, entries]``, ``[B, N, N] -> [H, B, N, N]``."""
    bias = table.index_select(1, code.flatten()).view(table.size(0), *code.shape)
    device = code.device.type
    # Cast after the gather: the gradient is then summed in float32, which is also 20 times faster on CPU.
    return bias.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else bias
