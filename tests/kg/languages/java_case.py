"""Building small Java cases for tests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.java import JAVA

SAMPLE = Path(__file__).resolve().parents[3] / "datasets" / "java-library"


def extract(source: str | bytes, path: str = "A.java") -> FileFacts:
    """The facts of one file."""
    raw = source if isinstance(source, bytes) else source.encode()
    return JAVA.extract(SourceFile("java", "case", "0", path, JAVA.module_name(path, raw)), raw)


class Row(NamedTuple):
    """An occurrence by descriptors instead of IRIs."""

    line: int
    role: str
    relation: str | None
    subject: str
    target: str | None
    how: str


class Case:
    """A linked corpus."""

    def __init__(self, *sources: str) -> None:
        self.facts = [extract(source, f"F{number}.java") for number, source in enumerate(sources)]
        self.linked: list[LinkedFile] = link_all(JAVA, self.facts)
        self.names: dict[str, str] = {}
        for facts in self.facts:
            for index, entity in enumerate(facts.entities):
                self.names[facts.iri(index)] = entity.descriptor
        for linked in self.linked:
            self.names.update(linked.externals)
            for row in linked.occurrences:  # local variables are declared here only
                if row.role == "definition" and row.target is not None:
                    self.names.setdefault(row.target, f"{self.names[row.subject]}{row.name}")

    @property
    def rows(self) -> list[Row]:
        """All references, definitions left out."""
        found = []
        for linked in self.linked:
            for row in linked.occurrences:
                if row.role != "definition":
                    target = self.names[row.target] if row.target is not None else None
                    subject = self.names[row.subject]
                    found.append(Row(row.line, row.role, row.relation, subject, target, row.how))
        return found

    def triples(self, relation: str) -> set[tuple[str, str | None]]:
        """Subject and object of all triples of a relation, inferred and heuristic ones included."""
        found = {(r.subject, r.target) for r in self.rows if r.relation == relation and r.target is not None}
        for linked in self.linked:
            for edge in linked.edges:
                if edge.relation == relation:
                    found.add((self.names[edge.subject], self.names[edge.object]))
        return found

    def objects(self, relation: str, subject: str) -> set[str | None]:
        """Objects of a relation for one subject's descriptor."""
        return {target for head, target in self.triples(relation) if head == subject}

    def unresolved(self) -> list[str]:
        """The names that no target was found for."""
        return [row.name for linked in self.linked for row in linked.occurrences if row.target is None]
