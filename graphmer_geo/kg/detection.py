"""What share of wrong facts validation notices, for three ways of making them.

A triple counts as noticed if it fails a test of :mod:`graphmer_geo.kg.consistency`; an edge of wrong type, if
a domain or range shape flags its end; a wrong class, if some shape is violated at its entity that was not
before. False alarms, the share of the graph's own triples that the same tests reject, stand beside: a test
that rejects everything notices everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.checks import violations
from graphmer_geo.kg.consistency import Evidence, admissible, holds
from graphmer_geo.kg.corrupt import Links, random_edges, shuffle_tails, swap_types
from graphmer_geo.kg.ontology import Ontology
from graphmer_geo.kg.shapes import Shape
from graphmer_geo.kg.world import Mask, World


@dataclass(frozen=True)
class Detection:
    """How many facts of one kind were made wrong, and how many of them validation notices."""

    corruption: str
    corrupted: int
    detected: int

    @property
    def rate(self) -> float:
        """Share that is noticed (1.0 where nothing was corrupted)."""
        return self.detected / self.corrupted if self.corrupted else 1.0


def detect(
    world: World, ontology: Ontology, evidence: Evidence, shapes: Sequence[Shape], *, seed: int = 0
) -> tuple[Detection, ...]:
    """Corrupt the graph in each way and count what is noticed.

    Returns:
        ``false-alarms`` (the graph as it is), ``shuffled-tails``, ``random-edges``, ``type-violating-edges``
        (those of the random edges whose ends are of no admissible class), ``swapped-types``.
    """
    own = {r: world.links[r] for r in v.RELATIONS}
    shuffled = shuffle_tails(world, seed)
    moved = {r: _changed(world, shuffled, r) for r in v.RELATIONS}
    noisy, added = random_edges(world, seed=seed)
    return (
        _count("false-alarms", world, ontology, evidence, own),
        _count("shuffled-tails", shuffled, ontology, evidence, moved),
        _count("random-edges", noisy, ontology, evidence, added),
        _by_shapes(noisy, ontology, shapes, added),
        _swapped(world, ontology, shapes, seed),
    )


def _count(name: str, world: World, ontology: Ontology, evidence: Evidence, links: Links) -> Detection:
    total = found = 0
    for relation, (subjects, objects) in links.items():
        good = admissible(world, ontology, relation, subjects, objects)
        good &= holds(world, evidence, relation, subjects, objects)
        total, found = total + len(good), found + int((~good).sum())
    return Detection(name, total, found)


def _changed(world: World, shuffled: World, relation: str) -> tuple[np.ndarray, np.ndarray]:
    """Triples of the shuffled graph that the graph does not have."""
    (subjects, before), (_, after) = world.links[relation], shuffled.links[relation]
    new = ~np.isin(subjects * len(world) + after, subjects * len(world) + before)
    return subjects[new], after[new]


def _by_shapes(noisy: World, ontology: Ontology, shapes: Sequence[Shape], added: Links) -> Detection:
    """Only what the shapes say, which is independent of how the edges were sorted into good and bad."""
    by_name = {shape.name: shape for shape in shapes}
    total = found = 0
    for relation, (subjects, objects) in added.items():
        bad = ~admissible(noisy, ontology, relation, subjects, objects)
        flagged = _violators(noisy, [by_name[f"{relation}-domain"]])[subjects]
        flagged |= _violators(noisy, [by_name[f"{relation}-range"]])[objects]
        total, found = total + int(bad.sum()), found + int((bad & flagged).sum())
    return Detection("type-violating-edges", total, found)


def _swapped(world: World, ontology: Ontology, shapes: Sequence[Shape], seed: int) -> Detection:
    swapped, nodes = swap_types(world, ontology, seed=seed)
    new = _violators(swapped, shapes) & ~_violators(world, shapes)
    return Detection("swapped-types", len(nodes), int(new[nodes].sum()))


def _violators(world: World, shapes: Sequence[Shape]) -> Mask:
    """[N]: which nodes violate one of the shapes."""
    found = np.zeros(len(world), dtype=bool)
    for shape in shapes:
        found[violations(world, shape)] = True
    return found
