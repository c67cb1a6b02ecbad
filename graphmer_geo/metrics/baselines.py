"""Baselines without learning. A model is worth its parameters only where it beats all of them.

* :class:`TailFrequency`: the most frequent answers of a relation in train.
* :class:`LexicalCopy`: the candidate whose name is most like the head's name, or is written in the chunk.
* :class:`Nearness`: the candidate that is declared nearest to the head.
* :class:`Combined`: all three together.

Each scores a candidate by a few *parts* (counts, likenesses), and each has *variants*, which weigh the
parts differently. The variant is chosen on validation queries, per relation, so that the baselines are as
strong as tuning without learning makes them (:mod:`graphmer_geo.inference.tuning`). A random order needs
no scores, its expectation is closed form: :func:`graphmer_geo.metrics.ranking.expected_per_query`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from graphmer_geo.metrics.lexical import FeatureIndex, identifiers, last_component, sub_tokens, trigrams
from graphmer_geo.metrics.queries import Entities, Queries

Floats = NDArray[np.float32]


class Baseline(Protocol):
    """A scorer with variants."""

    name: str
    variants: tuple[str, ...]

    def parts(self, queries: Queries, candidates: np.ndarray) -> list[Floats]:
        """What the variants weigh, each ``[Q, C]``; all queries share one relation."""
        ...

    def combine(self, parts: list[Floats], variant: str) -> Floats:
        """Scores ``[Q, C]`` of a variant."""
        ...


class TailFrequency:
    """Orders candidates by how often they answer this relation in train.

    An entity never seen in train still has a label, and labels such as ``__init__`` or ``run`` repeat
    across code bases: counts back off from the entity to its label, its last name component and its kind.
    A count that several entities share is divided among them. The variants say which count decides first;
    the others break ties.

    Args:
        entities: of the whole KG.
        triples: ``[T, 3]`` rows (head, relation id, tail) asserted in train, both directions of each.
    """

    name = "tail frequency"
    _ORDER: ClassVar[dict[str, tuple[str, ...]]] = {
        "entity": ("entity", "label", "last name", "kind"),
        "label": ("label", "entity", "last name", "kind"),
        "label, not divided": ("label, not divided", "entity", "last name", "kind"),
        "last name": ("last name", "entity", "label", "kind"),
    }
    variants = tuple(_ORDER)

    def __init__(self, entities: Entities, triples: np.ndarray) -> None:
        self.triples = triples
        label = _codes(entities.labels)
        self._groups = {
            "entity": np.arange(len(entities)),
            "label": label,
            "label, not divided": label,
            "last name": _codes(last_component(text) for text in entities.labels),
            "kind": entities.kinds,
        }
        self._share = {name: 1.0 / np.bincount(code)[code] for name, code in self._groups.items()}
        self._share["label, not divided"] = np.ones(len(entities))
        self._counts: dict[int, dict[str, np.ndarray]] = {}

    def counts(self, relation: int) -> dict[str, np.ndarray]:
        """Share of the relation's answers that each kind of count gives to each entity: name → ``[E]``."""
        if relation not in self._counts:
            tails = self.triples[self.triples[:, 1] == relation, 2]
            self._counts[relation] = {
                name: np.bincount(code[tails], minlength=len(code))[code]
                * self._share[name]
                / max(len(tails), 1)
                for name, code in self._groups.items()
            }
        return self._counts[relation]

    def parts(self, queries: Queries, candidates: np.ndarray) -> list[Floats]:
        """One row per variant, the same for every query: ``[1, C]`` each."""
        counts = {k: v[candidates] for k, v in self.counts(int(queries.relation[0])).items()}
        weights = (1.0, 1e-3, 1e-6, 1e-9)
        rows = [
            sum(w * counts[k] for w, k in zip(weights, order, strict=True)) for order in self._ORDER.values()
        ]
        return [
            np.broadcast_to(np.log(row + 1e-15).astype(np.float32), (len(queries), len(row))) for row in rows
        ]

    def combine(self, parts: list[Floats], variant: str) -> Floats:
        """Scores of a variant: log frequencies."""
        return parts[self.variants.index(variant)].copy()


class LexicalCopy:
    """Orders candidates by the likeness of their name to the head's name and to the text of the chunk.

    Three likenesses: cosine of character trigrams with the head's label; the share of the candidate's
    sub-tokens that the chunk's text contains; whether that text contains the candidate's last component
    as an identifier. The variants weigh them.

    Args:
        entities: of the whole KG.
    """

    name = "lexical copy"
    _WEIGHTS: ClassVar[dict[str, tuple[float, float, float]]] = {
        "head": (1.0, 0.0, 0.0),
        "words": (0.0, 1.0, 0.0),
        "identifier": (0.01, 0.0, 1.0),
        "identifier + words": (0.0, 0.5, 1.0),
        "head + identifier": (1.0, 0.0, 1.0),
        "head + words": (1.0, 1.0, 0.0),
        "all": (1.0, 1.0, 1.0),
    }
    variants = tuple(_WEIGHTS)

    def __init__(self, entities: Entities) -> None:
        self.labels = entities.labels
        self._grams = FeatureIndex(entities.labels, trigrams)
        self._words = FeatureIndex(entities.labels, sub_tokens)
        self._names = FeatureIndex([last_component(label) for label in entities.labels], identifiers)

    def parts(self, queries: Queries, candidates: np.ndarray) -> list[Floats]:
        """The three likenesses."""
        chunks, back = np.unique(queries.chunk, return_inverse=True)
        texts = [queries.text[i] for i in chunks]
        size = np.maximum(self._words.lengths[candidates], 1).astype(np.float32)
        words = self._words.overlap(texts, candidates) / size
        written = (self._names.overlap(texts, candidates) > 0).astype(np.float32)
        return [self._head_cosine(queries, candidates), words[back], written[back]]

    def combine(self, parts: list[Floats], variant: str) -> Floats:
        """Weighted sum of the likenesses."""
        total = np.zeros_like(parts[0])
        for weight, part in zip(self._WEIGHTS[variant], parts, strict=True):
            if weight:
                total += np.float32(weight) * part
        return total

    def _head_cosine(self, queries: Queries, candidates: np.ndarray) -> Floats:
        heads, back = np.unique(queries.head, return_inverse=True)
        shared = self._grams.overlap([self.labels[h] for h in heads], candidates)
        norm = np.sqrt(self._grams.lengths[heads][:, None] * np.maximum(self._grams.lengths[candidates], 1))
        return (shared / np.maximum(norm, 1.0)).astype(np.float32)[back]


class Nearness:
    """Orders candidates by how near to the head they are declared: same scope, file, unit or elsewhere.

    Args:
        level: levels of nearness ``[Q, C]`` of head ids ``[Q, 1]`` and candidate ids ``[1, C]``.
        log_odds: ``[R, levels]`` per relation, that one candidate of a level is the answer; counted in
            train.
    """

    name = "nearness"
    variants: tuple[str, ...] = ("counted",)

    def __init__(self, level: Callable[[np.ndarray, np.ndarray], np.ndarray], log_odds: np.ndarray) -> None:
        self.level, self.log_odds = level, log_odds

    def parts(self, queries: Queries, candidates: np.ndarray) -> list[Floats]:
        """The log-odds of each candidate's level."""
        levels = self.level(queries.head[:, None], candidates[None])
        return [self.log_odds[int(queries.relation[0])].astype(np.float32)[levels]]

    def combine(self, parts: list[Floats], variant: str) -> Floats:
        """There is nothing to weigh."""
        return parts[0]


class Combined:
    """Log tail frequency, lexical likeness and nearness together; weights tuned, not trained.

    The floor keeps a name that train has never seen within reach of what is near or written in the chunk.
    """

    name = "all three"

    def __init__(self, frequency: TailFrequency, copy: LexicalCopy, nearness: Nearness) -> None:
        self.frequency, self.copy, self.nearness = frequency, copy, nearness
        self._choice = {
            f"{count} + {weight} × {likeness}" + (" + nearness" if near else ""): (
                count,
                weight,
                likeness,
                near,
            )
            for count in ("entity", "label")
            for near in (False, True)
            for weight in (1, 3, 10, 30)
            for likeness in LexicalCopy.variants
        }
        self.variants = tuple(self._choice)

    def parts(self, queries: Queries, candidates: np.ndarray) -> list[Floats]:
        """Those of all three."""
        return [
            part for b in (self.frequency, self.copy, self.nearness) for part in b.parts(queries, candidates)
        ]

    def combine(self, parts: list[Floats], variant: str) -> Floats:
        """A log-linear model with two or three terms."""
        count, weight, likeness, near = self._choice[variant]
        split = len(self.frequency.variants)
        total = self.frequency.combine(parts[:split], count)
        if near:
            total = np.maximum(total, np.float32(-9.0)) + parts[-1]
        scores: Floats = total + np.float32(weight) * self.copy.combine(parts[split:-1], likeness)
        return scores


class Variant:
    """One variant of a baseline, as a :class:`~graphmer_geo.metrics.queries.TailScorer`."""

    def __init__(self, baseline: Baseline, variant: str) -> None:
        self.name, self.baseline, self.variant = baseline.name, baseline, variant

    def scores(self, queries: Queries, candidates: np.ndarray) -> Floats:
        """Scores ``[Q, C]``."""
        return self.baseline.combine(self.baseline.parts(queries, candidates), self.variant)


def _codes(values: Iterable[str]) -> np.ndarray:
    index: dict[str, int] = {}
    return np.asarray([index.setdefault(v, len(index)) for v in values], dtype=np.int64)
