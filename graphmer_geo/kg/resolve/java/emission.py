"""Collects what linking finds out about one file."""

from __future__ import annotations

from bisect import bisect_left

from graphmer_geo.kg.facts import Edge, How, LinkedFile, Occurrence, Role, external_iri
from graphmer_geo.kg.resolve.java.files import FileScope
from graphmer_geo.kg.resolve.java.model import ClassInfo


class Emission:
    """The rows of one file."""

    def __init__(self, file: FileScope) -> None:
        self.file = file
        self.rows: list[Occurrence] = []
        self.edges: list[Edge] = []
        self.externals: dict[str, str] = {}
        self._newlines = file.syntax.newlines

    def line(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect_left(self._newlines, offset) + 1

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
        if start < 0:
            return
        self.span(
            start,
            start + (len(name) if name.isascii() else len(name.encode())),
            name,
            role,
            relation,
            subject,
            target,
            how,
        )

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
        if target is None:
            how = "unresolved"
        self.rows.append(Occurrence(start, end, self.line(start), role, relation, subject, target, how, name))

    def edge(self, subject: str, relation: str, target: str, how: How = "exact") -> None:
        """A triple that no single place states."""
        self.edges.append(Edge(subject, relation, target, how))

    def external(self, qualified: str) -> str:
        """The IRI of a symbol outside the corpus, remembered."""
        iri = external_iri("java", qualified)
        self.externals[iri] = qualified
        return iri

    def class_iri(self, cls: ClassInfo) -> str:
        """The IRI of a class; one from outside is remembered."""
        if cls.external:
            self.externals[cls.iri] = cls.qualified
        return cls.iri

    def result(self) -> LinkedFile:
        """Everything collected, in the order of the text."""
        self.rows.sort(key=lambda row: (row.start, row.end))
        return LinkedFile(self.file.facts.source, self.rows, self.edges, self.externals)
