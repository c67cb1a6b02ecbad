"""Collects what linking finds out about one file."""

from __future__ import annotations

from operator import itemgetter

from graphmer_geo.kg.facts import Edge, How, LinkedFile, Occurrence, Role, external_iri
from graphmer_geo.kg.languages.java.entities import lines_of
from graphmer_geo.kg.resolve.java.files import FileScope
from graphmer_geo.kg.resolve.java.model import ClassInfo

_Row = tuple[int, int, Role, str | None, str, str | None, How, str]


class Emission:
    """The rows of one file."""

    def __init__(self, file: FileScope) -> None:
        self.file = file
        self.rows: list[_Row] = []  # lines are looked up for all of them at once, at the end
        self.edges: list[Edge] = []
        self.externals: dict[str, str] = {}
        self._external_iris = file.world.external_iris
        self._newlines = file.syntax.newlines

    def row(
        self,
        name: str,
        start: int,
        role: Role,
        relation: str | None,
        subject: str,
        target: str | None,
        how: How = "exact",
    ) -> None:
        """One occurrence of a name; without a target it is unresolved."""
        if start >= 0:
            end = start + (len(name) if name.isascii() else len(name.encode()))
            sure: How = "unresolved" if target is None else how
            self.rows.append((start, end, role, relation, subject, target, sure, name))

    def span(
        self,
        start: int,
        end: int,
        name: str,
        role: Role,
        relation: str | None,
        subject: str,
        target: str | None,
        how: How = "exact",
    ) -> None:
        """One occurrence of more, or less, than a name."""
        sure: How = "unresolved" if target is None else how
        self.rows.append((start, end, role, relation, subject, target, sure, name))

    def edge(self, subject: str, relation: str, target: str, how: How = "exact") -> None:
        """A triple that no single place states."""
        self.edges.append(Edge(subject, relation, target, how))

    def external(self, qualified: str) -> str:
        """The IRI of a symbol outside the corpus, remembered."""
        iri = self._external_iris.get(qualified)
        if iri is None:
            iri = self._external_iris[qualified] = external_iri("java", qualified)
        self.externals[iri] = qualified
        return iri

    def class_iri(self, cls: ClassInfo) -> str:
        """The IRI of a class; one from outside is remembered."""
        if cls.external:
            self.externals[cls.iri] = cls.qualified
        return cls.iri

    def result(self) -> LinkedFile:
        """Everything collected, in the order of the text."""
        rows = sorted(self.rows, key=itemgetter(0, 1))
        lines = lines_of(self._newlines, [row[0] for row in rows])
        occurrences = [
            Occurrence(start, end, line, role, relation, subject, target, how, name)
            for line, (start, end, role, relation, subject, target, how, name) in zip(
                lines, rows, strict=True
            )
        ]
        return LinkedFile(self.file.facts.source, occurrences, self.edges, self.externals)
