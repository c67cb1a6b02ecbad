"""SpanBERT's objective: a masked span's tokens from what borders on it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphmer_geo.nn.undrawn import undrawn


class OutputTransform(nn.Module):
    r"""What heads read instead of states.

    .. math::
        \mathbf{y} = \mathrm{LN}(\mathrm{GELU}(\mathbf{W} \mathbf{h} + \mathbf{b}))

    Args:
        in_channels: size of the input.
        out_channels: size of the output.

    Shapes:
        - **x** ``[*, in_channels]``; **output** ``[*, out_channels]``
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, out_channels)
        self.norm = nn.LayerNorm(out_channels)

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        self.linear.reset_parameters()
        self.norm.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """Runs the layer; see the class for shapes."""
        y: Tensor = self.norm(F.gelu(self.linear(x)))
        return y


class SpanBoundaryHead(nn.Module):
    r"""Predicts the k-th token of a masked span from the states beside the span (SBO of SpanBERT).

    .. math::
        \mathbf{z} = \mathrm{T}_2(\mathrm{T}_1([\mathbf{y}_{s-1} \,\Vert\, \mathbf{y}_{e+1} \,\Vert\,
        \mathbf{p}_k])), \qquad \mathrm{T}(\mathbf{x}) = \mathrm{LN}(\mathrm{GELU}(\mathbf{W} \mathbf{x} +
        \mathbf{b}))

    for the span :math:`s \ldots e`, then a decoder of its own, not tied to the token embedding (GraphMERT,
    arXiv 2510.09580).

    Args:
        channels: size of a state.
        vocab_size: number of tokens.
        max_span: longest span; tokens further on share the last position's vector.

    Shapes:
        - **left**, **right** ``[k, channels]`` states before and after the span of each target; **place**
          ``[k]`` position in the span, from 0
        - **output** ``[k, vocab_size]``
    """

    def __init__(self, channels: int, vocab_size: int, max_span: int = 7) -> None:
        super().__init__()
        self.max_span = max_span
        self.place = undrawn(nn.Embedding, max_span, channels)
        self.first = OutputTransform(3 * channels, channels)
        self.second = OutputTransform(channels, channels)
        self.decoder = nn.Linear(channels, vocab_size)
        nn.init.normal_(self.place.weight, std=0.02)

    def reset_parameters(self) -> None:
        """Draws all parameters anew, the positions from N(0, 0.02)."""
        for module in (self.first, self.second, self.decoder):
            module.reset_parameters()
        nn.init.normal_(self.place.weight, std=0.02)

    def forward(self, left: Tensor, right: Tensor, place: Tensor) -> Tensor:
        """Logits of the targets; see the class for shapes."""
        at = self.place(place.clamp(max=self.max_span - 1)).to(left.dtype)
        logits: Tensor = self.decoder(self.second(self.first(torch.cat((left, right, at), dim=-1))))
        return logits
