"""Control flow: branches, loops, ``try``, ``with``, ``match``."""

from __future__ import annotations

from functools import partial

from tree_sitter import Node

from graphmer_geo.kg.languages.python.builder import MAX_DEPTH
from graphmer_geo.kg.languages.python.definitions import Definitions
from graphmer_geo.kg.languages.python.ir import Op


class Control(Definitions):
    """Compiles statements that hold other statements."""

    def error(self, node: Node) -> None:
        """Broken code: keep what can be understood."""
        self.block(node)

    def clause(self, node: Node | None) -> None:
        """The block of a clause, whatever field it is in."""
        for child in node.named_children if node is not None else ():
            if child.type == "block":
                self.block(child)

    def if_(self, node: Node) -> None:
        """``if``."""
        self.condition(node.child_by_field_name("condition"))
        results = [self.branch(partial(self.blocks, node.child_by_field_name("consequence")))]
        has_else = False
        for child in node.named_children:
            if child.type == "elif_clause":
                self.condition(child.child_by_field_name("condition"))
                results.append(self.branch(partial(self.clause, child)))
            elif child.type == "else_clause":
                has_else = True
                results.append(self.branch(partial(self.clause, child)))
            elif child.type == "ERROR":
                results.append(self.branch(partial(self.error, child)))
        if not has_else:
            results.append({})
        self.join(results)

    def blocks(self, node: Node | None) -> None:
        """A block that may be missing."""
        if node is not None:
            self.block(node)

    def for_(self, node: Node) -> None:
        """``for``."""
        source = self.expr(node.child_by_field_name("right"))
        left = node.child_by_field_name("left")

        def run() -> None:
            element = 0
            if source:
                element = self.new()
                self.emit(Op.ITER, element, source, self.scope.caller)
            if left is not None:
                self.assign(left, element, left)
            self.blocks(node.child_by_field_name("body"))

        self.loop(run)
        self.clause(node.child_by_field_name("alternative"))

    def while_(self, node: Node) -> None:
        """``while``."""

        def run() -> None:
            self.condition(node.child_by_field_name("condition"))
            self.blocks(node.child_by_field_name("body"))

        self.loop(run)
        self.clause(node.child_by_field_name("alternative"))

    def try_(self, node: Node) -> None:
        """``try``."""
        body = node.child_by_field_name("body")
        handlers = [child for child in node.named_children if child.type == "except_clause"]
        others = [child for child in node.named_children if child.type == "else_clause"]

        def run() -> None:
            self.blocks(body)

        scope = self.scope
        scope.push()
        run()
        dead = scope.dead
        scope.dead = False
        partway = scope.pop()
        results: list[dict[str, int | None] | None] = []
        for handler in handlers:
            results.append(self.branch(partial(self.handler, handler, partway)))
        scope.push()
        for key, variable in partway.items():
            if variable is None:
                scope.forget(key)
            else:
                scope.set(key, variable)
        for other in others:
            self.clause(other)
        dead = dead or scope.dead
        scope.dead = False
        done = scope.pop()
        self.join([None if dead else done, *results])
        stopped, scope.dead = scope.dead, False
        for child in node.named_children:
            if child.type == "finally_clause":
                self.clause(child)
            elif child.type == "ERROR":
                self.error(child)
        scope.dead = scope.dead or stopped

    def handler(self, node: Node, partway: dict[str, int | None]) -> None:
        """An except clause: the body before it may have stopped anywhere."""
        self.join([{}, partway])
        for child in node.named_children:
            if child.type == "block":
                self.block(child)
            elif child.type == "as_pattern":
                parts = child.named_children
                value = self.caught(parts[0]) if parts else 0
                if len(parts) > 1:
                    caught = self.new()
                    if value:
                        self.emit(Op.ANNOTATED, caught, value)
                    for name in parts[1].named_children or [parts[1]]:
                        if name.type == "identifier":
                            self.assign(name, caught, name)
            elif child.type != "comment":
                self.caught(child)

    def caught(self, node: Node) -> int:
        """The exception types of an except clause, one occurrence each."""
        if node.type in ("tuple", "expression_list", "parenthesized_expression"):
            return self.merge_types([self.caught(child) for child in node.named_children])
        if node.type in ("identifier", "attribute"):
            return self.reference(node, "catch")
        return self.expr(node)

    def with_(self, node: Node) -> None:
        """``with``."""
        for clause in node.named_children:
            if clause.type != "with_clause":
                continue
            for item in clause.named_children:
                inner = item.child_by_field_name("value") if item.type == "with_item" else item
                if inner is None:
                    continue
                target = None
                if inner.type == "as_pattern":
                    parts = inner.named_children
                    target = parts[1] if len(parts) > 1 else None
                    inner = parts[0]
                source = self.expr(inner)
                entered = self.new()
                if source:
                    self.emit(Op.ENTER, entered, source, self.scope.caller)
                if target is not None:
                    self.assign(target, entered, target)
        self.blocks(node.child_by_field_name("body"))

    def match(self, node: Node) -> None:
        """``match``."""
        subject = 0
        for child in node.children_by_field_name("subject"):
            subject = self.expr(child)
        body = node.child_by_field_name("body")
        results: list[dict[str, int | None] | None] = [{}]
        for case in body.named_children if body is not None else ():
            if case.type == "case_clause":
                results.append(self.branch(partial(self.case, case, subject)))
        self.join(results)

    def case(self, node: Node, subject: int) -> None:
        """One case clause."""
        for child in node.named_children:
            if child.type == "case_pattern":
                self.pattern(child, subject)
            elif child.type == "if_clause":
                self.children(child)
            elif child.type == "block":
                self.block(child)

    def pattern(self, node: Node, value: int) -> None:
        """A case pattern: captures bind names, classes and dotted values are read."""
        for child in node.named_children:
            kind = child.type
            if kind == "dotted_name":
                parts = child.named_children
                if len(parts) == 1 and node.type != "class_pattern":
                    self.assign(parts[0], value, parts[0])
                else:
                    self.dotted(parts)
            elif kind == "identifier" and node.type in ("as_pattern", "splat_pattern", "as_pattern_target"):
                self.assign(child, value, child)
            elif kind == "identifier" and node.type == "keyword_pattern":
                continue
            elif self.depth < MAX_DEPTH:
                self.depth += 1
                self.pattern(child, value if kind in ("as_pattern", "union_pattern", "case_pattern") else 0)
                self.depth -= 1

    def dotted(self, parts: list[Node]) -> int:
        """Read ``a.b.c`` given as separate identifiers."""
        value = self.identifier(parts[0], "read", len(parts) > 1)
        for index, part in enumerate(parts[1:], 2):
            base, value = value, self.new()
            self.emit(Op.ATTR, value, base, self.text(part))
            self.site(part, "read", value, base, inner=index < len(parts))
        return value
