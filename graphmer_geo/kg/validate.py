"""Validation: the SHACL shapes, compiled to arrays, and a score that a corrupted copy of the graph must lose.

pySHACL over the same shapes is the reference; a test proves the two equal, violation by violation.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graphmer_geo.kg.checks import focus_nodes, violations
from graphmer_geo.kg.consistency import Evidence, RelationScore, score_relations
from graphmer_geo.kg.corrupt import shuffle_tails
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.shapes import Shape, load_shapes
from graphmer_geo.kg.store import KnowledgeGraph
from graphmer_geo.kg.world import World, read_world

EXAMPLES = 5


@dataclass(frozen=True)
class ShapeResult:
    """One shape: how many nodes it speaks about, how many results it has, and some nodes that have one."""

    shape: str
    message: str
    checked: int
    violations: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class ValidationReport:
    """What validation found.

    Attributes:
        conforms: No shape is violated.
        shapes: Every shape, violated ones first.
        relations: Consistency of the asserted triples, by relation; see :mod:`graphmer_geo.kg.consistency`.
        relations_on_corrupted: The same on a copy in which the tails of each relation are shuffled.
        seconds: Time taken.
    """

    conforms: bool
    shapes: tuple[ShapeResult, ...]
    relations: tuple[RelationScore, ...]
    relations_on_corrupted: tuple[RelationScore, ...]
    seconds: float

    @property
    def score(self) -> float:
        """Share of the checkable triples that are consistent (1.0 where there are none)."""
        return _share(self.relations, "consistent")

    @property
    def score_on_corrupted(self) -> float:
        """The same share on the corrupted copy. It shows how much the score can tell."""
        return _share(self.relations_on_corrupted, "consistent")

    @property
    def type_score(self) -> float:
        """Share of the checkable triples whose two ends are of admissible classes."""
        return _share(self.relations, "typed")

    @property
    def type_score_on_corrupted(self) -> float:
        """The same share on the corrupted copy: hardly lower, which is why it is not the score."""
        return _share(self.relations_on_corrupted, "typed")

    @property
    def violated(self) -> tuple[ShapeResult, ...]:
        """The shapes that have violations."""
        return tuple(s for s in self.shapes if s.violations)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON types."""
        scores = ("score", "score_on_corrupted", "type_score", "type_score_on_corrupted")
        return {**asdict(self), **{name: getattr(self, name) for name in scores}}

    def __str__(self) -> str:
        nodes = sum(s.checked for s in self.shapes)
        lines = [
            f"{'conforms' if self.conforms else 'does not conform'}: {len(self.shapes)} shapes, "
            f"{nodes:,} checks of a node, {sum(s.violations for s in self.shapes):,} violations",
            f"consistent triples: {self.score:.2%} (shuffled copy: {self.score_on_corrupted:.2%}); "
            f"by types alone: {self.type_score:.2%} (shuffled copy: {self.type_score_on_corrupted:.2%})",
        ]
        for shape in self.violated:
            lines.append(f"  {shape.shape}: {shape.violations:,} of {shape.checked:,}: {shape.message}")
            lines.extend(f"    {node}" for node in shape.examples)
        for own, shuffled in zip(self.relations, self.relations_on_corrupted, strict=True):
            share, after = _share([own], "consistent"), _share([shuffled], "consistent")
            count = f"{own.checked:>9,} of {own.total:>9,}"
            lines.append(f"  {own.relation:<16}{count}  {share:>8.2%}  shuffled {after:>8.2%}")
        return "\n".join(lines)


def validate(kg: KnowledgeGraph, *, seed: int = 0) -> ValidationReport:
    """Check a knowledge graph's asserted facts, heuristic edges included.

    Args:
        kg: The graph; it is only read.
        seed: Of the corruption.
    """
    started = time.perf_counter()
    ontology = load_ontology()
    world = read_world(kg.store, ontology)
    results = check_shapes(world, load_shapes())
    evidence = Evidence(world, kg.occurrences)
    checkable = evidence.checkable(world)
    return ValidationReport(
        conforms=not any(r.violations for r in results),
        shapes=results,
        relations=score_relations(world, ontology, evidence, checkable),
        relations_on_corrupted=score_relations(shuffle_tails(world, seed), ontology, evidence, checkable),
        seconds=round(time.perf_counter() - started, 3),
    )


def check_shapes(world: World, shapes: Sequence[Shape]) -> tuple[ShapeResult, ...]:
    """Evaluate shapes, the most violated first."""
    results = [_check(world, shape) for shape in shapes]
    return tuple(sorted(results, key=lambda r: (-r.violations, r.shape)))


def _check(world: World, shape: Shape) -> ShapeResult:
    found = violations(world, shape)
    examples = sorted(world.nodes[i] for i in np.unique(found)[:EXAMPLES].tolist())
    return ShapeResult(shape.name, shape.message, len(focus_nodes(world, shape)), len(found), tuple(examples))


def _share(scores: Sequence[RelationScore], what: str) -> float:
    checked = sum(s.checked for s in scores)
    return sum(getattr(s, what) for s in scores) / checked if checked else 1.0
