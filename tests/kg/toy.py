"""A programming language of three statements, so that the builder is tested without a real one.

``class A < B`` at the margin; ``def f(p, q) a b ~c ?d`` at the margin or indented under a class: it calls a
and b, perhaps c (heuristic), and something unknown d. A name that no file declares is external. ``!raise``,
``!exit`` and ``!note`` make the extractor misbehave.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphmer_geo.kg.facts import (
    Edge,
    Entity,
    FileFacts,
    LinkedFile,
    Occurrence,
    ParseProblem,
    SourceFile,
    external_iri,
)
from graphmer_geo.kg.languages.base import Message, in_order

_CLASS = re.compile(rb"class (\w+)(?: < (\w+))?")
_DEF = re.compile(rb"( *)def (\w+)\(([\w, ]*)\)(.*)")


class Toy:
    updates = None
    replays = None
    name = "toy"
    extensions = (".toy",)

    def module_name(self, path: str, source: bytes) -> str:
        return path.removesuffix(".toy").removesuffix("/__init__").replace("/", ".")

    def extract(self, file: SourceFile, source: bytes) -> FileFacts:
        if b"!raise" in source:
            raise RecursionError("too deep")
        if b"!exit" in source:
            os._exit(1)
        reader = _Reader(file, source)
        problems = [ParseProblem(1, "a note")] if b"!note" in source else []
        return FileFacts(file, reader.entities, reader.uses, problems)

    def share(self, facts: FileFacts) -> list[tuple[str, str]]:
        kinds = ("Class", "Function", "Method")
        return [(e.name, facts.iri(i)) for i, e in enumerate(facts.entities) if e.kind in kinds]

    def linker(self, shared: Sequence[Any], mine: Mapping[int, FileFacts]) -> ToyLinker:
        return ToyLinker(shared, mine)


class ToyLinker:
    """Every file says hello to the next one, which passes it on twice: rounds must come to an end."""

    def __init__(self, shared: Sequence[Any], mine: Mapping[int, FileFacts]) -> None:
        self.size, self.mine = len(shared), mine
        self.known: dict[str, str] = {}
        for names in shared:
            for name, iri in names:
                self.known.setdefault(name, iri)
        self.heard: dict[int, list[Any]] = {index: [] for index in mine}
        self.round = 0

    def exchange(self, inbox: Sequence[Message]) -> list[Message]:
        assert list(inbox) == in_order(inbox)
        self.round += 1
        for message in inbox:
            self.heard[message.receiver].append(message.payload)
        if self.round == 1:
            said = [(index, "hello") for index in self.mine]
        else:
            said = [(m.receiver, m.payload + "!") for m in inbox if not m.payload.endswith("!!")]
        return [Message(i, to % self.size, text) for i, text in said for to in (i + 1, i + 2)]

    def link(self, index: int) -> LinkedFile:
        linked = _link(self.mine[index], self.known)
        if self.size > 2:
            assert len(self.heard[index]) == 2 + 4 + 8
        return linked


class _Reader:
    def __init__(self, file: SourceFile, source: bytes) -> None:
        self.module = file.module
        is_package = file.path.endswith("__init__.toy")
        lines = source.splitlines(keepends=True)
        name = file.module.rpartition(".")[2]
        literals = {"isPackage": True} if is_package else {}
        module = Entity(
            "Module", name, "", file.module, -1, 0, len(source), 0, 0, 1, max(1, len(lines)), literals
        )
        self.entities = [module]
        self.uses: list[tuple[int, int, int, str, str]] = []  # start, end, entity, word, relation
        self.scope = 0
        offset = 0
        for number, line in enumerate(lines, start=1):
            self._line(line, offset, number)
            offset += len(line)

    def _line(self, line: bytes, offset: int, number: int) -> None:
        if match := _CLASS.match(line):
            self.scope = self._add("Class", match, 1, 0, offset, number, "#")
            if match[2]:
                self.uses.append(
                    (offset + match.start(2), offset + match.end(2), self.scope, match[2].decode(), "extends")
                )
        elif match := _DEF.match(line):
            inside = self.scope if match[1] else 0
            if inside:
                self.entities[inside].end, self.entities[inside].end_line = offset + len(line), number
            kind = "Method" if inside else "Function"
            function = self._add(kind, match, 2, inside, offset, number, "().", docstring='A "doc"\n\tÜ\x00')
            for index, parameter in enumerate(re.finditer(rb"\w+", match[3])):
                at = offset + match.start(3)
                self._parameter(parameter, function, index, at, number)
            for word in re.finditer(rb"[~?]?\w+", match[4]):
                start, end = offset + match.start(4) + word.start(), offset + match.start(4) + word.end()
                self.uses.append((start, end, function, word.group().decode(), "calls"))

    def _add(
        self,
        kind: str,
        match: re.Match[bytes],
        group: int,
        parent: int,
        at: int,
        line: int,
        ending: str,
        **literals: str,
    ) -> int:
        name = match[group].decode()
        above = self.entities[parent]
        indent = len(match[0]) - len(match[0].lstrip())
        descriptor, qualified = above.descriptor + name + ending, f"{above.qualified_name}.{name}"
        spans = (at + indent, at + match.end(), at + match.start(group), at + match.end(group), line, line)
        self.entities.append(Entity(kind, name, descriptor, qualified, parent, *spans, dict(literals)))
        return len(self.entities) - 1

    def _parameter(self, match: re.Match[bytes], function: int, index: int, at: int, line: int) -> None:
        name, above = match.group().decode(), self.entities[function]
        literals = {"parameterIndex": index, "parameterKind": "positionalOrKeyword"}
        start, end = at + match.start(), at + match.end()
        qualified = f"{above.qualified_name}.{name}"
        descriptor = f"{above.descriptor}({name})"
        self.entities.append(
            Entity(
                "Parameter",
                name,
                descriptor,
                qualified,
                function,
                start,
                end,
                start,
                end,
                line,
                line,
                literals,
            )
        )


def _link(facts: FileFacts, known: dict[str, str]) -> LinkedFile:
    externals: dict[str, str] = {}
    rows: list[Occurrence] = []
    for index, e in enumerate(facts.entities):
        if e.name_end > e.name_start:
            iri = facts.iri(index)
            rows.append(
                Occurrence(
                    e.name_start, e.name_end, e.start_line, "definition", None, iri, iri, "exact", e.name
                )
            )
    for start, end, entity, word, relation in facts.syntax:
        name = word.lstrip("~?")
        how = {"~": "heuristic", "?": "unresolved"}.get(word[0], "exact")
        target = known.get(name)
        if how == "unresolved":
            target = None
        elif target is None:
            target = external_iri("toy", f"lib.{name}")
            externals[target] = f"lib.{name}"
        role = "base" if relation == "extends" else "call"
        line = facts.entities[entity].start_line
        rows.append(Occurrence(start, end, line, role, relation, facts.iri(entity), target, how, name))  # type: ignore[arg-type]
    return LinkedFile(facts.source, rows, list(_overrides(facts)), externals)


def _overrides(facts: FileFacts) -> Iterator[Edge]:
    """Methods of one file's classes that replace one of the same name in a base class of that file."""
    bases = {entity: word for _, _, entity, word, relation in facts.syntax if relation == "extends"}
    for index, entity in enumerate(facts.entities):
        base = bases.get(entity.parent)
        for other, candidate in enumerate(facts.entities):
            above = facts.entities[candidate.parent] if candidate.parent >= 0 else None
            if (
                entity.kind == "Method" == candidate.kind
                and above
                and above.name == base
                and candidate.name == entity.name
            ):
                yield Edge(facts.iri(index), "overrides", facts.iri(other), "exact")


TOY = Toy()
