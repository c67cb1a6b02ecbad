"""Definitions of a slice of the standard library, against :mod:`ast`."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from graphmer_geo.kg.facts import Entity, FileFacts, SourceFile
from graphmer_geo.kg.languages.python import PYTHON

STDLIB = Path(sysconfig.get_path("stdlib"))
MODULES = """
abc argparse ast asyncio/base_events asyncio/tasks asyncio/windows_events bdb calendar cgi codecs
collections/__init__ concurrent/futures/process configparser contextlib copy csv dataclasses
datetime decimal difflib doctest email/message enum functools http/client importlib/_bootstrap
inspect json/decoder logging/__init__ multiprocessing/pool optparse pathlib pickle platform random
re/__init__ shutil socket statistics string subprocess tarfile threading tokenize traceback types
typing unittest/case unittest/mock urllib/request uuid warnings weakref xml/dom/minidom zipfile
""".split()

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def facts_of(path: str, source: bytes) -> FileFacts:
    return PYTHON.extract(SourceFile("python", "p", "0", path, PYTHON.module_name(path, source)), source)


def first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def parameters(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, source: str
) -> list[tuple[object, ...]]:
    """(name, kind, has a default, line, column)"""
    a = node.args
    positional = [(x, "positionalOnly") for x in a.posonlyargs] + [(x, "positionalOrKeyword") for x in a.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(a.defaults)) + list(a.defaults)
    rows = [(x, kind, default) for (x, kind), default in zip(positional, defaults, strict=True)]
    if a.vararg:
        rows.append((a.vararg, "varPositional", None))
    rows += [(x, "keywordOnly", d) for x, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)]
    if a.kwarg:
        rows.append((a.kwarg, "varKeyword", None))
    return [
        (x.arg, kind, d is not None, x.lineno, x.col_offset) for x, kind, d in rows
    ]  # fmt: skip


class Oracle(ast.NodeVisitor):
    """What :mod:`ast` says is defined, with qualified names."""

    def __init__(self, module: str, source: str) -> None:
        self.names = [module]
        self.kinds = ["Module"]
        self.lambdas = [0]
        self.source = source
        self.found: list[tuple[object, ...]] = []

    def visit_class_or_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        qualified = ".".join([*self.names, node.name])
        common = (qualified, first_line(node), node.end_lineno, ast.get_docstring(node))
        if isinstance(node, ast.ClassDef):
            for part in (*node.bases, *node.keywords):
                self.visit(part)
            self.found.append(("Class", *common, len(node.bases)))
        else:
            for part in (*node.args.defaults, *(d for d in node.args.kw_defaults if d)):
                self.visit(part)
            in_class = self.kinds[-1] == "Class"
            kind = (
                "Function"
                if not in_class
                else "Constructor"
                if node.name in ("__init__", "__new__")
                else "Method"
            )
            is_async = isinstance(node, ast.AsyncFunctionDef)
            generator = any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(node))
            self.found.append((kind, *common, is_async, generator, *parameters(node, self.source)))
        self.names.append(node.name)
        self.kinds.append("Class" if isinstance(node, ast.ClassDef) else "Function")
        self.lambdas.append(0)
        for statement in node.body:
            self.visit(statement)
        self.names.pop()
        self.kinds.pop()
        self.lambdas.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_class_or_function

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.lambdas[-1] += 1
        self.found.append(("Lambda", node.lineno, node.end_lineno, *parameters(node, self.source)))
        self.generic_visit(node)


def own_nodes(node: ast.AST) -> list[ast.AST]:
    """Nodes of a function without those of the functions and classes in it."""
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(node.body)  # type: ignore[attr-defined]
    while stack:
        current = stack.pop()
        found.append(current)
        if not isinstance(current, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            stack += ast.iter_child_nodes(current)
    return found


def described(facts: FileFacts, source: bytes) -> list[tuple[object, ...]]:
    """The extractor's entities in the oracle's form."""
    children: dict[int, list[Entity]] = {}
    for entity in facts.entities:
        if entity.kind == "Parameter":
            children.setdefault(entity.parent, []).append(entity)
    bases = {info.entity: len(info.bases) for info in facts.syntax.classes}
    line_starts = [0]
    for line in source.splitlines(keepends=True):
        line_starts.append(line_starts[-1] + len(line))
    found: list[tuple[object, ...]] = []
    for index, e in enumerate(facts.entities):
        params = [
            (p.name, p.literals["parameterKind"], p.literals.get("hasDefault", False),
             p.start_line, p.name_start - line_starts[p.start_line - 1])
            for p in children.get(index, [])
        ]  # fmt: skip
        common = (e.qualified_name, e.start_line, e.end_line, e.literals.get("docstring"))
        if e.kind == "Class":
            found.append(("Class", *common, bases[index]))
        elif e.kind in ("Function", "Method", "Constructor"):
            flags = (e.literals.get("isAsync", False), e.literals.get("isGenerator", False))
            found.append((e.kind, *common, *flags, *params))
        elif e.kind == "Lambda":
            found.append(("Lambda", e.start_line, e.end_line, *params))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_equal_to_ast(module: str) -> None:
    path = STDLIB / f"{module}.py"
    if not path.exists():
        pytest.skip(f"this Python has no {module}")
    source = path.read_bytes()
    facts = facts_of(f"{module}.py", source)
    oracle = Oracle(PYTHON.module_name(f"{module}.py", source), source.decode())
    oracle.visit(ast.parse(source))
    assert sorted(described(facts, source), key=repr) == sorted(oracle.found, key=repr)
    assert not facts.problems


@pytest.mark.parametrize("module", MODULES)
def test_entities_are_consistent(module: str) -> None:
    path = STDLIB / f"{module}.py"
    if not path.exists():
        pytest.skip(f"this Python has no {module}")
    source = path.read_bytes()
    entities = facts_of(f"{module}.py", source).entities
    assert len({e.descriptor for e in entities}) == len(entities)
    for index, e in enumerate(entities):
        assert source[e.name_start : e.name_end].decode() in (e.name, "")
        if index:
            parent = entities[e.parent]
            inside = parent.start <= e.start <= e.name_start <= e.name_end <= e.end <= parent.end
            assert inside
            assert e.parent < index


@pytest.mark.parametrize("module", MODULES)
def test_references_equal_ast(module: str) -> None:
    """Every call of a name or attribute, every import and decorator has its site, and nothing else has."""
    path = STDLIB / f"{module}.py"
    if not path.exists():
        pytest.skip(f"this Python has no {module}")
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tree = list(ast.walk(ast.parse(source)))

    def end(node: ast.expr) -> int:
        return starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    named = (ast.Name, ast.Attribute)
    syntax = facts_of(f"{module}.py", source).syntax
    calls = {end(n.func) for n in tree if isinstance(n, ast.Call) and isinstance(n.func, named)}
    assert {s.end for s in syntax.sites if s.role == "call"} == calls
    definitions = [n for n in tree if isinstance(n, (*_FUNCTIONS, ast.ClassDef))]
    marks = [d.func if isinstance(d, ast.Call) else d for n in definitions for d in n.decorator_list]
    assert sorted(s.end for s in syntax.sites if s.role == "decorator") == sorted(
        end(m) for m in marks if isinstance(m, named)
    )
    bases = [
        b.value if isinstance(b, ast.Subscript) else b
        for n in definitions
        if hasattr(n, "bases")
        for b in n.bases
    ]
    assert sorted(s.end for s in syntax.sites if s.role == "base") == sorted(
        end(b) for b in bases if isinstance(b, named)
    )
    imported = sum(len(n.names) for n in tree if isinstance(n, ast.Import | ast.ImportFrom))
    assert len(syntax.import_sites) == imported
    raised = [
        n.exc.func if isinstance(n.exc, ast.Call) else n.exc
        for n in tree
        if isinstance(n, ast.Raise) and n.exc
    ]
    assert sorted(s.end for s in syntax.sites if s.role == "raise") == sorted(
        end(r) for r in raised if isinstance(r, named)
    )
    caught = [n.type for n in tree if isinstance(n, ast.ExceptHandler) and n.type]
    caught = [e for c in caught for e in (c.elts if isinstance(c, ast.Tuple) else [c])]
    assert sorted(s.end for s in syntax.sites if s.role == "catch") == sorted(
        end(c) for c in caught if isinstance(c, named)
    )
