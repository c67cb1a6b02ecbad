"""Tuning with a stated budget: every combination is trained alike, the best on validation is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries, TailScorer, per_query

Scorer = TypeVar("Scorer", bound=TailScorer)


def best(
    trials: Sequence[tuple[int, float]],
    fit: Callable[[int, float], Scorer],
    ranker: Ranker,
    validation: Queries,
) -> tuple[Scorer, dict[str, Any]]:
    """The scorer of the best size and learning rate by MRR on validation, and what each trial reached."""
    found: list[tuple[float, Scorer, dict[str, Any]]] = []
    for channels, learning_rate in trials:
        scorer = fit(channels, learning_rate)
        mrr = float(per_query(ranker.rank(scorer, validation).rank)["mrr"].mean())
        found.append((mrr, scorer, {"channels": channels, "learning_rate": learning_rate, "mrr": mrr}))
    top = max(range(len(found)), key=lambda i: found[i][0])
    return found[top][1], {"chosen": found[top][2], "trials": [trial[2] for trial in found]}
