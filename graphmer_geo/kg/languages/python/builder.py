"""The state of one file's extraction: entities, variables, operations, and how names are bound and read."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from tree_sitter import Node, Tree

from graphmer_geo.kg.facts import Entity, ParseProblem, SourceFile
from graphmer_geo.kg.languages.python.ir import Declarations, Op, PythonSyntax, Site
from graphmer_geo.kg.languages.python.scopes import Scope
from graphmer_geo.kg.languages.python.wide_text import WideText

_LINE_END = re.compile(rb"\n")
_tuple = tuple.__new__
#: Each begins with plain text, which the search then jumps to.
_OUTER = [re.compile(word + rb"(?<!\w" + word + rb")[ \t]+([^\n;#]*)") for word in (b"global", b"nonlocal")]
_WORD = re.compile(rb"[^\s,\\]+")

MAX_DEPTH = 150  #: nesting of expressions and blocks that is followed; deeper code is skipped and reported
MAX_DECLARATIONS = 6  #: declarations that one read can stand for

_COMPOUND = ("block", "decorated_definition", "function_definition", "class_definition")


def code_end(node: Node) -> Node:
    """The node that a definition really ends with: tree-sitter counts comments behind it as part of it."""
    while node.child_count and (node.type in _COMPOUND or node.type.endswith(("_statement", "_clause"))):
        index = node.child_count - 1
        last = node.child(index)
        while last is not None and last.type == "comment" and index > 0:
            index -= 1
            last = node.child(index)
        if last is None or last.type == "comment":
            break
        node = last
    return node


class Builder:
    """Everything that the statement and expression compilers share."""

    def __init__(self, file: SourceFile, source: bytes, encoding: str) -> None:
        self.file = file
        self.source = source
        self.chars = WideText(source, encoding) if not source.isascii() else source.decode("ascii")
        self.line_ends = [match.start() for match in _LINE_END.finditer(source)]
        self.new = count(1).__next__  # a fresh variable
        self.entities: list[Entity] = []
        self.problems: list[ParseProblem] = []
        self.syntax = PythonSyntax()
        self.ops = self.syntax.ops
        self.sites: list[Site] = self.syntax.sites
        self.declared: dict[int, Declarations] = self.syntax.declarations
        self.later: deque[Callable[[], None]] = deque()  # bodies that run after their scope is complete
        self.depth = 0
        self.variables: dict[str, int] = {}  # module variable -> entity
        self.trees: list[Tree] = []  # keep the nodes of quoted code alive
        self.constants: dict[tuple[str, Any], int] = {}
        self.last_boxed: dict[int, int] = {}  # start of a dict pair -> its value
        self.import_texts: dict[str, None] = {}
        self.unstable = {
            word.decode("utf-8", "replace")
            for pattern in _OUTER
            for match in pattern.finditer(source)
            for word in _WORD.findall(match.group(1))
        }
        self.module: Scope
        self.scope: Scope

    # -- text and entities -------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        """The source text of a node, in the file's own encoding."""
        return self.chars[node.start_byte : node.end_byte]

    def line(self, node: Node) -> int:
        """The line a node begins in."""
        return bisect_left(self.line_ends, node.start_byte) + 1

    def problem(self, node: Node, message: str) -> None:
        """Report trouble at a node."""
        self.problems.append(ParseProblem(self.line(node), message))

    def add_entity(
        self, kind: str, name: str, suffix: str, parent: int, span: Node, name_node: Node | None
    ) -> int:
        """Declare an entity; ``suffix`` is its own part of the descriptor, made unique by a ``(+n)``."""
        owner = self.entities[parent]
        start, end = span.start_byte, code_end(span).end_byte
        first = bisect_left(self.line_ends, start) + 1
        number = len(self.entities)
        name_start = name_end = start
        if name_node is not None:
            name_start, name_end = name_node.start_byte, name_node.end_byte
            if name_start != start:
                line = bisect_left(self.line_ends, name_start) + 1
                if line != first:
                    self.syntax.name_lines[number] = line
        self.entities.append(
            Entity(
                kind, name, owner.descriptor + suffix, f"{owner.qualified_name}.{name}", parent,
                start, end, name_start, name_end, first, bisect_left(self.line_ends, end) + 1,
            )
        )  # fmt: skip
        return number

    def site(
        self, node: Node, role: str, variable: int, base: int = 0, subject: int = -1, inner: bool = False
    ) -> int:
        """Note a written reference; returns its index."""
        where = self.scope.caller if subject < 0 else subject
        start, end = node.start_byte, node.end_byte
        self.refer(self.chars[start:end], start, end, role, where, variable, base, inner)
        return len(self.sites) - 1

    def refer(
        self, name: str, start: int, end: int, role: str, where: int, variable: int, base: int, inner: bool
    ) -> None:
        """Note a reference whose text and place are known."""
        line = bisect_left(self.line_ends, start) + 1
        # What Site(…) does, without the call.
        self.sites.append(_tuple(Site, (start, end, line, role, where, name, variable, base, inner)))

    # -- variables ---------------------------------------------------------------------------------

    def emit(self, op: int, *operands: Any) -> None:
        """Add an operation."""
        self.ops.append((op, *operands))

    def constant(self, value: Any) -> int:
        """The variable that holds a known string, integer or boolean."""
        key = (type(value).__name__, value)
        variable = self.constants.get(key)
        if variable is None:
            variable = self.constants[key] = self.new()
            self.ops.append((Op.CONST, variable, value))
        return variable

    def of_type(self, name: str) -> int:
        """The variable that holds some instance of a class outside the corpus, such as ``builtins.str``."""
        key = ("<type>", name)
        variable = self.constants.get(key)
        if variable is None:
            variable = self.constants[key] = self.new()
            self.ops.append((Op.TYPE, variable, name))
        return variable

    def declare(self, variable: int, more: Declarations) -> None:
        """Add to what a variable stands for."""
        have = self.declared.get(variable, ())
        if more != have and len(have) < MAX_DECLARATIONS:
            self.declared[variable] = tuple(dict.fromkeys(have + more))[:MAX_DECLARATIONS]

    def flow(self, target: int, source: int) -> None:
        """Values and declarations of ``source`` also reach ``target``."""
        if source and source != target:
            self.ops.append((Op.COPY, target, source))
            more = self.declared.get(source)
            if more:
                self.declare(target, more)

    # -- names -------------------------------------------------------------------------------------

    def owner(self, scope: Scope, name: str) -> Scope:
        """The scope in which an assignment to ``name`` in ``scope`` binds it."""
        how = scope.outer.get(name)
        if how == "global":
            return self.module
        if how == "nonlocal":
            around = [outer for outer in scope.outwards() if outer.kind == "function"]
            return next((outer for outer in around if name in outer.versions), around[0] if around else scope)
        return scope

    def bind(self, name: str, variable: int, declarations: Declarations = ()) -> int:
        """Assign: ``name`` stands for a new variable from here on; gives that variable."""
        scope = self.scope
        if scope.outer:
            scope = self.owner(scope, name)
        version = self.new()
        if variable:
            self.ops.append((Op.COPY, version, variable))
        if declarations:
            self.declared[version] = declarations
        scope.versions.setdefault(name, []).append(version)
        if name in scope.paths:
            scope.forget_paths(name, name)
        if name in self.unstable:
            merged = scope.merged.get(name)
            if merged is None:
                merged = scope.merged[name] = self.new()
            self.flow(merged, version)
            scope.set(name, merged)
        else:
            scope.set(name, version)
        return version

    def merged(self, scope: Scope, name: str) -> int:
        """For readers that run at another time: every assignment of ``name`` in a complete scope."""
        variable = scope.merged.get(name)
        if variable is None:
            versions = scope.versions[name]
            if len(versions) == 1:
                variable = versions[0]
            else:
                variable = self.new()
                for version in versions:
                    self.flow(variable, version)
            scope.merged[name] = variable
        return variable

    def read(self, name: str, scope: Scope | None = None) -> int:
        """The variable that ``name`` stands for at this point."""
        scope = scope or self.scope
        if scope.outer:
            scope = self.owner(scope, name)
        while True:
            variable = self.held(scope, name)
            if variable is not None:
                return variable
            if scope.kind == "module" or scope.kind == "function":
                break
            scope = scope.parent or self.module
            while scope.kind == "class":  # class names are not seen from inside
                scope = scope.parent or self.module
        variable = scope.free.get(name)
        if variable is None:
            variable = scope.free[name] = self.new()
        return variable

    def held(self, scope: Scope, key: str) -> int | None:
        """What ``key`` (a name or a path) holds here; in a loop, with what a later pass may assign."""
        variable = scope.current.get(key)
        if variable is None or not scope.loops:
            return variable
        frames = scope.frames
        first = len(frames)
        while first and key not in frames[first - 1].saved:
            first -= 1
        for frame in frames[first:]:
            if frame.loop:
                head = self.new()
                self.flow(head, variable)
                frame.heads[key] = head
                frame.saved[key] = variable
                scope.current[key] = variable = head
        return variable

    def close(self, scope: Scope) -> None:
        """At the end of a function or module body: settle the names that were read but not bound before."""
        for name, variable in scope.free.items():
            holder: Scope | None = scope
            while holder is not None and (name not in holder.versions or (holder.kind == "class")):
                holder = holder.parent
            if holder is None:
                self.ops.append((Op.GLOBAL, variable, name))
                self.syntax.globals_read[variable] = name
            else:
                self.flow(variable, self.merged(holder, name))
        scope.free.clear()

    # -- control flow ------------------------------------------------------------------------------

    def branch(self, run: Callable[[], None]) -> dict[str, int | None] | None:
        """Run a branch on its own; gives what it changed, None if control does not leave it."""
        scope = self.scope
        scope.push()
        scope.dead = False
        run()
        changed = scope.pop()
        dead, scope.dead = scope.dead, False
        return None if dead else changed

    def join(self, branches: list[dict[str, int | None] | None]) -> None:
        """Continue after alternatives."""
        scope = self.scope
        alive = [b for b in branches if b is not None]
        if not alive:
            scope.dead = True
            return
        for key in dict.fromkeys(k for b in alive for k in b):
            values = list(dict.fromkeys(b.get(key, scope.current.get(key)) for b in alive))
            known = [v for v in values if v is not None]
            if not known or (len(known) < len(values) and ("." in key or "[" in key)):
                scope.forget(key)
            elif len(known) == 1:
                scope.set(key, known[0])
            else:
                phi = self.new()
                for value in known:
                    self.flow(phi, value)
                scope.set(key, phi)

    def loop(self, run: Callable[[], None]) -> None:
        """Run a loop body that may run any number of times."""
        scope = self.scope
        frame = scope.push(loop=True)
        scope.loops += 1
        run()
        scope.loops -= 1
        left = scope.pop()
        scope.dead = False
        for key, head in frame.heads.items():
            last = left.get(key)
            if last == head:
                del left[key]
            elif last is not None:
                self.flow(head, last)
        self.join([{}, left])
