"""Dropout whose masks are cheap to draw on a CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEVELS = 256


class Dropout(nn.Module):
    """Inverted dropout with a probability that is a multiple of 1/256 (on CPU).

    torch draws one 64-bit random number per element, serially; that took a tenth of a training step. Here
    each number serves eight elements. Elements are dropped independently with probability ``round(256 p) /
    256`` and the rest is scaled by its exact inverse, so the expectation is right. On other devices, and in
    compiled code, it is torch's own dropout.

    Args:
        p: probability of an element to become 0, in [0, 1).
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p={p}; choose a value in [0, 1)")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Drops elements of ``x`` (any shape) in training."""
        threshold = min(round(self.p * _LEVELS), _LEVELS - 1)
        if not self.training or threshold == 0:
            return x
        if x.device.type != "cpu" or torch.compiler.is_compiling():
            return F.dropout(x, self.p)
        count = x.numel()
        bits = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        keep = (bits.view(torch.uint8)[:count] >= threshold).to(x.dtype)
        return x * keep.mul_(_LEVELS / (_LEVELS - threshold)).view_as(x)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"
