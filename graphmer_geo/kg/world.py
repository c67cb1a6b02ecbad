"""The asserted graph as arrays, for checks that would be slow as queries.

N nodes are numbered; a relation is two integer arrays, a datatype property one integer array beside its
values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyoxigraph as ox
from numpy.typing import NDArray

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.ontology import Ontology
from graphmer_geo.kg.quads import NO_NUMBER, Ids, Quads, read_quads

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Values:
    """A datatype property: subject ids [M], and of each value its text, its datatype's IRI and its number."""

    subjects: Ids
    texts: list[str]
    datatypes: list[str]
    numbers: Ids  # NO_NUMBER where the text is no integer

    def integers(self, size: int, missing: int = -1) -> Ids:
        """The property's value by node id [size]; of several values the last, of none ``missing``."""
        found = np.full(size, missing, dtype=np.int64)
        known = self.numbers != NO_NUMBER
        found[self.subjects[known]] = self.numbers[known]
        return found

    def strings(self, size: int) -> list[str | None]:
        """The property's value by node id [size]."""
        found: list[str | None] = [None] * size
        for subject, text in zip(self.subjects.tolist(), self.texts, strict=True):
            found[subject] = text
        return found


@dataclass(frozen=True)
class World:
    """All asserted facts."""

    nodes: list[str]  # IRI by id
    ids: dict[str, int]
    members: dict[str, Mask]  # class -> [N] membership, superclasses included
    links: dict[str, tuple[Ids, Ids]]  # relation -> subject ids, object ids; without duplicates
    values: dict[str, Values]
    undeclared: Ids  # subject of each triple whose predicate the ontology does not declare

    def __len__(self) -> int:
        return len(self.nodes)

    def member(self, classes: Iterable[str]) -> Mask:
        """[N]: which nodes are in at least one of the classes."""
        mask = np.zeros(len(self), dtype=bool)
        for name in classes:
            mask |= self.members[name]
        return mask

    def link(self, *relations: str) -> tuple[Ids, Ids]:
        """Subjects and objects of some relations together."""
        pairs = [self.links[r] for r in relations]
        return np.concatenate([s for s, _ in pairs]), np.concatenate([o for _, o in pairs])

    def with_links(self, links: dict[str, tuple[Ids, Ids]]) -> World:
        """The same nodes with other relations."""
        return replace(self, links=links)


def read_world(store: ox.Store, ontology: Ontology) -> World:
    """Read every property the ontology declares from the asserted facts, heuristic ones included."""
    quads = read_quads(store)
    links = {name: quads.of(v.gm(name)) for name in ontology.relations}
    values = {name: quads.of(v.gm(name)) for name in ontology.literals}
    subjects, kinds = quads.of(v.RDF_TYPE)
    known = {v.RDF_TYPE, *map(v.gm, links), *map(v.gm, values)}
    undeclared = [quads.of(p) for p in sorted(quads.rows.keys() - known)]
    mentioned = [
        subjects,
        *(codes for pair in links.values() for codes in pair),
        *(s for s, _ in (*values.values(), *undeclared)),
    ]
    used = np.unique(np.concatenate(mentioned))
    nodes = sorted({quads.texts[code] for code in used.tolist()})
    ids = {iri: number for number, iri in enumerate(nodes)}
    number = np.full(len(quads.texts), -1, dtype=np.int64)  # node id by code
    number[used] = [ids[quads.texts[code]] for code in used.tolist()]
    return World(
        nodes,
        ids,
        _members(len(nodes), number[subjects], [quads.texts[k] for k in kinds.tolist()], ontology),
        {name: _distinct(number[s], number[o]) for name, (s, o) in links.items()},
        {name: _values(number[s], o, quads) for name, (s, o) in values.items()},
        np.concatenate([number[_distinct(s, o)[0]] for s, o in [*undeclared, (subjects[:0], kinds[:0])]]),
    )


def _members(size: int, subjects: Ids, kinds: list[str], ontology: Ontology) -> dict[str, Mask]:
    members = {name: np.zeros(size, dtype=bool) for name in ontology.classes}
    column = np.array(kinds, dtype=object)
    for kind in sorted(set(kinds)):
        known = ontology.classes.get(kind.removeprefix(v.GM))
        of_kind = subjects[column == kind]
        for ancestor in known.ancestors if known else ():
            members[ancestor][of_kind] = True
    return members


def _distinct(subjects: Ids, objects: Ids) -> tuple[Ids, Ids]:
    """The pairs, sorted and each once: a triple may stand in several graphs."""
    order = np.lexsort((objects, subjects))
    subjects, objects = subjects[order], objects[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (subjects[1:] != subjects[:-1]) | (objects[1:] != objects[:-1])
    return subjects[new], objects[new]


def _values(subjects: Ids, codes: Ids, quads: Quads) -> Values:
    subjects, codes = _distinct(subjects, codes)
    rows = codes.tolist()
    return Values(
        subjects, [quads.texts[c] for c in rows], [quads.datatypes[c] for c in rows], quads.numbers[codes]
    )
