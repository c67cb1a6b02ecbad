"""The same embedding models by PyKEEN, to see that ours are not held back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.links.kge import Budget
from benchmarks.links.trials import best
from graphmer_geo.errors import UserError
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries
from graphmer_geo.train.tables import Tables

MODELS = ("ComplEx", "RotatE")
#: Corrupted facts beside each true one; PyKEEN draws them for each fact anew.
NEGATIVES = 32


class PyKEENScorer:
    """A trained PyKEEN model as a :class:`~graphmer_geo.metrics.TailScorer`."""

    def __init__(self, name: str, model: Any) -> None:
        self.name, self.model = f"PyKEEN {name}", model.eval()

    @torch.no_grad()
    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """``[Q, C]``."""
        asked = torch.from_numpy(np.stack([queries.head, queries.relation], axis=1))
        scores: np.ndarray = self.model.score_t(asked, tails=torch.from_numpy(candidates)).numpy()
        return scores


def fit(name: str, tables: Tables, channels: int, learning_rate: float, budget: Budget, seed: int) -> Any:
    """Train one model on the train facts, in both directions, with PyKEEN's loop and a softmax loss.

    Raises:
        UserError: PyKEEN is not installed.
    """
    try:
        from pykeen.models import ComplEx, RotatE
        from pykeen.training import SLCWATrainingLoop
        from pykeen.triples import CoreTriplesFactory
    except ImportError as error:
        raise UserError(f"{error}; install the extra `dev`, or leave PyKEEN out with --pykeen") from None
    facts = torch.from_numpy(np.unique(tables.triples[tables.in_train], axis=0))
    factory = CoreTriplesFactory(facts, len(tables), max(tables.relations.values()) + 1)
    kinds: dict[str, Any] = {"ComplEx": ComplEx, "RotatE": RotatE}
    model = kinds[name](triples_factory=factory, embedding_dim=channels, random_seed=seed, loss="infonce")
    loop = SLCWATrainingLoop(
        model=model,
        triples_factory=factory,
        optimizer=torch.optim.Adam(model.parameters(), lr=learning_rate),
        negative_sampler_kwargs={"num_negs_per_pos": NEGATIVES},
    )
    loop.train(
        triples_factory=factory, num_epochs=budget.epochs, batch_size=budget.batch, use_tqdm=False,
        use_tqdm_batch=False,
    )  # fmt: skip
    return model


def tuned(
    name: str, ranker: Ranker, validation: Queries, budget: Budget, seed: int
) -> tuple[PyKEENScorer, dict[str, Any]]:
    """The best of the budget's trials by MRR on validation, and what each reached."""

    def trial(channels: int, learning_rate: float) -> PyKEENScorer:
        return PyKEENScorer(name, fit(name, ranker.tables, channels, learning_rate, budget, seed))

    return best(budget.trials(), trial, ranker, validation)
