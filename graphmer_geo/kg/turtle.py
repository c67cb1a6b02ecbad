"""A Turtle document as strings, with the few look-ups that an ontology and its shapes need."""

from __future__ import annotations

import pyoxigraph as ox

from graphmer_geo.kg import vocabulary as v

#: Blank nodes get stable IRIs below this one, so that equal documents give equal N-Quads.
SKOLEM = "https://w3id.org/.well-known/genid/graphmer/"


class Turtle:
    """A parsed document. Terms are the plain values of IRIs and literals.

    Attributes:
        lines: (subject, predicate, object) as N-Triples terms, sorted.
    """

    def __init__(self, text: bytes) -> None:
        data = ox.Dataset(ox.parse(input=text, format=ox.RdfFormat.TURTLE))
        data.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        self._objects: dict[tuple[str, str], list[str]] = {}
        self._subjects: dict[tuple[str, str], list[str]] = {}
        self.lines: list[tuple[str, str, str]] = []
        for quad in data:
            s, p, o = (_skolem(t) for t in (quad.subject, quad.predicate, quad.object))
            self.lines.append((str(s), str(p), str(o)))
            self._objects.setdefault((s.value, p.value), []).append(o.value)
            self._subjects.setdefault((p.value, o.value), []).append(s.value)
        self.lines.sort()

    def objects(self, subject: str, predicate: str) -> list[str]:
        """Sorted."""
        return sorted(self._objects.get((subject, predicate), ()))

    def subjects(self, predicate: str, value: str) -> list[str]:
        """Sorted."""
        return sorted(self._subjects.get((predicate, value), ()))

    def predicates(self, subject: str) -> list[str]:
        """Sorted."""
        return sorted(p for s, p in self._objects if s == subject)

    def one(self, subject: str, predicate: str) -> str:
        """The only object."""
        (value,) = self.objects(subject, predicate)
        return value

    def list(self, head: str) -> list[str]:
        """The items of an RDF list."""
        items = []
        while head != v.RDF + "nil":
            items.append(self.one(head, v.RDF + "first"))
            head = self.one(head, v.RDF + "rest")
        return items


def _skolem(term: object) -> ox.NamedNode | ox.Literal:
    if isinstance(term, ox.BlankNode):
        return ox.NamedNode(SKOLEM + term.value)
    assert isinstance(term, ox.NamedNode | ox.Literal)
    return term
