"""Self-attention with a bias from graph distance and relations."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphmer_geo.nn.bias import AttentionBias, Bias, RaggedBias
from graphmer_geo.nn.dropout import Dropout
from graphmer_geo.nn.flex import FlexBias
from graphmer_geo.nn.ragged import RaggedLayout
from graphmer_geo.nn.rotary import Rotation, rotate

# B graphs, H heads, N nodes of the largest graph, n nodes of a flat batch, D channels.


class GraphDecayAttention(nn.Module):
    """Multi-head self-attention within graphs, with rotary positions and an :class:`AttentionBias`.

    Graphs are padded to one size, or flat: then projections see real nodes only, and attention runs over the
    buckets of a :class:`RaggedBias`, or by FlexAttention if it is given a
    :class:`~graphmer_geo.nn.flex.FlexBias`.

    On CPU the products are written out: with a bias that learns, that is faster than the fused kernel, in
    bf16 even faster than the fused kernel without bias. Elsewhere it is ``scaled_dot_product_attention``.

    Args:
        channels: size of a node's state, divisible by ``heads``.
        heads: number of attention heads.
        dropout: dropout of the attention weights.

    Shapes:
        - **x** ``[B, N, channels]``; **output** ``[B, N, channels]``, arbitrary on padding; **rotation** of
          ``[B, N]``
        - or flat: **x** ``[n, channels]``; **output** ``[n, channels]``; **rotation** of ``[n]``
        - **weights** (``return_attention_weights=True``): ``[B, heads, N, N]``, who asks before who is asked;
          or flat, as PyG's convolutions have it, ``(edge_index, alpha)``: an edge to each node from each of
          its graph, ``[2, P]``, and ``[P, heads]``
    """

    def __init__(self, channels: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"channels={channels} is not divisible by heads={heads}; change one of them")
        self.channels = channels
        self.heads = heads
        self.dropout = Dropout(dropout)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def reset_parameters(self) -> None:
        """Draws the projections anew."""
        self.qkv.reset_parameters()
        self.out.reset_parameters()

    def forward(
        self,
        x: Tensor,
        bias: Bias | None = None,
        rotation: Rotation | None = None,
        return_attention_weights: bool = False,
    ) -> Any:
        """Attends within each graph; see the class for shapes.

        Returns:
            The new states, or a pair of these and the weights (before dropout).

        Raises:
            ValueError: FlexAttention can neither drop attention weights nor show them.
        """
        weights: Any = None
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, self.channels // self.heads))
        if isinstance(bias, FlexBias):
            if self.training and self.dropout.p:
                raise ValueError(
                    f"FlexAttention has no dropout (got {self.dropout.p}); set it to 0 or take a dense kernel"
                )
            if return_attention_weights:
                raise ValueError("FlexAttention keeps no attention weights; take the dense kernel")
            query, key, value = qkv.unbind(1)
            if rotation is not None:
                turn = Rotation(*(part.unsqueeze(1) for part in rotation))  # the same for all heads
                query, key = rotate(query, turn), rotate(key, turn)
            out = bias.attend(query, key, value)
        elif isinstance(bias, RaggedBias):
            layout = bias.layout
            turns: Any = [None] * len(bias.parts)
            if rotation is not None:
                turns = [Rotation(*parts) for parts in zip(*map(layout.pad, rotation), strict=True)]
            parts = [
                self._attend(*part, return_attention_weights)
                for part in zip(layout.pad(qkv), bias.parts, turns, strict=True)
            ]
            out = layout.unpad([part.flatten(0, 1) for part, _ in parts])
            if return_attention_weights:
                weights = _pairs(layout, [part for _, part in parts])
        else:
            out, weights = self._attend(qkv, bias, rotation, return_attention_weights)
        out = self.out(out.flatten(-2))
        return (out, weights) if return_attention_weights else out

    def _attend(
        self, qkv: Tensor, bias: AttentionBias | None, rotation: Rotation | None, weights: bool
    ) -> tuple[Tensor, Any]:
        """Padded graphs ``[B, N, 3, H, D / H]`` to ``[B, N, H, D / H]``, and ``[B, H, N, N]`` if wanted."""
        query, key, value = qkv.permute(2, 3, 0, 1, 4).unbind(0)  # [H, B, N, D / H] each
        if rotation is not None:
            query, key = rotate(query, rotation), rotate(key, rotation)
        if weights or qkv.device.type == "cpu" or (bias is not None and bias.factor is not None):
            out, seen = attend(query, key, value, bias, self.dropout)
            return out.permute(1, 2, 0, 3), seen.transpose(0, 1) if weights else None
        attn_mask = None if bias is None else bias.bias.transpose(0, 1)
        query, key, value = (part.transpose(0, 1) for part in (query, key, value))
        dropout = self.dropout.p if self.training else 0.0
        out = F.scaled_dot_product_attention(query, key, value, attn_mask, dropout)
        return out.transpose(1, 2), None

    def extra_repr(self) -> str:
        """Channels and heads."""
        return f"{self.channels}, heads={self.heads}"


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: AttentionBias | None = None,
    dropout: Dropout | None = None,
) -> tuple[Tensor, Tensor]:
    """``softmax(query · key / sqrt(dim) * factor + bias) · value`` written out, all ``[H, B, N, dim]``.

    Returns:
        That, and the softmax ``[H, B, N, N]`` before dropout.
    """
    shape = query.shape
    query, key, value = (part.flatten(0, 1) for part in (query, key, value))  # [H * B, N, dim]
    scale = shape[-1] ** -0.5
    if bias is None:
        scores = torch.bmm(query, key.transpose(1, 2)) * scale
    elif bias.factor is None:
        flat = bias.bias.flatten(0, 1).to(query.dtype)
        scores = torch.baddbmm(flat, query, key.transpose(1, 2), alpha=scale)
    else:
        scores = torch.bmm(query, key.transpose(1, 2)) * scale
        scores = (scores.view_as(bias.factor) * bias.factor + bias.bias).flatten(0, 1)
    weights = scores.softmax(dim=-1).to(value.dtype)
    out = torch.bmm(weights if dropout is None else dropout(weights), value)
    return out.view(shape), weights.unflatten(0, shape[:2])


def _pairs(layout: RaggedLayout, weights: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Weights ``[B_k, H, N_k, N_k]`` of buckets as edges from who is asked to who asks, and ``[P, H]``."""
    edges, alphas = [], []
    places = zip(layout.node.split(layout.sizes()), layout.empty.split(layout.sizes()), strict=True)
    for (node, empty), shape, part in zip(places, layout.shapes, weights, strict=True):
        node, real = node.view(shape), ~empty.view(shape)
        graph, asks, asked = (real.unsqueeze(2) & real.unsqueeze(1)).nonzero(as_tuple=True)
        edges.append(torch.stack((node[graph, asked], node[graph, asks])))
        alphas.append(part[graph, :, asks, asked])
    return torch.cat(edges, dim=1), torch.cat(alphas)
