"""From a case of a truth file to the knowledge graph of its files, and the records that scorers share."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, Source, build_kg

Case = Mapping[str, Any]


class Entity(NamedTuple):
    """A declaration, or a symbol outside the corpus (whose file is empty)."""

    iri: str
    kind: str
    name: str
    qualified_name: str
    file: str  # path inside the case
    start: int
    end: int
    name_start: int  # where it begins, if no name is written
    parent: str  # IRI


class Row(NamedTuple):
    """A row of the occurrence table."""

    file: str
    start: int
    end: int
    line: int
    role: str
    relation: str | None
    subject: str
    entity: str | None
    how: str
    name: str


@dataclass(frozen=True)
class Facts:
    """Everything that a scorer may ask: what the graph says, never what the truth expects."""

    sources: Mapping[str, bytes]
    entities: Mapping[str, Entity]
    triples: frozenset[tuple[str, str, str]]
    rows: tuple[Row, ...]

    def pairs(self, *relations: str) -> Iterator[tuple[Entity, Entity]]:
        """Subject and object of every triple with one of these relations."""
        for subject, relation, target in sorted(self.triples):
            if relation in relations:
                yield self.entities[subject], self.entities[target]

    def position(self, file: str, offset: int) -> tuple[int, int]:
        """(line from 1, column from 0 in characters) of a byte offset."""
        before = self.sources[file][:offset]
        last = before.rfind(b"\n") + 1
        return before.count(b"\n") + 1, len(before[last:].decode("utf-8", "replace"))


@dataclass(frozen=True)
class Outcome:
    """One case, or one part of it, against the truth."""

    case: str
    category: str
    part: str
    expected: int
    missing: tuple[str, ...] = ()
    #: None: the truth does not list everything, so precision is not scored.
    reported: int | None = None
    extra: tuple[str, ...] = ()


def read_cases(paths: Iterable[Path]) -> list[Case]:
    """All cases of the given files.

    Raises:
        UserError: a file cannot be read, or a line is no case.
    """
    cases: list[Case] = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise UserError(f"cannot read {str(path)!r}: {error.strerror}") from None
        for number, line in enumerate(lines, 1):
            try:
                case = json.loads(line)
            except json.JSONDecodeError as error:
                raise UserError(f"{str(path)!r} line {number} is not JSON: {error}") from None
            if not isinstance(case, dict) or not {"id", "suite"} <= case.keys():
                raise UserError(f"{str(path)!r} line {number} is no case: it needs 'id' and 'suite'")
            cases.append(case)
    return cases


def facts_of(files: Mapping[str, str], language: str) -> tuple[Facts, Facts]:
    """Build the graph of these files; gives it with and without the edges whose only evidence is heuristic.

    Raises:
        UserError: a path leads out of the case's folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "case"
        written: dict[str, bytes] = {}
        for path, text in files.items():
            place = (root / path).resolve()
            if not place.is_relative_to(root.resolve()):
                raise UserError(f"the path {path!r} leads out of its case")
            if path.endswith("/"):
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            written[path] = text.encode()
            place.write_bytes(written[path])
        kg = build_kg([Source(root, package="case", version="0")], languages=[language])
    prefix = f"{language}/case/0/"
    # A folder with an __init__.py is a package itself: its name then precedes every path and module.
    own = "case/" if "__init__.py" in written else ""
    return _facts(kg, written, prefix + own, True), _facts(kg, written, prefix + own, False)


def _facts(kg: KnowledgeGraph, sources: Mapping[str, bytes], prefix: str, heuristic: bool) -> Facts:
    nested = prefix.endswith("/case/")

    def path(key: str | None) -> str:
        return (key or "").removeprefix(prefix)

    entities = {}
    for e in kg.entities().to_pylist():
        name = e["qualified_name"]
        if nested and e["file"]:
            name = "__init__" if name == "case" else name.removeprefix("case.")
        entities[e["iri"]] = Entity(
            e["iri"], e["kind"], e["name"], name, path(e["file"]),
            e["start"] or 0, e["end"] or 0,
            (e["start"] or 0) if e["name_start"] is None else e["name_start"], e["parent"] or "",
        )  # fmt: skip
    triples = frozenset(
        (t["subject"], t["relation"], t["object"])
        for t in kg.triples().to_pylist()
        if heuristic or not t["heuristic"]
    )
    rows = tuple(
        Row(path(r["file"]), *(r[field] for field in Row._fields[1:]))
        for r in kg.occurrences.to_pylist()
        if heuristic or r["how"] != "heuristic"
    )
    for row in rows:  # local variables are no nodes: their definition rows declare them
        if row.role == "definition" and row.entity is not None and row.entity not in entities:
            around = entities[row.subject].qualified_name if row.subject in entities else ""
            entities[row.entity] = Entity(
                row.entity, "LocalVariable", row.name, f"{around}.{row.name}", row.file,
                row.start, row.end, row.start, row.subject,
            )  # fmt: skip
    return Facts(sources, entities, triples, rows)


def summarise(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Micro precision and recall; how many cases are complete (nothing extra) and sound (nothing missing)."""
    outcomes = list(outcomes)
    expected = sum(o.expected for o in outcomes)
    hit = expected - sum(len(o.missing) for o in outcomes)
    closed = [o for o in outcomes if o.reported is not None]
    reported = sum(o.reported or 0 for o in closed)
    extra = sum(len(o.extra) for o in closed)
    sound = sum(not o.missing for o in outcomes)
    complete = sum(not o.extra for o in closed)
    return {
        "cases": len(outcomes),
        "expected": expected,
        "found": hit,
        "recall": _share(hit, expected),
        "sound": _share(sound, len(outcomes)),
        "reported": reported,
        "precision": _share(reported - extra, reported),
        "complete": _share(complete, len(closed)),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
