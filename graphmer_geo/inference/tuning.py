"""Baselines at their strongest: the variant of each is chosen per relation on validation queries."""

from __future__ import annotations

import numpy as np

from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries, TailScorer, per_query
from graphmer_geo.metrics.baselines import Tunable

#: A relation with fewer validation queries uses the variant that is best over all relations.
ENOUGH = 20


class Tuned:
    """A baseline with a variant of its own for each relation."""

    def __init__(self, scorer: Tunable, variants: dict[int, str], default: str) -> None:
        self.name, self.default, self.variants = scorer.name, default, variants
        self._scorers = {v: scorer.with_variant(v) for v in {default, *variants.values()}}

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """See :class:`~graphmer_geo.metrics.queries.TailScorer`; all queries share one relation."""
        variant = self.variants.get(int(queries.relation[0]), self.default)
        return self._scorers[variant].scores(queries, candidates)


def tune(scorer: Tunable, ranker: Ranker, validation: Queries) -> Tuned:
    """Choose variants by their MRR on validation queries; the first wins a tie."""
    names = list(scorer.VARIANTS)
    mrr = np.stack([_mrr(ranker, scorer.with_variant(name), validation) for name in names])  # [variants, Q]
    default = names[int(mrr.mean(axis=1).argmax())]
    relations, counts = np.unique(validation.relation, return_counts=True)
    chosen = {
        int(r): names[int(mrr[:, validation.relation == r].mean(axis=1).argmax())]
        for r in relations[counts >= ENOUGH]
    }
    return Tuned(scorer, chosen, default)


def _mrr(ranker: Ranker, scorer: TailScorer, queries: Queries) -> np.ndarray:
    return per_query(ranker.rank(scorer, queries).rank)["mrr"]
