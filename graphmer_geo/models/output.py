"""What a model returns in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

from torch import Tensor


class Objective(NamedTuple):
    """The mean loss of one objective, the scores it rests on, and the true classes."""

    loss: Tensor
    scores: Tensor
    labels: Tensor


class GraphMEROutput(NamedTuple):
    """What a training step needs and logs.

    ``losses``, ``metrics`` (accuracies), ``counts`` (numbers of targets) and ``hits`` (which targets were
    met, ``[k]`` bool each) hold only the objectives that have targets in the batch; values of ``losses`` and
    ``metrics`` are detached scalars.
    """

    loss: Tensor
    losses: dict[str, Tensor]
    metrics: dict[str, Tensor]
    counts: dict[str, int]
    hits: dict[str, Tensor]

    @classmethod
    def of(
        cls,
        objectives: Mapping[str, Objective],
        weights: Mapping[str, float],
        zero: Tensor,
        totals: Mapping[str, Tensor] | None = None,
    ) -> Self:
        """The weighted sum, which starts from ``zero``, and its parts.

        With ``totals``, each mean counts for this batch's share of so many targets.
        """
        loss = zero
        for name, found in objectives.items():
            share = 1.0 if totals is None else found.labels.numel() / totals[name].clamp(min=1)
            loss = loss + weights[name] * share * found.loss
        present = {name: found for name, found in objectives.items() if found.labels.numel()}
        hits = {name: found.scores.detach().argmax(-1) == found.labels for name, found in present.items()}
        return cls(
            loss,
            {name: found.loss.detach() for name, found in present.items()},
            {f"{name}_acc": hit.float().mean() for name, hit in hits.items()},
            {name: found.labels.numel() for name, found in present.items()},
            hits,
        )
