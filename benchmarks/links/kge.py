"""PyG's embedding models, trained to rank: the rivals where all entities are known.

They get reciprocal relations (every fact in both directions), a softmax over sampled entities instead of
PyG's one negative per fact, and a grid of sizes and learning rates from which validation chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.nn import ComplEx, DistMult, RotatE, TransE
from torch_geometric.nn.kge import KGEModel

from benchmarks.links.trials import best
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries
from graphmer_geo.train.tables import Tables

MODELS: dict[str, type[KGEModel]] = {
    "TransE": TransE,
    "DistMult": DistMult,
    "ComplEx": ComplEx,
    "RotatE": RotatE,
}


@dataclass(frozen=True)
class Budget:
    """What tuning may cost: every combination is trained for ``epochs``, the best on validation is kept."""

    channels: tuple[int, ...] = (64, 128)
    learning_rates: tuple[float, ...] = (0.003, 0.01)
    epochs: int = 30
    negatives: int = 256
    batch: int = 1024

    def trials(self) -> list[tuple[int, float]]:
        """Size and learning rate of each trial."""
        return list(product(self.channels, self.learning_rates))


def score_all(model: KGEModel, head: Tensor, relation: Tensor, candidates: Tensor) -> Tensor:
    """What ``model(head, relation, tail)`` says of every candidate tail: ``[Q, C]``."""
    h, r, t = model.node_emb(head), model.rel_emb(relation), model.node_emb(candidates)
    if isinstance(model, TransE):
        h = torch.nn.functional.normalize(h, p=model.p_norm, dim=-1)
        t = torch.nn.functional.normalize(t, p=model.p_norm, dim=-1)
        return -torch.cdist(h + r, t, p=model.p_norm)
    if isinstance(model, DistMult):
        return (h * r) @ t.T
    h_im, t_im = model.node_emb_im(head), model.node_emb_im(candidates)
    if isinstance(model, ComplEx):
        r_im = model.rel_emb_im(relation)
        return (h * r - h_im * r_im) @ t.T + (h_im * r + h * r_im) @ t_im.T
    if isinstance(model, RotatE):
        turned = torch.cat([h * r.cos() - h_im * r.sin(), h * r.sin() + h_im * r.cos()], dim=-1)
        return model.margin - torch.cdist(turned, torch.cat([t, t_im], dim=-1))
    raise TypeError(f"no scores for {type(model).__name__}")


class KGEScorer:
    """A trained model as a :class:`~graphmer_geo.metrics.TailScorer`."""

    def __init__(self, name: str, model: KGEModel) -> None:
        self.name, self.model = name, model.eval()

    @torch.no_grad()
    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """``[Q, C]``."""
        columns = (torch.from_numpy(column) for column in (queries.head, queries.relation, candidates))
        return score_all(self.model, *columns).numpy()


def fit(
    name: str, tables: Tables, channels: int, learning_rate: float, budget: Budget, seed: int
) -> KGEModel:
    """Train one model on the train facts, in both directions."""
    torch.manual_seed(seed)
    model = MODELS[name](len(tables), max(tables.relations.values()) + 1, channels)
    facts = torch.from_numpy(np.unique(tables.triples[tables.in_train], axis=0))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(budget.epochs):
        for rows in torch.randperm(len(facts)).split(budget.batch):
            head, relation, tail = facts[rows].unbind(1)
            pool = torch.randint(len(tables), (budget.negatives,))
            right = model(head, relation, tail).unsqueeze(1)
            logits = torch.cat([right, score_all(model, head, relation, pool)], dim=1)
            loss = torch.nn.functional.cross_entropy(logits, torch.zeros(len(rows), dtype=torch.long))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def tuned(
    name: str, ranker: Ranker, validation: Queries, budget: Budget, seed: int
) -> tuple[KGEScorer, dict[str, Any]]:
    """The best of the budget's trials by MRR on validation, and what each reached."""

    def trial(channels: int, learning_rate: float) -> KGEScorer:
        return KGEScorer(name, fit(name, ranker.tables, channels, learning_rate, budget, seed))

    return best(budget.trials(), trial, ranker, validation)
