"""H-GAT over the edges of leafy chains themselves, for use between transformer layers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphmer_geo.nn.conv import HGATConv
from graphmer_geo.nn.distance import LeafEdges
from graphmer_geo.nn.dropout import Dropout
from graphmer_geo.nn.structure import ChainStructure


class LeafyChainConv(nn.Module):
    r"""One :class:`~graphmer_geo.nn.HGATConv` step over chain and leaf edges, with a residual and LayerNorm.

    .. math::
        \mathbf{x}^{\prime} = \mathbf{x} + \mathrm{HGAT}(\mathrm{LN}(\mathbf{x})) \quad \text{(pre-LN)},
        \qquad \mathbf{x}^{\prime} = \mathrm{LN}(\mathbf{x} + \mathrm{HGAT}(\mathbf{x})) \quad
        \text{(post-LN)}

    Every direction of an edge is a relation of its own: head token to leaf and leaf to head token for each
    relation, the next and the previous root, and with ``leaf_edges="path"`` the next and the previous leaf
    of a tail. GraphMERT fuses once, before its first layer; this lets relations act again on states.

    Args:
        channels: size of a state.
        num_relations: number of relations, 0 ("none") included.
        num_bases: bases of the relation matrices, see :class:`~graphmer_geo.nn.HGATConv`.
        dropout: dropout of the messages.
        relation_dropout: dropout of the relation parameters.
        leaf_edges: ``"path"`` joins neighbouring leaves of a tail.
        pre_norm: normalise the input (pre-LN), or the sum (post-LN).

    Shapes:
        - **x** ``[n, channels]``; **output** ``[n, channels]``
        - **edge_index** ``[2, E]``, **edge_type** ``[E]`` of :meth:`edges`, the same for all steps
    """

    def __init__(
        self,
        channels: int,
        num_relations: int,
        num_bases: int | None = 8,
        dropout: float = 0.1,
        relation_dropout: float = 0.3,
        leaf_edges: LeafEdges = "star",
        pre_norm: bool = True,
    ) -> None:
        super().__init__()
        self.num_relations = num_relations
        self.leaf_edges = leaf_edges
        self.pre_norm = pre_norm
        types = 2 * num_relations + (4 if leaf_edges == "path" else 2)
        self.conv = HGATConv(channels, channels, types, num_bases=num_bases, dropout=relation_dropout)
        self.norm = nn.LayerNorm(channels)
        self.dropout = Dropout(dropout)

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        self.conv.reset_parameters()
        self.norm.reset_parameters()

    def edges(self, chains: ChainStructure) -> tuple[Tensor, Tensor]:
        """All edges and their types: ``[2, E']`` and ``[E']``.

        Pairs that are no neighbours lead to node n, which does not exist: their number would be data.
        """
        (root, group, slot), batch = chains.place, chains.batch
        leaf = slot >= 0
        # Neighbours follow each other in the order of graph, roots before leaves, group, place.
        place = torch.where(leaf, slot, root)
        order = place.argsort(stable=True)
        for key in (torch.where(leaf, group, -1), batch):
            order = order[key[order].argsort(stable=True)]
        left, right = order[:-1], order[1:]
        joined = (batch[left] == batch[right]) & (leaf[left] == leaf[right])
        joined = joined & torch.where(leaf[left], group[left] == group[right], True)
        if self.leaf_edges == "star":
            joined = joined & ~leaf[left]
        nowhere = torch.full_like(left, root.size(0))
        left, right = torch.where(joined, left, nowhere), torch.where(joined, right, nowhere)
        first = 2 * self.num_relations
        next_ = first + 2 * leaf[order[1:]].to(root.dtype) * (self.leaf_edges == "path")
        parts = [torch.stack((left, right)), torch.stack((right, left))]
        types = [next_, next_ + 1]
        if chains.edges is not None:
            edge_index, edge_rel = chains.edges
            parts += [edge_index, edge_index.flip(0)]
            types += [edge_rel, edge_rel + self.num_relations]
        return torch.cat(parts, dim=1), torch.cat(types)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_type: Tensor, return_attention_weights: bool = False
    ) -> Any:
        """Runs the step; see the class for shapes.

        With ``return_attention_weights``, a pair of the output and ``(edge_index, alpha)`` of the edges
        between nodes that exist.
        """
        h = self.norm(x) if self.pre_norm else x
        h, (_, alpha) = self.conv(
            F.pad(h, (0, 0, 0, 1)), edge_index, edge_type, return_attention_weights=True
        )
        out = x + self.dropout(h[:-1])
        out = out if self.pre_norm else self.norm(out)
        if not return_attention_weights:
            return out
        real = (edge_index < x.size(0)).all(dim=0)
        return out, (edge_index[:, real], alpha[real])
