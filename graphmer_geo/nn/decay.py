r"""The decay of attention with distance, as a small table."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DecayMode = Literal["additive", "multiplicative", "none"]


def decay_log(distance: Tensor, p: Tensor, decay_lambda: float = 0.6) -> Tensor:
    r"""Logarithm of GraphMERT's decay, :math:`\log f = \mathrm{GELU}(\sqrt{d + 1} - p) \log\lambda`.

    The input is ``d + 1`` as in the authors' code (the paper's text has ``d``); GELU is the exact one.

    Args:
        distance: number of edges, any shape.
        p: the learnable offset, broadcastable to ``distance``.
        decay_lambda: base of the decay, in (0, 1].

    Returns:
        ``log f``, of the broadcast shape; at most ``-0.17 log(decay_lambda)``, falling with the distance.
    """
    return F.gelu((distance + 1.0).sqrt() - p) * math.log(decay_lambda)


class GraphDecay(nn.Module):
    r"""One learnable decay per attention head, shared by all layers (GraphMERT, arXiv 2510.09580).

    ``"multiplicative"`` is the paper's form: scores are multiplied by :math:`f` before the softmax. That
    pulls far scores towards 0, not towards minus infinity: it flattens attention to distant nodes.
    ``"additive"`` adds :math:`\log f`, which is the same as multiplying the attention weights by :math:`f`
    and renormalising, and so does suppress distant nodes. ``"none"`` has no parameters.

    Args:
        heads: number of attention heads.
        decay_lambda: base of the decay (the paper: 0.6).
        mode: one of the three above.
    """

    def __init__(self, heads: int, decay_lambda: float = 0.6, mode: DecayMode = "additive") -> None:
        super().__init__()
        if mode not in ("additive", "multiplicative", "none"):
            raise ValueError(f"decay={mode!r}; use 'additive', 'multiplicative' or 'none'")
        if not 0 < decay_lambda <= 1:
            raise ValueError(f"decay_lambda={decay_lambda}; choose a value in (0, 1]")
        self.heads = heads
        self.decay_lambda = decay_lambda
        self.mode = mode
        if mode == "none":
            self.register_parameter("p", None)
        else:
            self.p = nn.Parameter(torch.empty(heads))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets every ``p`` to 1, where ``f`` of a node with itself is 1."""
        if self.p is not None:
            nn.init.ones_(self.p)

    def forward(self, max_distance: int) -> Tensor:
        """Table of ``log f`` for the distances 0 … ``max_distance``: ``[heads, max_distance + 1]``."""
        if self.p is None:
            raise ValueError("decay mode 'none' has no table")
        distance = torch.arange(max_distance + 1, device=self.p.device, dtype=self.p.dtype)
        return decay_log(distance, self.p.unsqueeze(-1), self.decay_lambda)

    def extra_repr(self) -> str:
        """Heads, base and mode."""
        return f"heads={self.heads}, decay_lambda={self.decay_lambda}, mode={self.mode!r}"
