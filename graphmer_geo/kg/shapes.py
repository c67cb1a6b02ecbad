"""The SHACL shapes as plain records: the part of SHACL that they use, and an error for any other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pyoxigraph as ox

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.resources import shape_files

GSH = "https://w3id.org/graphmer/shapes#"

TargetKind = Literal["class", "subjectsOf", "objectsOf"]
ConstraintKind = Literal[
    "minCount",
    "maxCount",
    "datatype",
    "class",
    "in",
    "minInclusive",
    "pattern",
    "lessThanOrEquals",
    "closed",
    "sparql",
]


@dataclass(frozen=True)
class Constraint:
    """One condition. ``values`` holds its parameter: class or property names, texts, a number as text."""

    kind: ConstraintKind
    values: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """A node or property shape. Terms of the ontology are local names, as is the shape's own."""

    name: str
    message: str
    targets: tuple[tuple[TargetKind, str], ...]
    path: str | None  # None: the constraints are on the focus node itself
    inverse: bool
    constraints: tuple[Constraint, ...]


@cache
def load_shapes() -> tuple[Shape, ...]:
    """All shipped shapes, sorted by name; each property shape has the targets of its node shape."""
    return parse_shapes(f.read_bytes() for f in shape_files())


def parse_shapes(documents: Iterable[bytes]) -> tuple[Shape, ...]:
    """Read shapes from Turtle documents.

    Raises:
        ValueError: If a shape uses a part of SHACL that is not supported here.
    """
    store = ox.Store()
    for document in documents:
        store.bulk_load(input=document, format=ox.RdfFormat.TURTLE)
    return _Parser(store).shapes()


_IGNORED = {
    "path",
    "property",
    "message",
    "targetClass",
    "targetSubjectsOf",
    "targetObjectsOf",
    "ignoredProperties",
}


class _Parser:
    def __init__(self, store: ox.Store) -> None:
        self.store = store

    def shapes(self) -> tuple[Shape, ...]:
        found: list[Shape] = []
        for quad in self.store.quads_for_pattern(None, _named(v.RDF_TYPE), _sh("NodeShape"), None):
            targets = tuple(sorted(self._targets(quad.subject)))
            found.append(self._shape(quad.subject, targets))
            found.extend(self._shape(p, targets) for p in self._all(quad.subject, "property"))
        return tuple(sorted((s for s in found if s.constraints), key=lambda s: s.name))

    def _targets(self, node: ox.NamedNode) -> Iterable[tuple[TargetKind, str]]:
        kinds: tuple[TargetKind, ...] = ("class", "subjectsOf", "objectsOf")
        for kind in kinds:
            for value in self._all(node, "target" + kind[0].upper() + kind[1:]):
                yield kind, value.value.removeprefix(v.GM)

    def _shape(self, node: ox.NamedNode, targets: tuple[tuple[TargetKind, str], ...]) -> Shape:
        path, inverse = None, False
        for step in self._all(node, "path"):
            if isinstance(step, ox.BlankNode):
                (step,) = self._all(step, "inversePath")
                inverse = True
            path = step.value.removeprefix(v.GM)
        constraints = tuple(sorted(self._constraints(node), key=lambda c: c.kind))
        messages = [m.value for m in self._all(node, "message")]
        for query in self._all(node, "sparql"):
            messages += [m.value for m in self._all(query, "message")]
        return Shape(node.value.removeprefix(GSH), " ".join(messages), targets, path, inverse, constraints)

    def _constraints(self, node: ox.NamedNode) -> Iterable[Constraint]:
        for quad in self.store.quads_for_pattern(node, None, None, None):
            name = quad.predicate.value.removeprefix(v.SHACL)
            if name in _IGNORED or quad.predicate.value == v.RDF_TYPE:
                continue
            yield self._constraint(node, name, quad.object)

    def _constraint(
        self, node: ox.NamedNode, name: str, value: ox.NamedNode | ox.BlankNode | ox.Literal
    ) -> Constraint:
        match name:
            case (
                "minCount"
                | "maxCount"
                | "datatype"
                | "class"
                | "minInclusive"
                | "pattern"
                | "lessThanOrEquals"
            ):
                return Constraint(name, (value.value.removeprefix(v.GM),))  # type: ignore[arg-type]
            case "or":
                classes = [c.value for member in self._list(value) for c in self._all(member, "class")]
                return Constraint("class", tuple(c.removeprefix(v.GM) for c in classes))
            case "in":
                return Constraint("in", tuple(t.value for t in self._list(value)))
            case "closed":
                paths = [p.value for shape in self._all(node, "property") for p in self._all(shape, "path")]
                return Constraint(
                    "closed", tuple(sorted(p.removeprefix(v.GM) for p in paths if p.startswith(v.GM)))
                )
            case "sparql":
                (query,) = self._all(value, "select")
                return Constraint("sparql", (query.value,))
        raise ValueError(f"shape {node.value} uses sh:{name}, which the compiled validation does not know")

    def _all(
        self, node: ox.NamedNode | ox.BlankNode, name: str
    ) -> list[ox.NamedNode | ox.BlankNode | ox.Literal]:
        found = [q.object for q in self.store.quads_for_pattern(node, _sh(name), None, None)]
        return sorted(found, key=lambda t: t.value)

    def _list(self, head: ox.NamedNode | ox.BlankNode) -> list[ox.NamedNode | ox.BlankNode | ox.Literal]:
        items = []
        while head.value != v.RDF + "nil":
            (first,) = self.store.quads_for_pattern(head, _named(v.RDF + "first"), None, None)
            (rest,) = self.store.quads_for_pattern(head, _named(v.RDF + "rest"), None, None)
            items.append(first.object)
            head = rest.object
        return items


def _named(iri: str) -> ox.NamedNode:
    return ox.NamedNode(iri)


def _sh(name: str) -> ox.NamedNode:
    return ox.NamedNode(v.SHACL + name)
