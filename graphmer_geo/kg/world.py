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

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Values:
    """A datatype property: subject ids [M], and of each value its text and its datatype's IRI."""

    subjects: Ids
    texts: list[str]
    datatypes: list[str]

    def integers(self, size: int, missing: int = -1) -> Ids:
        """The property's value by node id [size]; of several values the last, of none ``missing``."""
        found = np.full(size, missing, dtype=np.int64)
        for subject, text in zip(self.subjects.tolist(), self.texts, strict=True):
            if text.lstrip("-").isdigit():
                found[subject] = int(text)
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
    reader = _Reader(store)
    typed = reader.pairs(v.RDF_TYPE)
    links = {name: reader.links(v.gm(name)) for name in ontology.relations}
    values = {name: reader.values(v.gm(name)) for name in ontology.literals}
    size = len(reader.nodes)
    members = {name: np.zeros(size, dtype=bool) for name in ontology.classes}
    for subject, kind in typed:
        known = ontology.classes.get(kind.removeprefix(v.GM))
        for ancestor in known.ancestors if known else ():
            members[ancestor][subject] = True
    return World(reader.nodes, reader.ids, members, links, values)


class _Reader:
    def __init__(self, store: ox.Store) -> None:
        self.store = store
        self.nodes: list[str] = []
        self.ids: dict[str, int] = {}
        self._kept: dict[str, bool] = {}  # graph -> is it a file's

    def _objects(self, predicate: str) -> Iterable[tuple[str, ox.NamedNode | ox.Literal]]:
        kept = self._kept
        for quad in self.store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
            graph: str = quad.graph_name.value  # type: ignore[union-attr]
            if graph not in kept:
                kept[graph] = graph.startswith(v.ASSERTED_GRAPHS)
            if kept[graph]:
                yield quad.subject.value, quad.object  # type: ignore[union-attr, misc]

    def _id(self, iri: str) -> int:
        number = self.ids.setdefault(iri, len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append(iri)
        return number

    def pairs(self, predicate: str) -> list[tuple[int, str]]:
        return sorted({(self._id(s), o.value) for s, o in self._objects(predicate)})

    def links(self, predicate: str) -> tuple[Ids, Ids]:
        found = sorted({(self._id(s), self._id(o.value)) for s, o in self._objects(predicate)})
        both = np.array(found, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def values(self, predicate: str) -> Values:
        found = sorted(
            {
                (self._id(s), o.value, o.datatype.value if isinstance(o, ox.Literal) else "")
                for s, o in self._objects(predicate)
            }
        )
        subjects = np.array([s for s, _, _ in found], dtype=np.int64)
        return Values(subjects, [t for _, t, _ in found], [d for _, _, d in found])
