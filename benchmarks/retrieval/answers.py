"""What ranks of answers say: means over queries, and intervals by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from graphmer_geo.errors import UserError
from graphmer_geo.metrics import filtered_ranks

Values = dict[str, NDArray[np.float64]]  # metric -> [Q]
_DRAWS = 2000


def one_answer(scores: NDArray[np.float32], target: NDArray[np.int64]) -> Values:
    """MRR@10 and recall of each query with one right answer; ties cost half, as everywhere.

    Raises:
        UserError: a score is NaN, or a right answer is not among the candidates.
    """
    return at_ranks(filtered_ranks(torch.from_numpy(scores), torch.from_numpy(target)).rank.numpy())


def at_ranks(rank: NDArray[np.float64]) -> Values:
    """The same, of known ranks."""
    values = {"mrr@10": np.where(rank <= 10, 1.0 / rank, 0.0)}
    return values | {f"recall@{k}": (rank <= k).astype(np.float64) for k in (1, 10)}


def at_random(candidates: int, queries: int) -> Values:
    """The same, in expectation, of a random order."""
    first = np.arange(1, min(10, candidates) + 1)
    expected = {"mrr@10": float((1.0 / first).sum()) / candidates}
    expected |= {f"recall@{k}": min(k, candidates) / candidates for k in (1, 10)}
    return {name: np.full(queries, value) for name, value in expected.items()}


def average_precision(scores: NDArray[np.float32], relevant: Sequence[NDArray[np.int64]]) -> Values:
    """Average precision ``{"map": [Q]}`` of queries with several right answers.

    Right answers come after wrong ones of the same score, so that a constant scorer gains nothing. A query's
    own column must be ``-inf``.

    Raises:
        UserError: a score is NaN, or a query has no right answer.
    """
    if np.isnan(scores).any():
        raise UserError("a score is NaN; has training diverged? Nothing is written")
    found = np.zeros(len(scores))
    for row, answers in enumerate(relevant):
        if not len(answers):
            raise UserError(f"query {row} has no right answer among its candidates; leave it out")
        right = np.zeros(scores.shape[1], np.bool_)
        right[answers] = True
        order = np.lexsort((right, -scores[row]))
        places = np.flatnonzero(right[order]) + 1
        found[row] = float((np.arange(1, len(places) + 1) / places).mean())
    return {"map": found}


def over_queries(runs: Sequence[Mapping[str, Values]], seed: int = 0) -> dict[str, Any]:
    """Scorer -> metric -> mean, 95 % interval by bootstrap over queries, and the mean of each seed.

    All runs ask the same queries; what differs between their seeds is averaged query by query first.
    """
    names = [name for name in runs[0] if all(name in run for run in runs)]
    rows = _rows(runs, names[0], seed)
    return {
        name: {
            metric: _cell(np.mean([run[name][metric] for run in runs], axis=0), rows)
            | {"values": [float(run[name][metric].mean()) for run in runs]}
            for metric in runs[0][name]
        }
        for name in names
    }


def margins(
    runs: Sequence[Mapping[str, Values]], reference: str, metric: str, seed: int = 0
) -> dict[str, Any]:
    """Scorer -> how much better ``reference`` is, with a paired bootstrap interval."""
    names = [name for name in runs[0] if name != reference and all(name in run for run in runs)]
    rows = _rows(runs, reference, seed)
    return {
        name: _cell(np.mean([run[reference][metric] - run[name][metric] for run in runs], axis=0), rows)
        for name in names
    }


def _rows(runs: Sequence[Mapping[str, Values]], name: str, seed: int) -> NDArray[np.int64]:
    count = len(next(iter(runs[0][name].values())))
    return np.random.default_rng((seed, 0xB0)).integers(0, count, (_DRAWS, count))


def _cell(values: NDArray[np.float64], rows: NDArray[np.int64]) -> dict[str, float]:
    means = np.array([values[row].mean() for row in rows])
    low, high = np.quantile(means, [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}
