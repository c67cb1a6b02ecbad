"""The SHACL shapes as plain records: the part of SHACL that they use, and an error for any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.turtle import SKOLEM, Turtle
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
    shapes = [shape for document in documents for shape in _shapes(Turtle(document))]
    return tuple(sorted((s for s in shapes if s.constraints), key=lambda s: s.name))


#: Said of a shape, but no constraint.
_IGNORED = {
    "path",
    "property",
    "message",
    "targetClass",
    "targetSubjectsOf",
    "targetObjectsOf",
    "ignoredProperties",
}
_SIMPLE: dict[str, ConstraintKind] = {
    "minCount": "minCount",
    "maxCount": "maxCount",
    "datatype": "datatype",
    "class": "class",
    "minInclusive": "minInclusive",
    "pattern": "pattern",
    "lessThanOrEquals": "lessThanOrEquals",
}


def _shapes(graph: Turtle) -> Iterator[Shape]:
    for node in graph.subjects(v.RDF_TYPE, _sh("NodeShape")):
        targets = tuple(_targets(graph, node))
        yield _shape(graph, node, targets)
        for prop in graph.objects(node, _sh("property")):
            yield _shape(graph, prop, targets)


def _targets(graph: Turtle, node: str) -> Iterator[tuple[TargetKind, str]]:
    kinds: dict[str, TargetKind] = {"Class": "class", "ObjectsOf": "objectsOf", "SubjectsOf": "subjectsOf"}
    for suffix, kind in kinds.items():
        for name in graph.objects(node, _sh("target" + suffix)):
            yield kind, name.removeprefix(v.GM)


def _shape(graph: Turtle, node: str, targets: tuple[tuple[TargetKind, str], ...]) -> Shape:
    path = next(iter(graph.objects(node, _sh("path"))), None)
    inverse = bool(path and path.startswith(SKOLEM))
    if path and inverse:
        path = graph.one(path, _sh("inversePath"))
    messages = graph.objects(node, _sh("message"))
    for query in graph.objects(node, _sh("sparql")):
        messages += graph.objects(query, _sh("message"))
    constraints = tuple(_constraints(graph, node))
    name = node.removeprefix(GSH)
    return Shape(name, " ".join(messages), targets, path and path.removeprefix(v.GM), inverse, constraints)


def _constraints(graph: Turtle, node: str) -> Iterator[Constraint]:
    for predicate in graph.predicates(node):
        name = predicate.removeprefix(v.SHACL)
        if name not in _IGNORED and predicate != v.RDF_TYPE:
            for value in graph.objects(node, predicate):
                yield _constraint(graph, node, name, value)


def _constraint(graph: Turtle, node: str, name: str, value: str) -> Constraint:
    if name in _SIMPLE:
        return Constraint(_SIMPLE[name], (value.removeprefix(v.GM),))
    if name == "or":
        classes = [graph.one(member, _sh("class")) for member in graph.list(value)]
        return Constraint("class", tuple(c.removeprefix(v.GM) for c in classes))
    if name == "in":
        return Constraint("in", tuple(graph.list(value)))
    if name == "closed":
        shapes = graph.objects(node, _sh("property"))
        paths = [path for shape in shapes for path in graph.objects(shape, _sh("path"))]
        return Constraint("closed", tuple(p.removeprefix(v.GM) for p in paths if p.startswith(v.GM)))
    if name == "sparql":
        return Constraint("sparql", (graph.one(value, _sh("select")),))
    raise ValueError(f"shape {node} uses sh:{name}, which the compiled validation does not know")


def _sh(name: str) -> str:
    return v.SHACL + name
