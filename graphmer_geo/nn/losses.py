"""Losses, each a mean of its own over its own targets."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from graphmer_geo.nn.precision import full_precision


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over masked tokens; 0 (with a graph, so gradients are 0, not missing) without any.

    Args:
        logits: ``[k, vocab_size]``.
        labels: ``[k]`` original token ids.

    Returns:
        Scalar, at least float32.
    """
    return F.cross_entropy(full_precision(logits), labels, reduction="sum") / max(labels.numel(), 1)


def sampled_softmax_loss(
    scores: Tensor, target: Tensor, log_q: Tensor | None = None, allowed: Tensor | None = None
) -> Tensor:
    r"""Mean cross-entropy over candidates drawn with probability (or expected count) :math:`Q(c)`.

    Subtracting :math:`\log Q(c)` from the scores makes the softmax over the sample an estimate of that over
    all candidates (Bengio and Senécal, 2008), so frequent negatives are not punished for being drawn often.

    Args:
        scores: ``[q, C]``.
        target: ``[q]`` true candidate.
        log_q: ``[C]`` log of the sampling probability; ``None`` for a uniform one.
        allowed: ``[q, C]`` false for candidates to leave out: of the wrong type, or another true answer. The
            target itself is always kept.

    Returns:
        Scalar, at least float32; 0 with a graph if there are no queries.
    """
    scores = full_precision(scores)
    if log_q is not None:
        scores = scores - log_q
    if allowed is not None:
        allowed = allowed.scatter(1, target.unsqueeze(1), True)
        scores = scores.masked_fill(~allowed, float("-inf"))
    return F.cross_entropy(scores, target, reduction="sum") / max(target.numel(), 1)
