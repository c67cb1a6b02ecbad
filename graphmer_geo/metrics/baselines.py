"""Baselines without learning. A model is worth its parameters only where it beats all of them.

* :class:`TailFrequency`: the most frequent answers of a relation in train.
* :class:`LexicalCopy`: the candidate whose name is most like the head's name, or is written in the chunk.
* :class:`FrequencyAndCopy`: both together.

Each has variants; :func:`choose_variant` picks one on validation queries, so the baselines are as strong as
tuning without learning makes them. A random order needs no scores, its expectation is closed form:
:func:`graphmer_geo.metrics.ranking.expected_per_query`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

import numpy as np

from graphmer_geo.metrics.lexical import FeatureIndex, identifiers, last_component, sub_tokens, trigrams
from graphmer_geo.metrics.queries import Entities, Queries, TailScorer


class TailFrequency:
    """Orders candidates by how often they answer this relation in train.

    An entity never seen in train still has a label, and labels such as ``__init__`` or ``run`` repeat
    across code bases: counts back off from the entity to its label, its last name component and its kind.
    A count that several entities share is divided among them.

    Args:
        entities: of the whole KG.
        triples: ``[T, 3]`` rows (head, relation id, tail) asserted in train, both directions of each.
        variant: which count decides first, one of :attr:`VARIANTS`; the others break ties in the given
            order.
    """

    VARIANTS = ("entity", "label", "label total", "name")
    _ORDER: ClassVar = {
        "entity": ("entity", "label", "name", "kind"),
        "label": ("label", "entity", "name", "kind"),
        "label total": ("label total", "entity", "name", "kind"),
        "name": ("name", "entity", "label", "kind"),
    }

    def __init__(self, entities: Entities, triples: np.ndarray, variant: str = "entity") -> None:
        self.name = "tail frequency"
        self.variant = variant
        self.triples = triples
        count = len(entities)
        self._groups = {
            "entity": np.arange(count),
            "label": _codes(entities.labels),
            "name": _codes(last_component(label) for label in entities.labels),
            "kind": entities.kinds,
        }
        self._groups["label total"] = self._groups["label"]
        self._share = {name: 1.0 / np.bincount(code)[code] for name, code in self._groups.items()}
        self._share["label total"] = np.ones(count)
        self._cache: dict[tuple[int, str], np.ndarray] = {}

    def with_variant(self, variant: str) -> TailFrequency:
        """The same counts, ordered by another variant."""
        other = object.__new__(TailFrequency)
        other.__dict__.update(self.__dict__, variant=variant, _cache={})
        return other

    def relation_scores(self, relation: int) -> np.ndarray:
        """Scores ``[E]`` of all entities for one relation; they do not depend on the head."""
        key = (relation, self.variant)
        if key not in self._cache:
            tails = self.triples[self.triples[:, 1] == relation, 2]
            total, weight = np.zeros(len(self._groups["entity"])), 1.0
            for name in self._ORDER[self.variant]:
                code = self._groups[name]
                counts = np.bincount(code[tails], minlength=int(code.max(initial=0)) + 1)
                total += weight * counts[code] * self._share[name] / max(len(tails), 1)
                weight *= 1e-3
            self._cache[key] = total
        return self._cache[key]

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """See :class:`~graphmer_geo.metrics.queries.TailScorer`."""
        return np.stack([self.relation_scores(int(r))[candidates] for r in queries.relation])


class LexicalCopy:
    """Orders candidates by the likeness of their name to the head's name and to the text of the chunk.

    Three likenesses: cosine of character trigrams with the head's label; the share of the candidate's
    sub-tokens that the chunk's text contains; whether that text contains the candidate's last component
    as an identifier. The variants weigh them.
    """

    VARIANTS = (
        "head",
        "words",
        "identifier",
        "identifier + words",
        "head + identifier",
        "head + words",
        "all",
    )
    _WEIGHTS: ClassVar = {
        "head": (1.0, 0.0, 0.0),
        "words": (0.0, 1.0, 0.0),
        "identifier": (0.01, 0.0, 1.0),
        "identifier + words": (0.0, 0.5, 1.0),
        "head + identifier": (1.0, 0.0, 1.0),
        "head + words": (1.0, 1.0, 0.0),
        "all": (1.0, 1.0, 1.0),
    }

    def __init__(self, entities: Entities, variant: str = "all") -> None:
        self.name = "lexical copy"
        self.variant = variant
        self.labels = entities.labels
        names = [last_component(label) for label in entities.labels]
        self._grams = FeatureIndex(entities.labels, trigrams)
        self._words = FeatureIndex(entities.labels, sub_tokens)
        self._names = FeatureIndex(names, identifiers)

    def with_variant(self, variant: str) -> LexicalCopy:
        """The same features, weighed by another variant."""
        other = object.__new__(LexicalCopy)
        other.__dict__.update(self.__dict__, variant=variant)
        return other

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """See :class:`~graphmer_geo.metrics.queries.TailScorer`."""
        head, words, identifier = self._WEIGHTS[self.variant]
        total = np.zeros((len(queries), len(candidates)), dtype=np.float32)
        if head:
            total += head * self._head_cosine(queries, candidates)
        chunks, back = np.unique(queries.chunk, return_inverse=True)
        texts = [queries.text[i] for i in chunks]
        if words:
            size = np.maximum(self._words.lengths[candidates], 1)
            total += words * (self._words.overlap(texts, candidates) / size)[back]
        if identifier:
            total += identifier * (self._names.overlap(texts, candidates) > 0)[back]
        return total

    def _head_cosine(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        heads, back = np.unique(queries.head, return_inverse=True)
        shared = self._grams.overlap([self.labels[h] for h in heads], candidates)
        norm = np.sqrt(self._grams.lengths[heads][:, None] * np.maximum(self._grams.lengths[candidates], 1))
        return (shared / np.maximum(norm, 1.0)).astype(np.float32)[back]


class FrequencyAndCopy:
    """Log tail frequency plus a weighted lexical likeness: one weight, tuned and not trained."""

    VARIANTS = tuple(f"{weight:g} × {copy}" for weight in (1, 3, 10) for copy in LexicalCopy.VARIANTS)

    def __init__(self, frequency: TailFrequency, copy: LexicalCopy, variant: str = "3 × all") -> None:
        self.name = "frequency + copy"
        self.variant = variant
        self.frequency, self.copy = frequency, copy

    def with_variant(self, variant: str) -> FrequencyAndCopy:
        """The same two parts, with another weight and likeness."""
        return FrequencyAndCopy(self.frequency, self.copy.with_variant(variant.split(" × ")[1]), variant)

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """See :class:`~graphmer_geo.metrics.queries.TailScorer`."""
        weight = float(self.variant.split(" × ")[0])
        frequency = np.log(self.frequency.scores(queries, candidates) + 1e-9).astype(np.float32)
        return frequency + weight * self.copy.scores(queries, candidates)


Tunable = TailFrequency | LexicalCopy | FrequencyAndCopy


def choose_variant(scorer: Tunable, mrr: Callable[[TailScorer], float]) -> Tunable:
    """The variant with the best ``mrr`` (first wins a tie), to be measured on validation queries."""
    variants: list[Tunable] = [scorer.with_variant(name) for name in scorer.VARIANTS]
    return max(variants, key=mrr)


def _codes(values: Iterable[str]) -> np.ndarray:
    index: dict[str, int] = {}
    return np.asarray([index.setdefault(v, len(index)) for v in values], dtype=np.int64)
