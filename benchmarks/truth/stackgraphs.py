"""stack-graphs' tests, Python and Java alike: a reference must resolve to definitions on exactly these lines.

A definition is, there as here, the line of the declared name. Three mappings:

* an import is itself a definition there, and so is its target: a name that an ``import`` binds resolves to
  the import's line and, if the corpus has it, to what it imports. Here the reference's target is the
  imported declaration; the import's line is the occurrence of role ``import`` in the same file with the
  same name;
* a file stands for the line of its first text, as its syntax tree does there;
* the caret of some assertions stands inside the name, so the reference is the occurrence that covers the
  place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from benchmarks.truth.case import Case, Entity, Facts, Outcome, Row

_ALIAS = re.compile(rb"\s+as\s+(\w+)")


def case_files(case: Case) -> dict[str, str]:
    """The case's files; the header line of a fragment stays out."""
    lines = case["text"].splitlines(keepends=True)
    if not case["fragments"]:
        return {case["file"]: case["text"]}
    starts = [f["header_line"] for f in case["fragments"]] + [len(lines) + 1]
    return {
        fragment["path"]: "".join(lines[start : end - 1])
        for fragment, start, end in zip(case["fragments"], starts, starts[1:], strict=False)
    }


class Lines:
    """Whole-file line numbers of a case whose text is split into files."""

    def __init__(self, case: Case, facts: Facts) -> None:
        self.facts = facts
        self.fragments = case["fragments"]
        self.headers = [f["header_line"] for f in self.fragments]
        self.first = {f["path"]: f["header_line"] for f in self.fragments}
        self.whole = case["file"]

    def place(self, line: int) -> tuple[str, int]:
        """(file, line in it) of a whole-file line."""
        if not self.fragments:
            return self.whole, line
        fragment = self.fragments[max(0, bisect_right(self.headers, line) - 1)]
        return fragment["path"], line - fragment["header_line"]

    def line_of(self, file: str, offset: int) -> int:
        """The whole-file line of a place in a file."""
        return self.first.get(file, 0) + self.facts.position(file, offset)[0]

    def defined_at(self, entity: Entity) -> int:
        """The whole-file line of a declaration."""
        if entity.kind in ("Module", "Package"):
            text = self.facts.sources[entity.file]
            return self.line_of(entity.file, len(text) - len(text.lstrip()))
        return self.line_of(entity.file, entity.name_start)


def rows_at(rows: list[Row], offset: int) -> Iterator[Row]:
    """The narrowest occurrences that cover a byte of a file."""
    covering = [r for r in rows if r.start <= offset < r.end]
    shortest = min((r.end - r.start for r in covering), default=0)
    return (r for r in covering if r.end - r.start == shortest)


def found_lines(row_list: list[Row], file: str, facts: Facts, lines: Lines) -> set[int]:
    """Lines of the definitions that the occurrences at one place lead to."""
    found: set[int] = set()
    for row in row_list:
        entity = facts.entities.get(row.entity or "")
        if entity is not None and entity.file:
            found.add(lines.defined_at(entity))
        if row.role == "import":
            found.discard(lines.line_of(file, row.start))
        else:
            found |= _imports(row, entity, file, facts, lines)
    return found


def _imports(row: Row, entity: Entity | None, file: str, facts: Facts, lines: Lines) -> set[int]:
    """The lines of the imports in the same file that bind the name of this reference to its target."""
    source = facts.sources[file]
    return {
        lines.line_of(file, other.start)
        for other in facts.rows
        if other.file == file
        and other.role == "import"
        and _bound_name(source, other) == row.name
        and (other.entity == row.entity or entity is None)
    }


def _bound_name(source: bytes, row: Row) -> str:
    """The name that an import binds: the one behind ``as``, if there is one."""
    alias = _ALIAS.match(source, row.end)
    return alias[1].decode() if alias else row.name


def score(case: Case, facts: Facts) -> list[Outcome]:
    """One outcome for each assertion: exact or not."""
    lines = Lines(case, facts)
    outcomes = []
    for number, assertion in enumerate(case["assertions"]):
        file, line = lines.place(assertion["line"])
        text = facts.sources.get(file, b"").decode().splitlines()
        start = sum(len(t.encode()) + 1 for t in text[: line - 1])
        start += len(text[line - 1][: assertion["col"]].encode()) if line <= len(text) else 0
        here = list(rows_at([r for r in facts.rows if r.file == file], start))
        found = found_lines(here, file, facts, lines)
        wanted = set(assertion["expect"])
        where = f"line {assertion['line']} col {assertion['col']} {assertion['text']}"
        missing = (f"{where}: {sorted(found)} for {sorted(wanted)}",) if found != wanted else ()
        outcomes.append(Outcome(f"{case['id']}#{number}", case["category"], "references", 1, missing))
    return outcomes
