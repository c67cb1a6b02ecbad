"""RGCN and HGT on the knowledge graph, trained to rank: the rivals that see the graph and not the code.

An entity begins as the tokens of its name and its kind (and a vector of its own, where all are known), so
those of unseen projects have a beginning too. Facts between two entities that are asked about are no edges
while they are, in training as in test. What else a chain may show is there to see: train facts, and those of
the split that is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.nn import HGTConv, RGCNConv

from benchmarks.links.trials import best
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries
from graphmer_geo.train.tables import ENTITY_KINDS, Tables

MODELS = ("RGCN", "HGT")
Ends = tuple[str, str, str]
_RARE = 0.005


@dataclass(frozen=True)
class Budget:
    """What tuning may cost: every combination is trained for ``steps``, the best on validation is kept."""

    channels: tuple[int, ...] = (64, 128)
    learning_rates: tuple[float, ...] = (0.003, 0.01)
    steps: int = 100
    layers: int = 2
    negatives: int = 1024
    batch: int = 8192

    def trials(self) -> list[tuple[int, float]]:
        """Size and learning rate of each trial."""
        return list(product(self.channels, self.learning_rates))


@dataclass(frozen=True)
class Edges:
    """Facts in both directions, as messages from head to tail."""

    facts: Tensor  # [F, 3] head, relation, tail
    pair: Tensor  # [F] the same for all facts between two entities

    @classmethod
    def of(cls, facts: np.ndarray, num_entities: int) -> Edges:
        """Each fact once."""
        rows = torch.from_numpy(np.unique(facts, axis=0))
        return cls(rows, pair_keys(rows, num_entities))

    def without(self, pairs: Tensor) -> Tensor:
        """The facts between other pairs of entities."""
        return self.facts[~torch.isin(self.pair, pairs)]


def pair_keys(facts: Tensor, num_entities: int) -> Tensor:
    """A number for head and tail of each fact, whichever comes first."""
    head, tail = facts[:, 0], facts[:, 2]
    return torch.minimum(head, tail) * num_entities + torch.maximum(head, tail)


def seen(tables: Tables, split: str, asked: Queries) -> Tensor:
    """The facts that may be messages when these queries of a split are asked: ``[F, 3]``."""
    facts = tables.triples[tables.in_train | (tables.triple_split == split)]
    queried = torch.from_numpy(np.stack([asked.head, asked.relation, asked.tail], axis=1))
    return Edges.of(facts, len(tables)).without(pair_keys(queried, len(tables)))


class RelationalEncoder(nn.Module):
    """Vectors of all entities from their names, kinds and neighbours, and a bilinear score of facts.

    Args:
        name: "RGCN" or "HGT".
        tables: the graph.
        channels: width.
        layers: rounds of messages.
        own_vectors: give each entity a vector of its own, where training knows them all.
    """

    def __init__(self, name: str, tables: Tables, channels: int, layers: int, own_vectors: bool) -> None:
        super().__init__()
        num_relations = max(tables.relations.values()) + 1
        self.kinds = torch.from_numpy(tables.kinds)
        self.name_tok, self.name_ptr, _ = tables.names(np.arange(len(tables)))
        self.words = nn.EmbeddingBag(int(self.name_tok.max()) + 1, channels, mode="mean")
        self.kind = nn.Embedding(len(ENTITY_KINDS), channels)
        self.own = nn.Embedding(len(tables), channels) if own_vectors else None
        convs: list[nn.Module] = []
        for _ in range(layers):
            if name == "RGCN":
                convs.append(RGCNConv(channels, channels, num_relations, num_bases=8))
            else:
                convs.append(_TypedHGT(tables, channels))
        self.convs = nn.ModuleList(convs)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(layers))
        self.relation = nn.Embedding(num_relations, channels)

    def forward(self, facts: Tensor) -> Tensor:
        """``[E, channels]`` from messages along these facts."""
        x = self.words(self.name_tok, self.name_ptr[:-1]) + self.kind(self.kinds)
        if self.own is not None:
            x = x + self.own.weight
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = norm(x + conv(x, facts[:, [0, 2]].t(), facts[:, 1]).relu())
        return x

    def score(self, x: Tensor, head: Tensor, relation: Tensor, candidates: Tensor) -> Tensor:
        """``[Q, C]``."""
        return (x[head] * self.relation(relation)) @ x[candidates].t()


class _TypedHGT(nn.Module):
    """HGTConv over flat tensors: entities by kind, edges by the kinds of their ends and the relation.

    PyG's operator projects all nodes of a kind anew for every type of edge that leaves it, so types with
    fewer edges than ``_RARE`` of all bring no messages.
    """

    def __init__(self, tables: Tables, channels: int) -> None:
        super().__init__()
        self.kinds = torch.from_numpy(tables.kinds)
        self.rows = {ENTITY_KINDS[k]: (self.kinds == k).nonzero()[:, 0] for k in self.kinds.unique().tolist()}
        self.local = torch.zeros(len(tables), dtype=torch.int64)
        for rows in self.rows.values():
            self.local[rows] = torch.arange(len(rows))
        self.relations = {index: name for name, index in tables.relations.items()}
        edges = self.by_type(torch.from_numpy(tables.triples))
        self.ends = [ends for ends, part in edges.items() if part.size(1) >= _RARE * len(tables.triples)]
        self.conv = HGTConv(channels, channels, (list(self.rows), self.ends), heads=2)

    def by_type(self, facts: Tensor) -> dict[Ends, Tensor]:
        """Edges by their type."""
        head, relation, tail = facts.unbind(1)
        codes = torch.stack([self.kinds[head], relation, self.kinds[tail]], dim=1)
        types, number = codes.unique(dim=0, return_inverse=True)
        order = number.argsort(stable=True)
        edges = torch.stack([self.local[head], self.local[tail]])[:, order]
        parts = edges.split(torch.bincount(number, minlength=len(types)).tolist(), dim=1)
        return {
            (ENTITY_KINDS[a], self.relations[r], ENTITY_KINDS[b]): part
            for (a, r, b), part in zip(types.tolist(), parts, strict=True)
        }

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:
        """``[E, channels]``; zeros for a kind that no edge leads to."""
        facts = torch.stack([edge_index[0], edge_type, edge_index[1]], dim=1)
        edges = {ends: part for ends, part in self.by_type(facts).items() if ends in self.ends}
        out = torch.zeros_like(x)
        if not edges:
            return out
        new: Mapping[str, Tensor] = self.conv({kind: x[rows] for kind, rows in self.rows.items()}, edges)
        for kind, rows in self.rows.items():
            if new.get(kind) is not None:
                out = out.index_copy(0, rows, new[kind])
        return out


@dataclass(frozen=True)
class GNNScorer:
    """A trained model and the messages that it may use, as a :class:`~graphmer_geo.metrics.TailScorer`."""

    name: str
    model: RelationalEncoder
    vectors: Tensor  # [E, channels]

    @torch.no_grad()
    def on(self, facts: Tensor) -> GNNScorer:
        """The same model with other messages."""
        return replace(self, vectors=self.model.eval()(facts))

    @torch.no_grad()
    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """``[Q, C]``."""
        columns = (torch.from_numpy(column) for column in (queries.head, queries.relation, candidates))
        return self.model.score(self.vectors, *columns).numpy()


def fit(
    name: str,
    tables: Tables,
    channels: int,
    learning_rate: float,
    budget: Budget,
    seed: int,
    own_vectors: bool,
) -> RelationalEncoder:
    """Train on the train facts; what a step asks for is no message in it."""
    torch.manual_seed(seed)
    model = RelationalEncoder(name, tables, channels, budget.layers, own_vectors)
    edges = Edges.of(tables.triples[tables.in_train], len(tables))
    known = torch.from_numpy(np.flatnonzero(tables.known_to_train))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    asked = min(budget.batch, max(len(edges.facts) // 5, 1))  # most facts must stay messages
    for _ in range(budget.steps):
        rows = torch.randint(len(edges.facts), (asked,))
        x = model(edges.without(edges.pair[rows]))
        head, relation, tail = edges.facts[rows].unbind(1)
        pool = known[torch.randint(len(known), (budget.negatives,))]
        right = (x[head] * model.relation(relation) * x[tail]).sum(1, keepdim=True)
        logits = torch.cat([right, model.score(x, head, relation, pool)], dim=1)
        loss = nn.functional.cross_entropy(logits, torch.zeros(len(rows), dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def tuned(
    name: str,
    ranker: Ranker,
    validation: Queries,
    test: Queries,
    budget: Budget,
    seed: int,
    own_vectors: bool,
) -> tuple[GNNScorer, dict[str, Any]]:
    """The best of the budget's trials by MRR on validation, ready for the test queries."""
    tables = ranker.tables
    messages = seen(tables, "validation", validation)

    def trial(channels: int, learning_rate: float) -> GNNScorer:
        model = fit(name, tables, channels, learning_rate, budget, seed, own_vectors)
        return GNNScorer(name, model, torch.empty(0)).on(messages)

    scorer, told = best(budget.trials(), trial, ranker, validation)
    return scorer.on(seen(tables, "test", test)), told
