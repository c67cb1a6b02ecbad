"""A baseline that learns, of names alone: what answered heads that are called alike."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from graphmer_geo.metrics.baselines import Floats
from graphmer_geo.metrics.lexical import FeatureIndex, trigrams
from graphmer_geo.metrics.queries import Entities, Queries


class CharacterNGrams:
    """Orders candidates by the character trigrams of what answered heads of similar name.

    A kernel regression from the trigrams of a head to those of its tail: each training triple of the relation
    votes for the trigrams of its tail, with the likeness of its head to the head asked about; a candidate's
    score is the mean vote for its trigrams. The variants say how steeply votes fall with likeness.

    Args:
        entities: of the whole KG.
        triples: ``[T, 3]`` rows (head, relation id, tail) asserted in train, both directions of each.
        most: training triples of a relation that vote; more are drawn from.
        seed: of that draw.
    """

    name = "character n-grams"
    _POWER: ClassVar[dict[str, float]] = {"broad": 1.0, "steep": 3.0}
    variants = tuple(_POWER)

    def __init__(self, entities: Entities, triples: np.ndarray, most: int = 4000, seed: int = 0) -> None:
        self.labels, self.triples, self.most, self.seed = entities.labels, triples, most, seed
        self._grams = FeatureIndex(entities.labels, trigrams)
        self._voters: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def parts(self, queries: Queries, candidates: np.ndarray) -> list[Floats]:
        """The votes of each variant, ``[Q, C]``."""
        heads, tails = self._train(int(queries.relation[0]))
        if not len(heads):
            return [np.zeros((len(queries), len(candidates)), np.float32) for _ in self.variants]
        asked, back = np.unique(queries.head, return_inverse=True)
        texts = [self.labels[head] for head in asked]
        shared = self._grams.overlap(texts, heads)  # [A, T]
        norm = np.sqrt(self._grams.lengths[asked][:, None] * self._grams.lengths[heads])
        likeness = shared / np.maximum(norm, 1.0)
        votes = self._grams.query_rows([self.labels[tail] for tail in tails])  # [T, V]
        found = []
        for power in self._POWER.values():
            weight = torch.from_numpy((likeness**power + 1e-3).astype(np.float32))
            wanted = weight @ votes / weight.sum(1, keepdim=True)  # [A, V]
            scores = self._grams.products(wanted, candidates) / np.maximum(self._grams.lengths[candidates], 1)
            found.append(scores.astype(np.float32)[back])
        return found

    def combine(self, parts: list[Floats], variant: str) -> Floats:
        """Scores of a variant."""
        return parts[self.variants.index(variant)].copy()

    def _train(self, relation: int) -> tuple[np.ndarray, np.ndarray]:
        """Heads and tails that vote on a relation."""
        if relation not in self._voters:
            rows = np.flatnonzero(self.triples[:, 1] == relation)
            if len(rows) > self.most:
                rows = np.random.default_rng((self.seed, relation)).permutation(rows)[: self.most]
            self._voters[relation] = self.triples[rows, 0], self.triples[rows, 2]
        return self._voters[relation]
