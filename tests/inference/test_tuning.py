from __future__ import annotations

import numpy as np
import pytest

from graphmer_geo.data import ChainConfig, DataFolder
from graphmer_geo.inference import tuning
from graphmer_geo.inference.evaluate import baselines
from graphmer_geo.inference.questions import ask
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.inference.tuning import tune
from graphmer_geo.metrics import Variant, per_query
from graphmer_geo.train.tables import Tables


def test_the_best_variant_of_each_relation_is_chosen(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "ENOUGH", 2)
    tables = Tables.load(folder)
    ranker = Ranker(tables)
    queries = ask(folder, "validation", ChainConfig(), per_chain=4, seed=0).queries
    for baseline in baselines(tables):
        tuned = tune(baseline, ranker, queries)
        mrr = {
            v: per_query(ranker.rank(Variant(baseline, v), queries).rank)["mrr"] for v in baseline.variants
        }
        assert mrr[tuned.default].mean() == max(values.mean() for values in mrr.values())
        for relation, variant in tuned.variants.items():
            chosen = queries.relation == relation
            assert mrr[variant][chosen].mean() == max(values[chosen].mean() for values in mrr.values())
        rare = [r for r, n in zip(*np.unique(queries.relation, return_counts=True), strict=True) if n < 2]
        assert not set(rare) & set(tuned.variants)
        whole = per_query(ranker.rank(tuned, queries).rank)["mrr"].mean()
        assert whole >= mrr[tuned.default].mean() - 1e-9
