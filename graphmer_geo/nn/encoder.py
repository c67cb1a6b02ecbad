"""A transformer over leafy chains."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from graphmer_geo.nn.attention import GraphDecayAttention
from graphmer_geo.nn.bias import Bias, GraphAttentionBias
from graphmer_geo.nn.chain_conv import LeafyChainConv
from graphmer_geo.nn.decay import DecayMode
from graphmer_geo.nn.distance import LeafEdges
from graphmer_geo.nn.dropout import Dropout
from graphmer_geo.nn.rotary import Rotation, rotary_angles
from graphmer_geo.nn.structure import ChainStructure

Kernel = Literal["dense", "flex"]


class LeafyChainEncoderLayer(nn.Module):
    """Attention and a feed-forward network, each with a residual and LayerNorm.

    Args:
        channels: size of a state.
        heads: number of attention heads.
        ffn_size: width of the feed-forward network (GELU).
        dropout: dropout of both residual branches.
        attention_dropout: dropout of the attention weights.
        pre_norm: normalise the input of each branch (pre-LN), not the sum after it (post-LN, as in the
            paper).

    Shapes:
        - **x** ``[B, N, channels]``, or flat ``[n, channels]``; **output** likewise
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        ffn_size: int,
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        pre_norm: bool = True,
    ) -> None:
        super().__init__()
        self.pre_norm = pre_norm
        self.attention = GraphDecayAttention(channels, heads, attention_dropout)
        self.attention_norm = nn.LayerNorm(channels)
        self.up = nn.Linear(channels, ffn_size)
        self.down = nn.Linear(ffn_size, channels)
        self.ffn_norm = nn.LayerNorm(channels)
        self.activation = nn.GELU()
        self.dropout = Dropout(dropout)

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        for module in (self.attention, self.attention_norm, self.up, self.down, self.ffn_norm):
            module.reset_parameters()

    def forward(
        self,
        x: Tensor,
        bias: Bias | None = None,
        rotation: Rotation | None = None,
        return_attention_weights: bool = False,
    ) -> Any:
        """Runs the layer; see the class for shapes, and :class:`GraphDecayAttention` for what to pass."""
        h = self.attention_norm(x) if self.pre_norm else x
        h = self.attention(h, bias, rotation, return_attention_weights)
        h, weights = h if return_attention_weights else (h, None)
        x = x + self.dropout(h)
        if self.pre_norm:
            x = x + self.dropout(self._ffn(self.ffn_norm(x)))
        else:
            x = self.attention_norm(x)
            x = self.ffn_norm(x + self.dropout(self._ffn(x)))
        return (x, weights) if return_attention_weights else x

    def _ffn(self, x: Tensor) -> Tensor:
        return self.down(self.activation(self.up(x)))


class LeafyChainEncoder(nn.Module):
    """Layers over a flat, ragged batch of leafy chains: no padding in, none out.

    Inside, too, everything but attention sees real nodes only; attention runs over buckets of graphs of
    similar size. Its bias is computed once and shared by all layers.

    Args:
        channels: size of a state.
        num_layers: number of layers.
        heads: number of attention heads.
        ffn_size: width of the feed-forward networks.
        num_relations: number of relations; needed for the relation bias and for interleaved H-GAT.
        dropout: dropout of the residual branches.
        attention_dropout: dropout of the attention weights; ``None``: as ``dropout``.
        decay: form of the decay, see :class:`~graphmer_geo.nn.GraphDecay`.
        decay_lambda: base of the decay.
        decay_offset: 1 or 0, see :class:`~graphmer_geo.nn.GraphDecay`.
        decay_per_head: a decay for each head, or one for all.
        leaf_edges: ``"star"`` or ``"path"``, see :func:`~graphmer_geo.nn.leafy_chain_distance`.
        positions: ``"rope"`` rotates queries and keys by the root index (leaves by that of their root); with
            ``"none"`` a reversed chain gives exactly reversed states, which is wrong for code.
        pre_norm: pre-LN with a final LayerNorm, or post-LN.
        relation_bias: bias attention between leaves and their head tokens, if ``num_relations`` is given.
        hgat_every: a :class:`~graphmer_geo.nn.LeafyChainConv` after every so many layers; 0 for none.
        num_bases: bases of their relation matrices.
        relation_dropout: dropout of their relation parameters.
        kernel: how attention is computed, not what: ``"dense"`` over padded buckets, or ``"flex"`` by
            FlexAttention, which stores nothing of the size of all pairs of nodes, and of which torch has
            gradients on CUDA only. The attribute of that name may be changed at any time.

    Shapes:
        - **x** ``[n, channels]``; **chains** of n nodes; **output** ``[n, channels]``
    """

    def __init__(
        self,
        channels: int,
        num_layers: int,
        heads: int,
        ffn_size: int,
        num_relations: int | None = None,
        dropout: float = 0.1,
        attention_dropout: float | None = None,
        decay: DecayMode = "additive",
        decay_lambda: float = 0.6,
        decay_offset: int = 1,
        decay_per_head: bool = True,
        leaf_edges: LeafEdges = "star",
        positions: Literal["rope", "none"] = "rope",
        pre_norm: bool = True,
        relation_bias: bool = True,
        hgat_every: int = 0,
        num_bases: int | None = 8,
        relation_dropout: float = 0.3,
        kernel: Kernel = "dense",
    ) -> None:
        super().__init__()
        if positions not in ("rope", "none"):
            raise ValueError(f"positions={positions!r}; use 'rope' or 'none'")
        if not 0 <= hgat_every <= num_layers or (hgat_every and num_relations is None):
            raise ValueError(
                f"hgat_every={hgat_every}; use 0, or give num_relations and at most num_layers={num_layers}"
            )
        if kernel not in ("dense", "flex"):
            raise ValueError(f"kernel={kernel!r}; use 'dense' or 'flex'")
        self.heads = heads
        self.hgat_every = hgat_every
        self.positions = positions
        self.kernel = kernel
        attention_dropout = dropout if attention_dropout is None else attention_dropout
        self.bias = GraphAttentionBias(
            heads,
            num_relations if relation_bias else None,
            decay,
            decay_lambda,
            leaf_edges,
            decay_offset,
            decay_per_head,
        )
        self.layers: Any = nn.ModuleList(
            LeafyChainEncoderLayer(channels, heads, ffn_size, dropout, attention_dropout, pre_norm)
            for _ in range(num_layers)
        )
        self.convs: Any = nn.ModuleList(
            LeafyChainConv(
                channels, num_relations or 1, num_bases, dropout, relation_dropout, leaf_edges, pre_norm
            )
            for _ in range(num_layers // hgat_every if hgat_every else 0)
        )
        self.norm = nn.LayerNorm(channels) if pre_norm else None

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        self.bias.reset_parameters()
        for module in (*self.layers, *self.convs):
            module.reset_parameters()
        if self.norm is not None:
            self.norm.reset_parameters()

    def forward(self, x: Tensor, chains: ChainStructure, return_attention_weights: bool = False) -> Any:
        """Encodes a flat batch; see the class for shapes.

        With ``chains.mask``, no shape depends on what tensors hold: the encoder compiles with
        ``fullgraph=True`` and exports.

        With ``return_attention_weights``, a pair of the output and ``(edge_index, alpha)`` as
        :class:`GraphDecayAttention` gives them, ``alpha`` of all layers: ``[layers, P, heads]``.
        """
        bias: Bias = self.bias.flex(chains) if self.kernel == "flex" else self.bias.ragged(chains)
        rotation = None
        if self.positions == "rope":
            rotation = rotary_angles(chains.root, x.size(-1) // self.heads)
        chain = self.convs[0].edges(chains) if self.hgat_every else None
        seen: list[Tensor] = []
        for number, layer in enumerate(self.layers, start=1):
            x = layer(x, bias, rotation, return_attention_weights)
            if return_attention_weights:
                x, (edge_index, alpha) = x
                seen.append(alpha)
            if chain is not None and number % self.hgat_every == 0:
                x = self.convs[number // self.hgat_every - 1](x, *chain)
        x = x if self.norm is None else self.norm(x)
        return (x, (edge_index, torch.stack(seen))) if return_attention_weights else x
