"""The ontology as Python sees it: classes, their superclasses, domains and ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pyoxigraph as ox

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.resources import ontology_file

#: Blank nodes of the ontology get stable IRIs, so that equal inputs give equal N-Quads.
SKOLEM = "https://w3id.org/.well-known/genid/graphmer/"


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


@dataclass(frozen=True)
class Literal:
    """A datatype property."""

    name: str
    label: str
    comment: str
    domain: tuple[str, ...]
    datatype: str  # local name in xsd:


@dataclass(frozen=True)
class OntologyClass:
    """A class, with all its superclasses including itself."""

    name: str
    label: str
    comment: str
    parents: tuple[str, ...]
    ancestors: frozenset[str]


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
    graph = _Triples(text)
    names = graph.named(v.OWL + "Class")
    parents = {n: tuple(graph.locals(v.gm(n), v.RDFS + "subClassOf")) for n in names}
    classes = {
        n: OntologyClass(n, *graph.notes(n), parents[n], frozenset(_closure(n, parents))) for n in names
    }
    relations = {n: _relation(graph, n) for n in graph.named(v.OWL + "ObjectProperty")}
    for name in list(relations):
        inverse = relations[name].inverse
        assert inverse is None or inverse in relations, f"{name} has an undeclared inverse {inverse}"
    literals = {
        n: Literal(
            n,
            *graph.notes(n),
            graph.class_union(n, "domain"),
            graph.one(v.gm(n), v.RDFS + "range").removeprefix(v.XSD),
        )
        for n in graph.named(v.OWL + "DatatypeProperty")
    }
    heads = graph.subjects(v.RDF_TYPE, v.OWL + "AllDisjointClasses")
    disjoint = tuple(frozenset(graph.list(graph.one(h, v.OWL + "members"))) for h in heads)
    version = graph.one("https://w3id.org/graphmer", v.OWL + "versionInfo")
    return Ontology(version, text, classes, relations, literals, disjoint, tuple(graph.lines))


def _relation(graph: _Triples, name: str) -> Relation:
    iri = v.gm(name)
    marks = (t.removeprefix(v.OWL) for t in graph.objects(iri, v.RDF_TYPE))
    return Relation(
        name,
        *graph.notes(name),
        graph.class_union(name, "domain"),
        graph.class_union(name, "range"),
        tuple(graph.locals(iri, v.RDFS + "subPropertyOf")),
        next(iter(graph.locals(iri, v.OWL + "inverseOf")), None),
        frozenset(m.removesuffix("Property") for m in marks if m != "ObjectProperty"),
    )


def _closure(name: str, parents: dict[str, tuple[str, ...]]) -> set[str]:
    found, todo = {name}, [name]
    while todo:
        for parent in parents.get(todo.pop(), ()):
            if parent not in found:
                found.add(parent)
                todo.append(parent)
    return found


class _Triples:
    """A Turtle document, canonically skolemised, with the few look-ups an ontology needs."""

    def __init__(self, text: bytes) -> None:
        data = ox.Dataset(ox.parse(input=text, format=ox.RdfFormat.TURTLE))
        data.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        self._index: dict[tuple[str, str], list[str]] = {}
        self._subjects: dict[tuple[str, str], list[str]] = {}
        self.lines: list[tuple[str, str, str]] = []
        for quad in data:
            s, p, o = (_skolem(t) for t in (quad.subject, quad.predicate, quad.object))
            self.lines.append((str(s), str(p), str(o)))
            self._index.setdefault((s.value, p.value), []).append(o.value)
            self._subjects.setdefault((p.value, o.value), []).append(s.value)
        self.lines.sort()

    def objects(self, subject: str, predicate: str) -> list[str]:
        return sorted(self._index.get((subject, predicate), ()))

    def subjects(self, predicate: str, value: str) -> list[str]:
        return sorted(self._subjects.get((predicate, value), ()))

    def one(self, subject: str, predicate: str) -> str:
        (value,) = self.objects(subject, predicate)
        return value

    def locals(self, subject: str, predicate: str) -> list[str]:
        return [o.removeprefix(v.GM) for o in self.objects(subject, predicate) if o.startswith(v.GM)]

    def named(self, kind: str) -> list[str]:
        return [s.removeprefix(v.GM) for s in self.subjects(v.RDF_TYPE, kind) if s.startswith(v.GM)]

    def notes(self, name: str) -> tuple[str, str]:
        """Label and comment."""
        return self.one(v.gm(name), v.RDFS + "label"), self.one(v.gm(name), v.RDFS + "comment")

    def class_union(self, name: str, side: str) -> tuple[str, ...]:
        for target in self.objects(v.gm(name), v.RDFS + side):
            if target.startswith(v.GM):
                return (target.removeprefix(v.GM),)
            return tuple(self.list(self.one(target, v.OWL + "unionOf")))
        return ()

    def list(self, head: str) -> list[str]:
        items = []
        while head != v.RDF + "nil":
            items.append(self.one(head, v.RDF + "first").removeprefix(v.GM))
            head = self.one(head, v.RDF + "rest")
        return items


def _skolem(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> ox.NamedNode | ox.Literal:
    return ox.NamedNode(SKOLEM + term.value) if isinstance(term, ox.BlankNode) else term
