"""What share of wrong facts validation notices, for three ways of making them.

A triple counts as noticed if it fails a test of :mod:`graphmer_geo.kg.consistency`; an edge of wrong type, if
a domain or range shape flags its end; a wrong class, if some shape is violated at its entity that was not
before.

What the same tests reject of the graph's own triples stands beside, because a test that rejects everything
notices everything: of triples that some text states these are false alarms; triples that no text states
(inferred types, implicit calls) are rejected for lack of evidence, so of them only the classes tell anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        ``false-alarms`` (stated triples as they are), ``rejected-unstated`` (triples that no text states, as
        they are), ``shuffled-tails`` (of stated triples), ``random-edges``, ``type-violating-edges``
        (those of the random edges whose ends are of no admissible class), ``swapped-types``.
    """
    stated = evidence.checkable(world)
    shuffled = shuffle_tails(world, seed)
    moved = {r: _changed(world, shuffled, r, stated[r]) for r in v.RELATIONS}
    noisy, added = random_edges(world, seed=seed)
    return (
        _count("false-alarms", world, ontology, evidence, _some(world, stated)),
        _count(
            "rejected-unstated", world, ontology, evidence, _some(world, {r: ~m for r, m in stated.items()})
        ),
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


def _some(world: World, masks: Mapping[str, Mask]) -> Links:
    return {r: (world.links[r][0][mask], world.links[r][1][mask]) for r, mask in masks.items()}


def _changed(world: World, shuffled: World, relation: str, stated: Mask) -> tuple[np.ndarray, np.ndarray]:
    """Triples of the shuffled graph that the graph does not have, in the places of stated ones."""
    (subjects, before), (_, after) = world.links[relation], shuffled.links[relation]
    new = ~np.isin(subjects * len(world) + after, subjects * len(world) + before)
    new &= stated
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
