"""A knowledge graph in a few lines, for tests of what is made from one: names resolved by spelling alone.

It has the tables of the real one (``entities()``, ``triples()``, ``occurrences`` and its parts, ``manifest``,
``read_source``), so that the tests of this folder do not depend on extractors.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from graphmer_geo.data.tokenizer import decode
from graphmer_geo.kg.manifest import FileRecord, Manifest
from graphmer_geo.kg.occurrences import SCHEMA as OCCURRENCES
from graphmer_geo.kg.tables import ENTITIES, TRIPLES

SHOP = Path(__file__).parents[1] / "fixtures" / "shop"


@dataclass
class StandInKG:
    """Same tables as ``KnowledgeGraph``."""

    root: Path = SHOP
    ontology_version: str = "0"

    def __post_init__(self) -> None:
        self._entities: list[dict] = []
        self._triples: set[tuple] = set()
        self._occurrences: list[dict] = []
        self.by_name: dict[str, str] = {}
        self.records = []
        self.sources: dict[str, bytes] = {}
        for path in sorted(self.root.rglob("*.py")):
            relative = path.relative_to(self.root).as_posix()
            self._read(relative, path.read_bytes())
        for key, source in self.sources.items():
            _Uses(self, key, source).visit(ast.parse(source))
        rows = sorted(self._entities, key=lambda row: row["iri"])
        self._table = pa.Table.from_pylist(rows, schema=ENTITIES)
        names = TRIPLES.names
        facts = [dict(zip(names, row, strict=True)) for row in sorted(self._triples)]
        self._facts = pa.Table.from_pylist(facts, schema=TRIPLES)
        order = sorted(self._occurrences, key=lambda o: (o["file"], o["start"], o["end"], o["entity"] or ""))
        self.occurrences = pa.Table.from_pylist(order, schema=OCCURRENCES)
        digest = hashlib.sha256(repr((rows, facts)).encode()).hexdigest()
        self.manifest = Manifest(digest, self.ontology_version, {}, tuple(self.records))

    def entities(self, columns=None) -> pa.Table:
        return self._table if columns is None else self._table.select(list(columns))

    def triples(self) -> pa.Table:
        return self._facts

    def occurrence_parts(self, columns) -> Iterator[pa.Table]:
        yield self.occurrences.select(list(columns))

    def read_source(self, key: str) -> bytes:
        return self.sources[key]

    def _read(self, path: str, source: bytes) -> None:
        key, module = (
            f"python/shop/1/{path}",
            path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"),
        )
        self.sources[key] = source
        self.records.append(
            FileRecord(key, str(self.root), path, "python", "shop", "1", module, "", len(source), 0, "ok")
        )  # fmt: skip
        _Declarations(self, key, module, source).visit(ast.parse(source))

    def declare(self, key, kind, name, qualified, span, name_span, parent, relation="declares") -> str:
        iri = f"id:{qualified}" if kind != "Parameter" else f"id:{qualified}({name})"
        self._entities.append(
            {"iri": iri, "kind": kind, "name": name, "qualified_name": qualified, "language": "python",
             "file": key, "start": span[0], "end": span[1], "name_start": name_span[0],
             "name_end": name_span[1], "parent": parent}
        )  # fmt: skip
        if parent:
            self._triples.add((key, parent, relation, iri, False))
        if name_span[0] < name_span[1]:
            self.occur(key, name_span, "definition", None, iri, iri, name)
        if kind not in ("Parameter", "Module"):
            self.by_name.setdefault(name, iri)
        return iri

    def external(self, name: str) -> str:
        iri = f"id:external:{name}"
        if iri not in {e["iri"] for e in self._entities}:
            self._entities.append(
                {"iri": iri, "kind": "ExternalSymbol", "name": name, "qualified_name": f"builtins.{name}",
                 "language": "python"}
            )  # fmt: skip
        return iri

    def occur(self, key, span, role, relation, subject, target, name) -> None:
        self._occurrences.append(
            {"file": key, "start": span[0], "end": span[1], "line": 1, "role": role, "relation": relation,
             "subject": subject, "entity": target, "how": "exact" if target else "unresolved", "name": name}
        )  # fmt: skip
        if relation and target:
            self._triples.add((key, subject, relation, target, False))


class _Positions(ast.NodeVisitor):
    def __init__(self, kg: StandInKG, key: str, source: bytes) -> None:
        self.kg, self.key, self.source = kg, key, source
        self.lines = [0]
        for line in source.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.utf8 = decode(source).encode() == source

    def offset(self, line: int, column: int) -> int:
        """``ast`` counts columns in UTF-8 bytes, whatever the file's encoding."""
        start = self.lines[line - 1]
        if self.utf8:
            return start + column
        text = self.source[start : self.lines[line]].decode("latin-1")
        return start + len(text.encode()[:column].decode(errors="ignore"))

    def span(self, node) -> tuple[int, int]:
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def find(self, name: str, start: int) -> tuple[int, int]:
        raw = name.encode("utf-8" if self.utf8 else "latin-1")
        at = self.source.index(raw, start)
        return at, at + len(raw)


class _Declarations(_Positions):
    def __init__(self, kg: StandInKG, key: str, module: str, source: bytes) -> None:
        super().__init__(kg, key, source)
        name = module.rpartition(".")[2]
        self.scope = [
            ("Module", module, kg.declare(key, "Module", name, module, (0, len(source)), (0, 0), None))
        ]

    def visit_ClassDef(self, node):
        self._declare(node, "Class")

    def visit_FunctionDef(self, node):
        in_class = self.scope[-1][0] == "Class"
        kind = "Constructor" if node.name == "__init__" else "Method" if in_class else "Function"
        self._declare(node, kind)

    def _declare(self, node, kind):
        _, qualified, parent = self.scope[-1]
        span = self.span(node)
        names = self.find(node.name, span[0])
        iri = self.kg.declare(self.key, kind, node.name, f"{qualified}.{node.name}", span, names, parent)
        if kind != "Class":
            for argument in node.args.args:
                place = self.span(argument)
                self.kg.declare(self.key, "Parameter", argument.arg, f"{qualified}.{node.name}", place,
                                self.find(argument.arg, place[0]), iri, "hasParameter")  # fmt: skip
        self.scope.append((kind, f"{qualified}.{node.name}", iri))
        self.generic_visit(node)
        self.scope.pop()

    def visit_AnnAssign(self, node):
        self._field(node.target)

    def visit_Assign(self, node):
        self._field(node.targets[0])

    def _field(self, target):
        _, qualified, parent = self.scope[-1]
        if isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
            _, qualified, parent = self.scope[-2]
            end = self.span(target)[1]
            width = len(target.attr)
            self.kg.declare(self.key, "Field", target.attr, f"{qualified}.{target.attr}", (end - width, end),
                            (end - width, end), parent)  # fmt: skip
        elif isinstance(target, ast.Name) and self.scope[-1][0] in ("Module", "Class"):
            kind = "Field" if self.scope[-1][0] == "Class" else "GlobalVariable"
            self.kg.declare(self.key, kind, target.id, f"{qualified}.{target.id}", self.span(target),
                            self.span(target), parent)  # fmt: skip


class _Uses(_Positions):
    def __init__(self, kg: StandInKG, key: str, source: bytes) -> None:
        super().__init__(kg, key, source)
        module = next(r.module for r in kg.records if r.key == key)
        self.subject = [f"id:{module}"]

    def _use(self, name, span, role, relation, subject=None, external=False):
        target = self.kg.by_name.get(name) or (self.kg.external(name) if external else None)
        self.kg.occur(self.key, span, role, relation, subject or self.subject[-1], target, name)

    def visit_ImportFrom(self, node):
        for alias in node.names:
            at = self.find(alias.name, self.find("import", self.span(node)[0])[1])
            self._use(alias.name, at, "import", "imports")

    def _enter(self, node):
        self.subject.append(f"{self.subject[-1]}.{node.name}")
        self.generic_visit(node)
        self.subject.pop()

    def visit_ClassDef(self, node):
        for base in node.bases:
            self._use(
                base.id, self.span(base), "base", "extends", f"{self.subject[-1]}.{node.name}", external=True
            )
        self._enter(node)

    def visit_FunctionDef(self, node):
        iri = f"{self.subject[-1]}.{node.name}"
        if isinstance(node.returns, ast.Name):
            self._use(node.returns.id, self.span(node.returns), "type", "returnsType", iri, external=True)
        for argument in node.args.args:
            if isinstance(argument.annotation, ast.Name):
                where = f"{iri}({argument.arg})"
                self._use(
                    argument.annotation.id, self.span(argument.annotation), "type", "hasType", where, True
                )
        self._enter(node)

    def visit_Raise(self, node):
        if isinstance(node.exc, ast.Call):
            self._use(node.exc.func.id, self.span(node.exc.func), "raise", "raises")
        self.generic_visit(node)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name):
            name = node.func.id
            relation = "instantiates" if name[:1].isupper() else "calls"
            self._use(name, self.span(node.func), "call", relation, external=True)
        elif isinstance(node.func, ast.Attribute):
            end = self.span(node.func)[1]
            self._use(node.func.attr, (end - len(node.func.attr), end), "call", "calls")
        self.generic_visit(node)
