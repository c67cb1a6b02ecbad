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
    """What the source text says at the places a triple comes from.

    Everything is a number: nodes by id, relations by place in the vocabulary, texts by code; what belongs
    together is one integer key, and sets of keys are sorted arrays.
    """

    def __init__(self, world: World, occurrences: pa.Table) -> None:
        self._size = len(world)
        rows = occurrences.filter(pc.is_valid(occurrences["entity"]))
        nodes = pa.array(world.nodes, pa.string())
        subjects, targets = (_places(rows[c], nodes) for c in ("subject", "entity"))
        relations = _places(rows["relation"], pa.array(v.RELATIONS))
        own = pa.array(world.values["name"].strings(len(world)), pa.string())
        words = pc.unique(pa.concat_arrays([own, rows["name"].combine_chunks()])).drop_null()
        texts, self._names = _places(rows["name"], words), _places(own, words)
        self._words = len(words)
        known = (relations >= 0) & (subjects >= 0)
        sources = self._source(relations, subjects)
        self._texts = np.unique((sources * self._words + texts)[known])  # written there
        self._stated = np.unique((sources * self._size + targets)[known & (targets >= 0)])
        self._set_aliases(np.asarray(pc.equal(rows["role"], "import")) & (targets >= 0), targets, texts)
        self._owner = _constructor_owners(world)
        self._made = np.unique(
            np.array(_made_types(world, self._owner), dtype=np.int64).reshape(-1, 2) @ (self._size, 1)
        )

    def _set_aliases(self, imported: Mask, targets: Ids, texts: Ids) -> None:
        """Texts that an import binds to an entity, where they are not its name; sorted by entity."""
        kept = imported & (texts != self._names[targets])
        pairs = np.unique(targets[kept] * self._words + texts[kept])
        self._aliased, self._alias = np.divmod(pairs, self._words)

    def _source(self, relation: Ids | int, subjects: Ids) -> Ids:
        return np.asarray(relation * self._size + subjects, dtype=np.int64)

    def checkable(self, world: World) -> dict[str, Mask]:
        """Relation -> [M]: which of its triples some text states, or the relation needs no text."""
        masks = {}
        for code, relation in enumerate(v.RELATIONS):
            subjects, objects = world.links[relation]
            if relation in v.CONTAINMENT or relation == "overrides":
                masks[relation] = np.ones(len(subjects), dtype=bool)
            else:
                masks[relation] = _among(self._source(code, subjects) * self._size + objects, self._stated)
        return masks

    def names(self, relation: str, subjects: Ids, objects: Ids) -> Mask:
        """[M]: the text at one of the triple's places names its target."""
        sources = self._source(v.RELATIONS.index(relation), subjects)
        named = (self._names[objects] >= 0) & _among(
            sources * self._words + self._names[objects], self._texts
        )
        named |= self._by_alias(sources, objects)
        if relation == "calls":
            owners = self._owner[objects]
            named |= (owners >= 0) & _among(subjects * self._size + owners, self._made)
        return named

    def _by_alias(self, sources: Ids, objects: Ids) -> Mask:
        first = np.searchsorted(self._aliased, objects, "left")
        count = np.searchsorted(self._aliased, objects, "right") - first
        row = np.repeat(np.arange(len(objects)), count)
        alias = self._alias[np.arange(count.sum()) - np.repeat(count.cumsum() - count, count) + first[row]]
        found = np.zeros(len(objects), dtype=bool)
        found[row[_among(sources[row] * self._words + alias, self._texts)]] = True
        return found


def _places(column: pa.Array | pa.ChunkedArray, values: pa.Array) -> Ids:
    """Place of each item among the values; -1 where it is null or not among them."""
    places = pc.fill_null(pc.index_in(column, values, skip_nulls=True), -1)
    return np.asarray(places, dtype=np.int64)


def _among(keys: Ids, found: Ids) -> Mask:
    """[M]: which keys are in the sorted array."""
    if not len(found):
        return np.zeros(len(keys), dtype=bool)
    return np.asarray(found[np.minimum(np.searchsorted(found, keys), len(found) - 1)] == keys)


def _constructor_owners(world: World) -> Ids:
    """Of each node [N] that is a constructor the type that declares it, else -1."""
    parents, children = world.links["declares"]
    kept = world.members["Constructor"][children]
    owners = np.full(len(world), -1, dtype=np.int64)
    owners[children[kept]] = parents[kept]
    return owners


def _made_types(world: World, owners: Ids) -> list[tuple[int, int]]:
    """(node, type): whose constructors may run where.

    Those of what is instantiated there and of its supertypes; within a constructor, those of its own type's.
    """
    above = Ancestors(world)
    constructors = np.flatnonzero(owners >= 0)
    subjects = np.concatenate([world.links["instantiates"][0], constructors])
    types = np.concatenate([world.links["instantiates"][1], owners[constructors]])
    return [
        (subject, made)
        for subject, target in zip(subjects.tolist(), types.tolist(), strict=True)
        for made in (target, *above.of(target))
    ]


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
            typed = admissible(world, ontology, relation, subjects, objects)
            consistent = typed & holds(world, evidence, relation, subjects, objects)
            scores.append(
                RelationScore(relation, len(mask), len(subjects), int(typed.sum()), int(consistent.sum()))
            )
    return tuple(scores)


def admissible(world: World, ontology: Ontology, relation: str, subjects: Ids, objects: Ids) -> Mask:
    """[M] per pair: both ends are of classes the ontology admits."""
    declared = ontology.relations[relation]
    return world.member(declared.domain)[subjects] & world.member(declared.range)[objects]


def holds(world: World, evidence: Evidence, relation: str, subjects: Ids, objects: Ids) -> Mask:
    """[M] per pair: the relation's own test, which does not look at classes."""
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
