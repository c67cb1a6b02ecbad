"""Baselines at their strongest: the variant of each is chosen per relation on validation queries."""

from __future__ import annotations

import numpy as np

from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries, per_query
from graphmer_geo.metrics.baselines import Baseline, Floats

#: A relation with fewer validation queries uses the variant that is best over all relations.
ENOUGH = 20


class Tuned:
    """A baseline with a variant of its own for each relation."""

    def __init__(self, baseline: Baseline, variants: dict[int, str], default: str) -> None:
        self.name, self.baseline, self.variants, self.default = baseline.name, baseline, variants, default

    def scores(self, queries: Queries, candidates: np.ndarray) -> Floats:
        """See :class:`~graphmer_geo.metrics.queries.TailScorer`; all queries share one relation."""
        variant = self.variants.get(int(queries.relation[0]), self.default)
        return self.baseline.combine(self.baseline.parts(queries, candidates), variant)


def tune(baseline: Baseline, ranker: Ranker, validation: Queries) -> Tuned:
    """Choose variants by their MRR on validation queries; the first wins a tie."""
    mrr = np.zeros((len(baseline.variants), len(validation)))
    for rows, candidates in ranker.blocks(validation, parts=8):
        asked = validation.select(rows)
        parts = baseline.parts(asked, candidates)
        for number, variant in enumerate(baseline.variants):
            ranks = ranker.filtered(baseline.combine(parts, variant), asked, candidates)
            mrr[number, rows] = per_query(ranks.rank)["mrr"]
    names = baseline.variants
    relations, counts = np.unique(validation.relation, return_counts=True)
    chosen = {
        int(r): names[int(mrr[:, validation.relation == r].mean(axis=1).argmax())]
        for r in relations[counts >= ENOUGH]
    }
    return Tuned(baseline, chosen, names[int(mrr.mean(axis=1).argmax())])
