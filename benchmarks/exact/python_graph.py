"""What a knowledge graph says of the same things, read from its triples and its occurrence table."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from typing import Any

from benchmarks.exact.tally import Facts, facts
from graphmer_geo.kg import KnowledgeGraph
from graphmer_geo.kg import vocabulary as v

_METHODS = ("Method", "Constructor")
_BINDING = ("Class", "Function")
_KINDS = {"Class": "class", "Function": "function", **dict.fromkeys(_METHODS, "method"), "Lambda": "lambda"}


class Reader:
    """Reads one graph into facts."""

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self.facts = facts()
        files = {iri: path for iri, path in self.pairs("path")}
        self.path = {iri: files[file] for iri, file in self.pairs("definedInFile")}
        self.keys = {iri.removeprefix(v.FILE_BASE): path for iri, path in files.items()}
        self.start = dict(self.pairs("startByte"))
        self.end = dict(self.pairs("endByte"))
        self.name = dict(self.pairs("name"))
        self.qualified = dict(self.pairs("qualifiedName"))
        self.kind = {iri: kind.removeprefix(v.GM) for iri, kind in self.pairs(v.RDF_TYPE) if iri in self.path}

        self.modules: dict[Hashable, str] = {
            self.path[iri]: iri for iri, kind in self.kind.items() if kind == "Module"
        }

    def pairs(self, term: str) -> Iterator[tuple[str, Any]]:
        """Subjects and values of a property."""
        iri = term if "://" in term else v.gm(term)
        for row in self.kg.query(f"SELECT ?s ?v WHERE {{ ?s <{iri}> ?v }}"):
            yield row["s"], row["v"]

    def add(self, kind: str, iri: str, *fact: object) -> None:
        """Note a fact of an entity."""
        self.facts[kind][(self.path[iri], *fact)] += 1

    def read(self) -> Facts:
        """All facts."""
        self.definitions()
        self.parameters()
        self.signatures()
        self.imports()
        self.occurrences()
        self.variables()
        for iri, text in self.pairs("docstring"):
            self.add("docstring", iri, self.start[iri], text)
        return self.facts

    def definitions(self) -> None:
        """Modules, classes and callables."""
        flags = [{iri for iri, value in self.pairs(name) if value} for name in ("isAsync", "isGenerator")]
        for iri, kind in self.kind.items():
            label = _KINDS.get(kind)
            span = (self.start[iri], self.end[iri])
            if kind == "Module":
                self.add("module", iri, self.qualified[iri])
            elif label == "lambda":
                self.add(label, iri, *span)
            elif label == "class":
                self.add(label, iri, self.qualified[iri], *span)
            elif label:
                self.add(label, iri, self.qualified[iri], *span, *(iri in flag for flag in flags))

    def parameters(self) -> None:
        """Parameters with their defaults."""
        index, kind = dict(self.pairs("parameterIndex")), dict(self.pairs("parameterKind"))
        columns = self.kg.entities(["iri", "name_start"])
        name_start = dict(zip(*(column.to_pylist() for column in columns.columns), strict=True))
        default = dict(self.pairs("defaultText"))
        has_default = dict(self.pairs("hasDefault"))
        for owner, iri in self.pairs("hasParameter"):
            begin, place = self.start[owner], name_start[iri]
            known = bool(has_default.get(iri, False))
            self.add("parameter", iri, begin, index[iri], self.name[iri], kind[iri], place, known)
            if iri in default:
                self.add("default", iri, begin, place, canonical(default[iri]))

    def signatures(self) -> None:
        """Annotations, and what a class is given."""
        for iri, text in self.pairs("signature"):
            begin = self.start[iri]
            definition = statement(
                f"class C{text}: pass" if self.kind[iri] == "Class" else f"def f{text}: pass"
            )
            if isinstance(definition, ast.ClassDef):
                for number, base in enumerate(definition.bases):
                    self.add("base", iri, begin, number, ast.unparse(base))
                for keyword in definition.keywords:
                    self.add("class keyword", iri, begin, keyword.arg or "**", ast.unparse(keyword.value))
            elif isinstance(definition, ast.FunctionDef):
                for arg in ast.walk(definition.args):
                    if isinstance(arg, ast.arg) and arg.annotation is not None:
                        self.add("annotation", iri, begin, arg.arg, ast.unparse(arg.annotation))
                if definition.returns is not None:
                    self.add("annotation", iri, begin, "return", ast.unparse(definition.returns))

    def imports(self) -> None:
        """Imports as written."""
        for iri, text in self.pairs("importText"):
            node = statement(text)
            if isinstance(node, ast.Import):
                self.add("import", iri, node.names[0].name, None, node.names[0].asname, 0)
            elif isinstance(node, ast.ImportFrom):
                name = node.names[0]
                self.add("import", iri, node.module or "", name.name, name.asname, node.level)

    def occurrences(self) -> None:
        """Decorators, bases and imports as places in the text; a place with several targets counts once."""
        table = self.kg.occurrences.select(["file", "start", "role", "subject", "name"])
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        for file, start, role, subject, name in dict.fromkeys(rows):
            if role in ("decorator", "base"):
                kind = "decorator" if role == "decorator" else "base reference"
                self.add(kind, subject, self.start[subject], start, name)
            elif role == "import":
                self.facts["import reference"][self.keys[file], start] += 1

    def variables(self) -> None:
        """Module variables that nothing but assignments bind: of others a symbol table does not tell."""
        owner = {iri: parent for parent, iri in self.pairs("declares")}
        bound = {(owner[iri], self.name[iri]) for iri, kind in self.kind.items() if kind in _BINDING}
        for path, module, name, alias, _ in self.facts["import"]:
            bound.add((self.modules[path], alias or str(name or module).partition(".")[0]))
        for iri, kind in self.kind.items():
            if kind == "GlobalVariable" and (owner[iri], self.name[iri]) not in bound:
                self.add("global variable", iri, self.name[iri])


def canonical(text: str) -> str:
    """An expression as :func:`ast.unparse` writes it; text that is none as it is."""
    node = statement(f"({text}\n)")
    return ast.unparse(node.value) if isinstance(node, ast.Expr) else text


def statement(text: str) -> ast.stmt | None:
    """The only statement of a text."""
    try:
        return ast.parse(text).body[0]
    except (SyntaxError, ValueError, IndexError, MemoryError, RecursionError):
        return None
