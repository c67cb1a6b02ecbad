r"""The decay of attention with distance, as a small table."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DecayMode = Literal["additive", "multiplicative", "none"]


def decay_log(distance: Tensor, p: Tensor, decay_lambda: float = 0.6, offset: int = 1) -> Tensor:
    r"""Logarithm of GraphMERT's decay, :math:`\log f = \mathrm{GELU}(\sqrt{d + o} - p) \log\lambda`.

    The offset :math:`o` is 1 in the authors' code and 0 in the paper's text; GELU is the exact one.

    Args:
        distance: number of edges, any shape.
        p: the learnable offset, broadcastable to ``distance``.
        decay_lambda: base of the decay, in (0, 1].
        offset: what is added to the distance.

    Returns:
        ``log f``, of the broadcast shape; at most ``-0.17 log(decay_lambda)``, falling with the distance.

    Example:
        >>> import torch
        >>> decay_log(torch.tensor([0, 1, 10]), torch.ones(())).exp().round(decimals=3)
        tensor([1.0000, 0.8700, 0.3100])
    """
    return F.gelu((distance + float(offset)).sqrt() - p) * math.log(decay_lambda)


class GraphDecay(nn.Module):
    r"""A learnable decay per attention head, shared by all layers (GraphMERT, arXiv 2510.09580).

    ``"multiplicative"`` is the paper's form: scores are multiplied by :math:`f` before the softmax. That
    pulls far scores towards 0, not towards minus infinity: it flattens attention to distant nodes.
    ``"additive"`` adds :math:`\log f`, which is the same as multiplying the attention weights by :math:`f`
    and renormalising, and so does suppress distant nodes. ``"none"`` has no parameters.

    Args:
        heads: number of attention heads.
        decay_lambda: base of the decay (the paper: 0.6).
        mode: one of the three above.
        offset: added to the distance under the root, 1 (the authors' code) or 0 (their text).
        per_head: a ``p`` for each head (the authors' code), or one for all.
    """

    def __init__(
        self,
        heads: int,
        decay_lambda: float = 0.6,
        mode: DecayMode = "additive",
        offset: int = 1,
        per_head: bool = True,
    ) -> None:
        super().__init__()
        if mode not in ("additive", "multiplicative", "none"):
            raise ValueError(f"decay={mode!r}; use 'additive', 'multiplicative' or 'none'")
        if not 0 < decay_lambda <= 1:
            raise ValueError(f"decay_lambda={decay_lambda}; choose a value in (0, 1]")
        if offset not in (0, 1):
            raise ValueError(f"decay_offset={offset}; use 0 or 1")
        self.heads = heads
        self.decay_lambda = decay_lambda
        self.mode = mode
        self.offset = offset
        if mode == "none":
            self.register_parameter("p", None)
        else:
            self.p = nn.Parameter(torch.empty(heads if per_head else 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets every ``p`` to 1, where ``f`` is 1 at a distance of ``1 - offset``."""
        if self.p is not None:
            nn.init.ones_(self.p)

    def forward(self, max_distance: int) -> Tensor:
        """Table of ``log f`` for the distances 0 … ``max_distance``: ``[heads, max_distance + 1]``."""
        if self.p is None:
            raise ValueError("decay mode 'none' has no table")
        distance = torch.arange(max_distance + 1, device=self.p.device, dtype=self.p.dtype)
        table = decay_log(distance, self.p.unsqueeze(-1), self.decay_lambda, self.offset)
        return table.expand(self.heads, -1)

    def extra_repr(self) -> str:
        """Heads, base, mode and offset."""
        return (
            f"heads={self.heads}, decay_lambda={self.decay_lambda}, mode={self.mode!r}, offset={self.offset}"
        )
