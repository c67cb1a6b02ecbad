"""Input states of a leafy chain: tokens, slots, relations and H-GAT fusion."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphmer_geo.nn.conv import HGATConv
from graphmer_geo.nn.dropout import Dropout
from graphmer_geo.nn.undrawn import undrawn


class LeafyChainEmbedding(nn.Module):
    r"""Embeds the nodes of leafy chains and fuses each leaf with the head of its triple.

    .. math::
        \mathbf{x}_u &= \mathbf{E}_{\mathrm{tok}(u)} && \text{for a root} \\
        \mathbf{x}_u &= \mathbf{t}_u + \mathrm{HGAT}_r(\mathbf{t}, \mathbf{h}) + \mathbf{s}_{\mathrm{slot}(u)}
        + \mathbf{v}_r, \quad \mathbf{t}_u = \mathbf{E}_{\mathrm{tok}(u)} && \text{for a leaf}

    then dropout. GraphMERT (arXiv 2510.09580) has the first two terms. The slot embedding tells the leaves of
    one tail apart, since they share the rotary position of their root; the relation vector (TransE's
    translation) tells a masked leaf its relation also where its head is masked.

    Args:
        vocab_size: number of tokens.
        channels: size of a state.
        num_relations: number of relations, 0 ("none") included.
        num_bases: bases of the relation matrices, see :class:`~graphmer_geo.nn.HGATConv`.
        max_slots: longest tail; leaves further on share the last slot's embedding. 0 for no slot embedding.
        dropout: dropout of the states.
        relation_dropout: dropout of the relation parameters (the paper: 0.3).
        hgat: fuse with :class:`~graphmer_geo.nn.HGATConv`; without it, leaves keep the other terms.
        relation_embedding: add the relation vector.

    Shapes:
        - **tok**, **slot** ``[n]``; **edge_index** ``[2, E]`` (head token → leaf); **edge_rel** ``[E]``
        - **output** ``[n, channels]``
    """

    def __init__(
        self,
        vocab_size: int,
        channels: int,
        num_relations: int,
        num_bases: int | None = 8,
        max_slots: int = 8,
        dropout: float = 0.1,
        relation_dropout: float = 0.3,
        hgat: bool = True,
        relation_embedding: bool = True,
    ) -> None:
        super().__init__()
        self.max_slots = max_slots
        self.token = undrawn(nn.Embedding, vocab_size, channels)
        self.slot = undrawn(nn.Embedding, max_slots, channels) if max_slots else None
        self.relation = None
        if relation_embedding:
            self.relation = undrawn(nn.Embedding, num_relations, channels, padding_idx=0)
        self.hgat = None
        if hgat:
            self.hgat = undrawn(
                HGATConv, channels, channels, num_relations, num_bases=num_bases, dropout=relation_dropout
            )
        self.dropout = Dropout(dropout)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draws embeddings from N(0, 0.02), as the paper does, and resets H-GAT."""
        for embedding in (self.token, self.slot, self.relation):
            if embedding is not None:
                nn.init.normal_(embedding.weight, std=0.02)
        if self.relation is not None:
            self.relation.weight[0].zero_()
        if self.hgat is not None:
            self.hgat.reset_parameters()

    def forward(
        self,
        tok: Tensor,
        slot: Tensor,
        edge_index: Tensor,
        edge_rel: Tensor,
        return_attention_weights: bool = False,
    ) -> Any:
        """Embeds a flat batch; see the class for shapes.

        With ``return_attention_weights``, a pair of the output and H-GAT's ``(edge_index, alpha)``.

        Raises:
            ValueError: these are asked for without H-GAT.
        """
        x = token = self.token(tok)
        attention = None
        if self.hgat is not None:
            fused, attention = self.hgat(token, edge_index, edge_rel, return_attention_weights=True)
            x = x + fused
        elif return_attention_weights:
            raise ValueError("hgat=False has no attention weights; embed with hgat=True")
        if self.slot is not None:
            table = F.pad(self.slot.weight, (0, 0, 1, 0))  # a row of zeros for roots
            x = x + F.embedding(slot.clamp(max=self.max_slots - 1) + 1, table).to(x.dtype)
        if self.relation is not None:
            relation = torch.zeros_like(slot).scatter_(0, edge_index[1], edge_rel)
            x = x + self.relation(relation).to(x.dtype)
        x = self.dropout(x)
        return (x, attention) if return_attention_weights else x
