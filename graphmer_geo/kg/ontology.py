"""The ontology as Python sees it: classes, their superclasses, domains and ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.turtle import Turtle
from graphmer_geo.resources import ontology_file


@dataclass(frozen=True)
class Relation:
    """An object property. Class names are local; an empty domain or range admits everything."""

    name: str
    label: str
    comment: str
    domain: tuple[str, ...]
    range: tuple[str, ...]
    supers: tuple[str, ...]
    inverse: str | None
    characteristics: frozenset[str]  # Transitive, Functional, Irreflexive, Asymmetric, …
    status: str  # asserted, derived, exported or planned


@dataclass(frozen=True)
class Literal:
    """A datatype property."""

    name: str
    label: str
    comment: str
    domain: tuple[str, ...]
    datatype: str  # local name in xsd:
    status: str


@dataclass(frozen=True)
class OntologyClass:
    """A class, with all its superclasses including itself."""

    name: str
    label: str
    comment: str
    parents: tuple[str, ...]
    ancestors: frozenset[str]
    status: str


@dataclass(frozen=True)
class Ontology:
    """The parsed ontology. Names are local names of the ``gm:`` namespace."""

    version: str
    text: bytes
    classes: dict[str, OntologyClass]
    relations: dict[str, Relation]
    literals: dict[str, Literal]
    disjoint: tuple[frozenset[str], ...]
    triples: tuple[tuple[str, str, str], ...]  # as N-Triples terms, skolemised

    def quads(self) -> list[str]:
        """The ontology as sorted N-Quads lines in its own named graph."""
        return sorted(f"{s} {p} {o} <{v.ONTOLOGY_GRAPH}> .\n" for s, p, o in self.triples)

    def subclasses(self, names: Iterable[str]) -> frozenset[str]:
        """All classes that are one of these or below one of them."""
        wanted = set(names)
        return frozenset(c.name for c in self.classes.values() if c.ancestors & wanted)

    def domain_kinds(self, relation: str) -> frozenset[str]:
        """Kinds of entity that may be the subject of the relation."""
        return self._kinds(self.relations[relation].domain)

    def range_kinds(self, relation: str) -> frozenset[str]:
        """Kinds of entity that may be the object of the relation."""
        return self._kinds(self.relations[relation].range)

    def _kinds(self, classes: tuple[str, ...]) -> frozenset[str]:
        kinds = v.KINDS | {v.EXTERNAL}
        return kinds & self.subclasses(classes) if classes else kinds


@cache
def load_ontology() -> Ontology:
    """The ontology that ships with the package."""
    text = ontology_file().read_bytes()
    return parse_ontology(text)


def parse_ontology(text: bytes) -> Ontology:
    """Read an ontology in Turtle."""
    graph = Turtle(text)
    names = _named(graph, v.OWL + "Class")
    parents = {n: tuple(_locals(graph, v.gm(n), v.RDFS + "subClassOf")) for n in names}
    classes = {
        n: OntologyClass(n, *_notes(graph, n), parents[n], frozenset(_closure(n, parents)), _status(graph, n))
        for n in names
    }
    relations = {n: _relation(graph, n) for n in _named(graph, v.OWL + "ObjectProperty")}
    for name in list(relations):
        inverse = relations[name].inverse
        assert inverse is None or inverse in relations, f"{name} has an undeclared inverse {inverse}"
    literals = {
        n: Literal(
            n,
            *_notes(graph, n),
            _union(graph, n, "domain"),
            graph.one(v.gm(n), v.RDFS + "range").removeprefix(v.XSD),
            _status(graph, n),
        )
        for n in _named(graph, v.OWL + "DatatypeProperty")
    }
    heads = graph.subjects(v.RDF_TYPE, v.OWL + "AllDisjointClasses")
    disjoint = tuple(frozenset(_members(graph, graph.one(h, v.OWL + "members"))) for h in heads)
    version = graph.one("https://w3id.org/graphmer", v.OWL + "versionInfo")
    return Ontology(version, text, classes, relations, literals, disjoint, tuple(graph.lines))


def _relation(graph: Turtle, name: str) -> Relation:
    iri = v.gm(name)
    marks = (t.removeprefix(v.OWL) for t in graph.objects(iri, v.RDF_TYPE))
    return Relation(
        name,
        *_notes(graph, name),
        _union(graph, name, "domain"),
        _union(graph, name, "range"),
        tuple(_locals(graph, iri, v.RDFS + "subPropertyOf")),
        next(iter(_locals(graph, iri, v.OWL + "inverseOf")), None),
        frozenset(m.removesuffix("Property") for m in marks if m != "ObjectProperty"),
        _status(graph, name),
    )


def _closure(name: str, parents: dict[str, tuple[str, ...]]) -> set[str]:
    found, todo = {name}, [name]
    while todo:
        for parent in parents.get(todo.pop(), ()):
            if parent not in found:
                found.add(parent)
                todo.append(parent)
    return found


def _named(graph: Turtle, kind: str) -> list[str]:
    return [s.removeprefix(v.GM) for s in graph.subjects(v.RDF_TYPE, kind) if s.startswith(v.GM)]


def _locals(graph: Turtle, subject: str, predicate: str) -> list[str]:
    return [o.removeprefix(v.GM) for o in graph.objects(subject, predicate) if o.startswith(v.GM)]


def _notes(graph: Turtle, name: str) -> tuple[str, str]:
    """Label and comment."""
    return graph.one(v.gm(name), v.RDFS + "label"), graph.one(v.gm(name), v.RDFS + "comment")


def _status(graph: Turtle, name: str) -> str:
    return graph.one(v.gm(name), v.gm("status"))


def _union(graph: Turtle, name: str, side: str) -> tuple[str, ...]:
    """The classes of a domain or range."""
    for target in graph.objects(v.gm(name), v.RDFS + side):
        if target.startswith(v.GM):
            return (target.removeprefix(v.GM),)
        return tuple(_members(graph, graph.one(target, v.OWL + "unionOf")))
    return ()


def _members(graph: Turtle, head: str) -> list[str]:
    return [item.removeprefix(v.GM) for item in graph.list(head)]
