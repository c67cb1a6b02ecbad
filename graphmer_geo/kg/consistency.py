"""How many asserted triples agree with what else is known of their two ends.

Three tests of a triple, each of which a wrong resolution can fail:

- *typed*: both ends are of classes the ontology admits;
- containment (`declares`, `hasParameter`, `hasTypeParameter`): the child's text lies inside its parent's, and
  its qualified name continues the parent's; `overrides`: same name, and one type inherits from the other;
- every other relation: the text written where the reference stands *names* the target. It is the target's
  name, or a name the file imports the target under. A constructor is named by the class that is instantiated
  there, or by one below its own. Triples that no text states (indexing that calls `__getitem__`, implicit
  constructors) are not checked.

The text is evidence that the resolver did not make, so this share is a lower bound: a value that reached
its use under another name (`error = KeyError(); raise error`) is not confirmed, though it may be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.ontology import Ontology
from graphmer_geo.kg.rules import (
    Ancestors,
    name_not_continued,
    not_inherited,
    other_name,
    span_outside_parent,
)
from graphmer_geo.kg.world import Ids, Mask, World


@dataclass(frozen=True)
class RelationScore:
    """Triples of one relation: how many there are, how many can be checked, and how many of those pass."""

    relation: str
    total: int
    checked: int
    typed: int  #: both ends of an admissible class
    consistent: int  #: typed, and the relation's own test holds


class Evidence:
    """What the source text says at the places a triple comes from."""

    def __init__(self, world: World, occurrences: pa.Table) -> None:
        self._texts: dict[tuple[int, str], set[str]] = {}  # (subject, relation) -> texts written there
        self._stated: set[tuple[int, str, int]] = set()  # triples of which some text is a witness
        self._aliases: set[tuple[str, int]] = set()  # (text, entity) that an import binds
        rows = occurrences.filter(pc.is_valid(occurrences["entity"]))
        columns = (rows[c].to_pylist() for c in ("subject", "relation", "role", "name", "entity"))
        for subject, relation, role, name, entity in zip(*columns, strict=True):
            if relation and subject in world.ids:
                self._texts.setdefault((world.ids[subject], relation), set()).add(name)
                self._stated.add((world.ids[subject], relation, world.ids.get(entity, -1)))
            if role == "import" and entity in world.ids:
                self._aliases.add((name, world.ids[entity]))
        self._names = world.values["name"].strings(len(world))
        self._owner = _constructor_owners(world)
        self._made = _made_types(world)

    def checkable(self, world: World) -> dict[str, Mask]:
        """Relation -> [M]: which of its triples some text states, or the relation needs no text."""
        masks = {}
        for relation in v.RELATIONS:
            subjects, objects = (ids.tolist() for ids in world.links[relation])
            textless = relation in v.CONTAINMENT or relation == "overrides"
            stated = [
                textless or (s, relation, o) in self._stated for s, o in zip(subjects, objects, strict=True)
            ]
            masks[relation] = np.array(stated, dtype=bool)
        return masks

    def names(self, relation: str, subjects: Ids, objects: Ids) -> Mask:
        """[M]: the text at one of the triple's places names its target."""
        pairs = zip(subjects.tolist(), objects.tolist(), strict=True)
        return np.array([self._one(relation, s, o) for s, o in pairs], dtype=bool)

    def _one(self, relation: str, subject: int, target: int) -> bool:
        if relation == "calls" and self._owner.get(target, -1) in self._made.get(subject, ()):
            return True
        texts = self._texts.get((subject, relation), set())
        return self._names[target] in texts or any((text, target) in self._aliases for text in texts)


def _constructor_owners(world: World) -> dict[int, int]:
    """Constructor -> the type that declares it."""
    parents, children = world.links["declares"]
    kept = world.members["Constructor"][children]
    return dict(zip(children[kept].tolist(), parents[kept].tolist(), strict=True))


def _made_types(world: World) -> dict[int, set[int]]:
    """Whose constructors may run where.

    Those of what is instantiated there and of its supertypes; within a constructor, those of its own type's.
    """
    made: dict[int, set[int]] = {}
    above = Ancestors(world)
    for subject, target in zip(*(a.tolist() for a in world.links["instantiates"]), strict=True):
        made.setdefault(subject, set()).update({target}, above.of(target))
    for constructor, owner in _constructor_owners(world).items():
        made.setdefault(constructor, set()).update({owner}, above.of(owner))
    return made


def score_relations(
    world: World, ontology: Ontology, evidence: Evidence, checkable: Mapping[str, Mask]
) -> tuple[RelationScore, ...]:
    """Score every relation that has triples.

    Args:
        world: The graph, or a corrupted copy with the triples in the same order.
        ontology: Says what is admissible.
        evidence: What the text says.
        checkable: Which triples to look at; see :meth:`Evidence.checkable`.
    """
    scores = []
    for relation, mask in checkable.items():
        subjects, objects = (ids[mask] for ids in world.links[relation])
        if len(mask):
            declared = ontology.relations[relation]
            typed = world.member(declared.domain)[subjects] & world.member(declared.range)[objects]
            consistent = typed & _holds(world, evidence, relation, subjects, objects)
            scores.append(
                RelationScore(relation, len(mask), len(subjects), int(typed.sum()), int(consistent.sum()))
            )
    return tuple(scores)


def _holds(world: World, evidence: Evidence, relation: str, subjects: Ids, objects: Ids) -> Mask:
    if relation in v.CONTAINMENT:
        return ~(
            span_outside_parent(world, subjects, objects)
            | _apart(world, subjects, objects)
            | name_not_continued(world, subjects, objects)
        )
    if relation == "overrides":
        return ~(other_name(world, subjects, objects) | not_inherited(world, subjects, objects))
    return evidence.names(relation, subjects, objects)


def _apart(world: World, parents: Ids, children: Ids) -> Mask:
    """[M]: the two lie in different files though the parent is no namespace, so that nothing ties them."""
    files = np.full(len(world), -1, dtype=np.int64)
    subjects, objects = world.links["definedInFile"]
    files[subjects] = objects
    return (files[parents] != files[children]) & ~world.members["Namespace"][parents]
