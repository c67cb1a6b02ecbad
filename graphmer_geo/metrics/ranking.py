"""Link-prediction metrics: filtered, realistic ranks, MRR and Hits@k.

The protocol is the one of Berrendorf et al., "On the Ambiguity of Rank-Based Evaluation of Entity
Alignment or Link Prediction" (2020), and equal to PyKEEN's ``RankBasedEvaluator``: other true answers do
not count against a query, and a tie costs half of what losing it would cost. A constant scorer therefore
gets the rank in the middle, never the first.

Notation: Q queries, C candidates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphmer_geo.errors import UserError

HITS_AT = (1, 3, 10)

#: True answers to leave out: a mask ``[Q, C]``, or row and column indices.
Known = tuple[Tensor, Tensor] | Tensor | None


class Ranks(NamedTuple):
    """Ranks of Q queries."""

    rank: Tensor  # [Q] float64, 1 is best; half-integers on ties
    candidates: Tensor  # [Q] int64: how many candidates competed, the right answer included


def filtered_ranks(scores: Tensor, target: Tensor, known: Known = None) -> Ranks:
    """Realistic rank of each query's right answer among its candidates, other true answers left out.

    Args:
        scores: ``[Q, C]``, higher is better. ``-inf`` is allowed, NaN is an error.
        target: ``[Q]`` column of the right answer.
        known: the true answers to leave out, either a mask ``[Q, C]`` or a pair ``(row, column)`` of index
            vectors; it may or may not contain the target, which always stays.

    Raises:
        UserError: a score is NaN, or a target is not one of the candidates.
    """
    scores, target = torch.as_tensor(scores), torch.as_tensor(target)
    if scores.dim() != 2 or target.shape != scores.shape[:1]:
        raise UserError(
            f"expected scores [queries, candidates] and one target per query, got {tuple(scores.shape)} and "
            f"{tuple(target.shape)}; pass one row of scores per query"
        )
    num_queries, num_candidates = scores.shape
    outside = (target < 0) | (target >= num_candidates)
    if bool(outside.any()):
        row = int(outside.nonzero()[0])
        raise UserError(
            f"the right answer of query {row} (column {int(target[row])}) is not among its {num_candidates} "
            f"candidates; {int(outside.sum())} queries are affected: add their answers to the candidates"
        )
    if bool(torch.isnan(scores).any()):
        row = int(torch.isnan(scores).any(dim=1).nonzero()[0])
        raise UserError(f"query {row} has a NaN score; has training diverged? Lower the learning rate")
    rows = torch.arange(num_queries, device=scores.device)
    competes = _competitors(known, scores)
    competes[rows, target] = False
    gold = scores[rows, target].unsqueeze(1)  # [Q, 1]
    better = ((scores > gold) & competes).sum(dim=1)
    tied = ((scores == gold) & competes).sum(dim=1)
    return Ranks(rank=1.0 + better.double() + 0.5 * tied.double(), candidates=competes.sum(dim=1) + 1)


def _competitors(known: Known, scores: Tensor) -> Tensor:
    if isinstance(known, tuple):
        mask = torch.ones(scores.shape, dtype=torch.bool, device=scores.device)
        mask[torch.as_tensor(known[0]), torch.as_tensor(known[1])] = False
        return mask
    if known is None:
        return torch.ones(scores.shape, dtype=torch.bool, device=scores.device)
    mask = torch.as_tensor(known, device=scores.device)
    if mask.shape != scores.shape or mask.dtype != torch.bool:
        raise UserError(
            f"the filter must be a boolean mask {tuple(scores.shape)}; got {mask.dtype} {tuple(mask.shape)}"
        )
    return ~mask


def per_query(rank: np.ndarray | Tensor) -> dict[str, np.ndarray]:
    """What each query contributes to each metric: ``{"mrr", "hits@1", …, "mean_rank"} -> [Q]``."""
    rank = np.asarray(rank, dtype=np.float64)
    values = {"mrr": 1.0 / rank}
    values |= {f"hits@{k}": (rank <= k).astype(np.float64) for k in HITS_AT}
    return values | {"mean_rank": rank}


def expected_per_query(candidates: np.ndarray | Tensor) -> dict[str, np.ndarray]:
    """The same for a scorer that orders ``candidates[q]`` candidates uniformly at random, in expectation.

    The rank is then uniform on 1..n, so MRR is H(n)/n, Hits@k is min(k, n)/n and the mean rank (n + 1)/2.
    """
    n = np.asarray(candidates, dtype=np.int64)
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, max(int(n.max(initial=0)), 1) + 1))])
    values = {"mrr": harmonic[n] / n}
    values |= {f"hits@{k}": np.minimum(k, n) / n for k in HITS_AT}
    return values | {"mean_rank": (n + 1) / 2.0}


def summarize(values: dict[str, np.ndarray], chosen: np.ndarray | None = None) -> dict[str, float]:
    """Means over the chosen queries (a mask or indices; all by default), and their ``count``.

    With no query chosen the count is 0 and there are no other keys: an empty mean is not a score.
    """
    kept = {name: v if chosen is None else v[chosen] for name, v in values.items()}
    count = len(next(iter(kept.values())))
    return {name: float(v.mean()) for name, v in kept.items() if count} | {"count": count}


def ranking_metrics(scores: Tensor, target: Tensor, known: Known = None) -> dict[str, float]:
    """MRR, Hits@1/3/10, mean rank and count of a score matrix; arguments as in :func:`filtered_ranks`.

    Example:
        >>> scores = torch.tensor([[0.9, 0.5, 0.1], [0.2, 0.2, 0.8]])
        >>> metrics = ranking_metrics(scores, target=torch.tensor([1, 2]))
        >>> metrics["mrr"], metrics["hits@1"], metrics["count"]
        (0.75, 0.5, 2)
    """
    return summarize(per_query(filtered_ranks(scores, target, known).rank))
