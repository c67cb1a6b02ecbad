"""What :mod:`ast` and :mod:`symtable` say of a Python file."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator

from benchmarks.exact.tally import Facts, facts

_LINE_END = re.compile(rb"\r\n|\r|\n")
_FROM = re.compile(rb"from(?:\s|\\\r?\n)*")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Positions:
    """Line and column of :mod:`ast` (UTF-8) to a byte offset in the file as it is."""

    def __init__(self, source: bytes, encoding: str) -> None:
        self.source, self.encoding = source, encoding
        self.starts = [3 if source.startswith(b"\xef\xbb\xbf") else 0]
        self.starts += [match.end() for match in _LINE_END.finditer(source)]

    def at(self, line: int, column: int) -> int:
        """The offset of a position."""
        start = self.starts[line - 1]
        if self.encoding == "utf-8":
            return start + column
        end = self.starts[line] if line < len(self.starts) else len(self.source)
        before = self.source[start:end].decode(self.encoding).encode()[:column].decode()
        return start + len(before.encode(self.encoding))

    def start(self, node: ast.expr | ast.stmt | ast.arg | ast.alias) -> int:
        """Where a node begins."""
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Where a node ends."""
        return self.at(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def text(self, node: ast.expr) -> str:
        """The node as written."""
        return self.source[self.start(node) : self.end(node)].decode(self.encoding)


class Oracle(ast.NodeVisitor):
    """Collects the facts of one file."""

    def __init__(self, path: str, module: str, source: bytes, encoding: str) -> None:
        self.path = path
        self.names = [module]
        self.in_class = [False]
        self.where = Positions(source, encoding)
        self.facts = facts()

    def add(self, kind: str, *fact: object) -> None:
        """Note a fact."""
        self.facts[kind][(self.path, *fact)] += 1

    def visit_Module(self, node: ast.Module) -> None:
        """The file."""
        self.add("module", self.names[0])
        self.docstring(node, 0)
        self.generic_visit(node)

    def docstring(self, node: Definition | ast.Module, start: int) -> None:
        """A docstring."""
        text = ast.get_docstring(node)
        if text is not None:
            self.add("docstring", start, text)

    # -- definitions -------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class, its bases and keywords."""
        start = self.begin(node)
        self.add("class", ".".join([*self.names, node.name]), start, self.where.end(node))
        for index, base in enumerate(node.bases):
            self.add("base", start, index, ast.unparse(base))
            self.base_reference(base, start)
        for keyword in node.keywords:
            self.add("class keyword", start, keyword.arg or "**", ast.unparse(keyword.value))
        for part in (*node.bases, *node.keywords):
            self.visit(part)
        self.inside(node, True)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """A function or method."""
        start = self.begin(node)
        kind = "method" if self.in_class[-1] else "function"
        generator = any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(node))
        flags = (isinstance(node, ast.AsyncFunctionDef), generator)
        self.add(kind, ".".join([*self.names, node.name]), start, self.where.end(node), *flags)
        self.parameters(node, start)
        if node.returns is not None:
            self.add("annotation", start, "return", ast.unparse(node.returns))
        for part in defaults(node.args):
            self.visit(part)
        self.inside(node, False)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda."""
        self.add("lambda", self.where.start(node), self.where.end(node))
        self.parameters(node, self.where.start(node))
        self.generic_visit(node)

    def begin(self, node: Definition) -> int:
        """Where a definition begins, decorators included; notes them and the docstring."""
        start = self.where.start(node)
        if node.decorator_list:
            first = self.where.start(node.decorator_list[0])
            start = self.where.source.rindex(b"@", 0, first)
        for decorator in node.decorator_list:
            self.decorator(decorator, start)
            self.visit(decorator)
        self.docstring(node, start)
        return start

    def inside(self, node: Definition, is_class: bool) -> None:
        """Visit a body."""
        self.names.append(node.name)
        self.in_class.append(is_class)
        for statement in node.body:
            self.visit(statement)
        self.names.pop()
        self.in_class.pop()

    def decorator(self, node: ast.expr, start: int) -> None:
        """A decorator, by its last name if it has one."""
        named = node.func if isinstance(node, ast.Call) else node
        self.add("decorator", start, *(self.named(named) or (self.where.start(node), self.where.text(node))))

    def base_reference(self, node: ast.expr, start: int) -> None:
        """A base that is a name refers to something."""
        named = self.named(node.value if isinstance(node, ast.Subscript) else node)
        if named:
            self.add("base reference", start, *named)

    def named(self, node: ast.expr) -> tuple[int, str] | None:
        """Place and text of the last name of ``a.b.c``."""
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        written = self.where.text(node)[-len(name) :] if name else ""
        return (self.where.end(node) - len(written.encode(self.where.encoding)), written) if name else None

    # -- parameters --------------------------------------------------------------------------------

    def parameters(self, node: Function, owner: int) -> None:
        """All parameters of a function."""
        for index, (arg, kind, default) in enumerate(kinds(node.args)):
            place = self.where.start(arg)
            self.add("parameter", owner, index, arg.arg, kind, place, default is not None)
            if default is not None:
                self.add("default", owner, place, ast.unparse(default))
            if arg.annotation is not None:
                self.add("annotation", owner, arg.arg, ast.unparse(arg.annotation))

    # -- imports -----------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        """``import a``."""
        for alias in node.names:
            self.imported(alias, None, 0)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from a import b``."""
        for alias in node.names:
            self.imported(alias, node.module or "", node.level)
            if alias.name == "*":  # refers to the module
                start = self.where.start(node)
                match = _FROM.match(self.where.source, start)
                self.add("import reference", match.end() if match else start)

    def imported(self, alias: ast.alias, module: str | None, level: int) -> None:
        """One imported name."""
        fact = (alias.name, None) if module is None else (module, alias.name)
        self.facts["import"][(self.path, *fact, alias.asname, level)] = 1  # the graph has each once a module
        if alias.name != "*":
            last = alias.name.rpartition(".")[2]
            place = self.where.start(alias) + len(alias.name.encode()) - len(last.encode())
            self.add("import reference", place)


def kinds(arguments: ast.arguments) -> list[tuple[ast.arg, str, ast.expr | None]]:
    """Parameters in order, with kind and default."""
    positional = [(a, "positionalOnly") for a in arguments.posonlyargs]
    positional += [(a, "positionalOrKeyword") for a in arguments.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    rows: list[tuple[ast.arg, str, ast.expr | None]] = [
        (a, kind, default)
        for (a, kind), default in zip(positional, [*missing, *arguments.defaults], strict=True)
    ]
    if arguments.vararg:
        rows.append((arguments.vararg, "varPositional", None))
    rows += [(a, "keywordOnly", d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg:
        rows.append((arguments.kwarg, "varKeyword", None))
    return rows


def defaults(arguments: ast.arguments) -> list[ast.expr]:
    """The default values."""
    return [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's body, without those of definitions in it."""
    stack: list[ast.AST] = list(getattr(node, "body", []))
    while stack:
        inner = stack.pop()
        yield inner
        if isinstance(inner, ast.ClassDef):
            stack += [*inner.decorator_list, *inner.bases, *(k.value for k in inner.keywords)]
        elif isinstance(inner, _FUNCTIONS):
            stack += [*defaults(inner.args), *getattr(inner, "decorator_list", [])]
        else:
            stack.extend(ast.iter_child_nodes(inner))


def read(path: str, module: str, source: bytes, encoding: str) -> Facts | None:
    """The facts of a file; None if Python does not accept it."""
    try:
        tree = ast.parse(source)
        table = symtable.symtable(source, path, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    oracle = Oracle(path, module, source, encoding)
    oracle.visit(tree)
    imported = {fact[3] or str(fact[2] or fact[1]).partition(".")[0] for fact in oracle.facts["import"]}
    for name in variables(table) - imported:
        oracle.add("global variable", name)
    return oracle.facts


def variables(table: symtable.SymbolTable) -> set[str]:
    """Names of the module that nothing but assignments bind."""
    outer = {symbol.get_name(): symbol for symbol in table.get_symbols()}
    found = {name for name, symbol in outer.items() if _assigned(symbol)}
    stack = [*table.get_children()]
    while stack:
        scope = stack.pop()
        stack += scope.get_children()
        for symbol in scope.get_symbols():
            name = symbol.get_name()
            there = outer.get(name, symbol)
            if symbol.is_declared_global() and _assigned(symbol) and not _otherwise_bound(there):
                found.add(name)
    return found


def _assigned(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() and not _otherwise_bound(symbol)


def _otherwise_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_namespace() or symbol.is_imported()


def without_quoted_code(found: Facts, source: bytes, encoding: str) -> Facts:
    """The facts that do not lie in a string literal: the extractor reads the code given to ``eval``."""
    if not found["lambda"]:
        return found
    where, nodes = Positions(source, encoding), list(ast.walk(ast.parse(source)))
    formatted = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    strings = (n for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
    quoted = [(where.start(n), where.end(n)) for n in strings if id(n) not in formatted]
    inside = {place for start, end in quoted for place in range(start + 1, end)}
    for kind in ("lambda", "parameter", "default"):
        for fact in [fact for fact in found[kind] if fact[1] in inside]:
            del found[kind][fact]
    return found
