"""How near to a query's head a candidate is declared."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphmer_geo.nn.undrawn import undrawn

#: Levels: elsewhere; outside the corpus; same unit; same file; same scope (siblings, owner, member).
LEVELS = 5
#: Weights are kept divided by this, see LOG_GAIN in names.py.
_GAIN = 4.0


class Proximity(nn.Module):
    r"""Scores candidates by where they are declared relative to the head of the query.

    .. math::
        \mathrm{near}(q, c) = w_{l} + w_{r l} + \mathbf{w}_l^\top \mathbf{q}, \qquad l = \mathrm{level}(h,
        c)

    Code refers mostly to what is near: more than half of the facts that a chunk does not spell out stay
    in its file. Where an entity is declared is known for code never seen, so this transfers; which level
    a relation prefers is counted in train (:meth:`fit`) and refined by learning, and a query's state may
    tell otherwise.

    Args:
        channels: size of a query vector.
        num_relations: number of relations.
    """

    def __init__(self, channels: int, num_relations: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(LEVELS))
        self.relation_weight = nn.Parameter(torch.empty(num_relations, LEVELS))
        self.query_weight = undrawn(nn.Linear, channels, LEVELS, bias=False)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """No preference."""
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.relation_weight)
        nn.init.zeros_(self.query_weight.weight)

    @torch.no_grad()
    def fit(self, log_odds: Tensor) -> None:
        """Start from log-odds ``[num_relations, LEVELS]`` of one candidate of each level being the answer."""
        self.relation_weight.copy_(log_odds / _GAIN)

    def forward(self, relation: Tensor, query: Tensor, near: Tensor) -> Tensor:
        """Scores ``[q, C]``.

        Args:
            relation: ``[q]`` relation of each query.
            query: ``[q, channels]`` query vectors.
            near: ``[q, C]`` level of each candidate, 0 … ``LEVELS - 1``.
        """
        weight = _GAIN * (
            self.weight + self.relation_weight[relation] + self.query_weight(query)
        )  # [q, LEVELS]
        return weight.gather(1, near.long())
