"""Statements, but for control flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tree_sitter import Node

from graphmer_geo.kg.languages.python.builder import MAX_DEPTH
from graphmer_geo.kg.languages.python.control import Control
from graphmer_geo.kg.languages.python.ir import Op

_CLAUSES = ("elif_clause", "else_clause", "except_clause", "finally_clause", "case_clause")


class Statements(Control):
    """Compiles statements."""

    statements: ClassVar[dict[str, Callable[[Statements, Node], None]]] = {}

    def block(self, body: Node) -> None:
        """Compile the statements of a block."""
        if self.depth >= MAX_DEPTH:
            self.problem(body, f"nested deeper than {MAX_DEPTH} levels: skipped")
            return
        self.depth += 1
        handlers = self.statements
        for child in body.named_children:
            handler = handlers.get(child.type)
            if handler is not None:
                handler(self, child)
            elif child.type != "comment":
                self.expr(child)
        self.depth -= 1

    def nothing(self, node: Node) -> None:
        """``pass``, ``break``, ``continue``."""

    def expression(self, node: Node) -> None:
        """An expression statement, assignments included."""
        for child in node.named_children:
            kind = child.type
            if kind == "assignment":
                self.assignment(child)
            elif kind == "augmented_assignment":
                self.augmented(child)
            elif kind not in ("string", "comment") or b"{" in self.source[child.start_byte : child.end_byte]:
                self.expr(child)

    def assignment(self, node: Node) -> None:
        """``a = b = value`` nests to the right."""
        links = [node]
        right = node.child_by_field_name("right")
        while right is not None and right.type == "assignment":
            links.append(right)
            right = right.child_by_field_name("right")
        value = self.value(right)
        for link in links:
            left = link.child_by_field_name("left")
            if left is None:
                continue
            annotation = link.child_by_field_name("type")
            if annotation is not None:
                self.annotated_target(left, value, link, annotation, right is not None)
            else:
                self.assign(left, value, link)
            if left.type == "identifier" and right is not None and self.text(left) == "__all__":
                self.export_names(right)

    def annotated_target(
        self, left: Node, value: int, statement: Node, annotation: Node, assigned: bool
    ) -> None:
        """``target: annotation = value``."""
        entity = -1
        variable = 0
        if left.type == "identifier":
            name = self.text(left)
            if assigned or self.scope.kind != "function":
                entity = self.assign_name(left, value, statement)
                variable = self.scope.current.get(name, 0)
            else:
                variable = self.bind(name, 0)
        elif left.type == "attribute":
            entity = self.assign_attribute(left, value, statement)
            variable = self.narrowed(left)
        else:
            self.assign(left, value, statement)
        subject = entity if entity >= 0 else self.scope.caller
        types = self.annotation(annotation, subject, "annotation" if entity >= 0 else "type")
        if types and variable:
            self.emit(Op.ANNOTATED, variable, types)
            if left.type == "attribute":
                base = self.expr(left.child_by_field_name("object"))
                self.sites.pop()
                name_node = left.child_by_field_name("attribute")
                if base and name_node is not None:
                    self.emit(Op.SETATTR, base, self.text(name_node), variable)

    def augmented(self, node: Node) -> None:
        """``target += value``."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None:
            return
        old = self.expr(left)
        added = self.value(right)
        value = self.operate(old, added, operator.type if operator else "")
        if value:
            self.flow(value, old)
        self.assign(left, value, node)
        if left.type == "identifier" and right is not None and self.text(left) == "__all__":
            self.export_names(right)

    # -- names --------------------------------------------------------------------------------------

    def delete(self, node: Node) -> None:
        """``del``."""
        for child in node.named_children:
            targets = child.named_children if child.type == "expression_list" else [child]
            for target in targets:
                self.delete_target(target)

    def delete_target(self, target: Node) -> None:
        """``del a``, ``del a.b``, ``del a[b]``."""
        if target.type == "subscript":
            base = self.expr(target.child_by_field_name("value"))
            for key in target.children_by_field_name("subscript"):
                self.expr(key)
            self.ask(base, ("__delitem__",))
        elif target.type == "attribute" and len(target.named_children) == 2:
            value, name = target.named_children
            base = self.reference(value, "read", True) or self.new()
            self.site(name, "read", 0, base)  # no value: nothing is read
            self.ask(base, ("__delattr__",))
        else:
            self.expr(target)

    def outer_names(self, node: Node) -> None:
        """``global`` and ``nonlocal``."""
        how = "global" if node.type == "global_statement" else "nonlocal"
        for child in node.named_children:
            if child.type == "identifier":
                name = self.text(child)
                if self.scope.kind != "module":
                    self.scope.outer[name] = how
                self.unstable.add(name)

    # -- leaving ------------------------------------------------------------------------------------

    def return_(self, node: Node) -> None:
        """``return``."""
        value = 0 if node.named_child_count else self.of_type("types.NoneType")
        for child in node.named_children:
            if child.type != "comment":
                value = self.value(child)
        info = self.scope.function
        if info is not None and value:
            self.result(value, info)
        self.scope.dead = True

    def raise_(self, node: Node) -> None:
        """``raise``."""
        cause = node.child_by_field_name("cause")
        for child in node.named_children:
            if cause is not None and child.start_byte == cause.start_byte:
                self.expr(child)
            elif child.type == "call":
                before = len(self.sites)
                self.expr(child)
                self.raised_call(child, before)
            elif child.type in ("identifier", "attribute"):
                value = self.reference(child, "raise")
                if value:
                    self.emit(Op.RAISE, value, self.scope.caller)
            else:
                self.expr(child)
        self.scope.dead = True

    def raised_call(self, node: Node, before: int) -> None:
        """``raise X(...)``: the name is both called and raised."""
        callee = node.child_by_field_name("function")
        name = (
            callee.child_by_field_name("attribute")
            if callee is not None and callee.type == "attribute"
            else callee
        )
        for site in self.sites[before:]:
            if name is not None and site.start == name.start_byte and site.role == "call":
                self.sites.append(site._replace(role="raise"))
                return

    # -- definitions and the rest ------------------------------------------------------------------

    def decorated(self, node: Node) -> None:
        """A definition with decorators."""
        decorators = [child for child in node.named_children if child.type == "decorator"]
        definition = node.child_by_field_name("definition")
        if definition is not None and definition.type == "class_definition":
            self.klass(definition, node, decorators)
        elif definition is not None:
            self.function(definition, node, decorators)

    def function_statement(self, node: Node) -> None:
        """``def``."""
        self.function(node, node, [])

    def class_statement(self, node: Node) -> None:
        """``class``."""
        self.klass(node, node, [])

    def type_alias(self, node: Node) -> None:
        """``type Name = …``."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        name = left.named_children[0] if left is not None and left.named_children else None
        if name is not None and name.type in ("attribute", "subscript"):
            self.assigned_type_call(node, name, right)
            return
        if name is not None and name.type == "generic_type" and name.named_children:
            name = name.named_children[0]
        value = self.annotation(right, self.scope.caller, "type")
        if name is not None and name.type == "identifier":
            self.assign(name, value, node)

    def assigned_type_call(self, node: Node, target: Node, right: Node | None) -> None:
        """``type(x).a = value``, which the grammar takes for a type alias."""
        value = 0
        for child in right.named_children if right is not None else ():
            value = self.expr(child)
        tail: list[Node] = []
        while target.type in ("attribute", "subscript") and target.named_children:
            tail.append(target)
            target = target.named_children[0]
        keyword = node.children[0]
        callee, base = self.read("type"), self.new()
        self.site(keyword, "call", callee)
        argument = self.expr(target)
        self.emit(Op.CALL, base, callee, ((argument, False),), (), self.scope.caller, True)
        for link in reversed(tail):
            name = link.child_by_field_name("attribute")
            if name is None:
                self.expr(link.child_by_field_name("subscript"))
                base = self.new()
            elif link is tail[0]:
                self.emit(Op.SETATTR, base, self.text(name), value)
                self.site(name, "write", 0, base)
            else:
                result = self.new()
                self.emit(Op.ATTR, result, base, self.text(name))
                self.site(name, "read", result, base, inner=True)
                base = result

    def assert_(self, node: Node) -> None:
        """``assert``."""
        for index, child in enumerate(node.named_children):
            if index:
                self.expr(child)
            else:
                self.condition(child)

    def plain(self, node: Node) -> None:
        """A statement that is only its expressions."""
        self.children(node)


Statements.statements.update(
    {
        "expression_statement": Statements.expression,
        "if_statement": Statements.if_,
        "for_statement": Statements.for_,
        "while_statement": Statements.while_,
        "try_statement": Statements.try_,
        "with_statement": Statements.with_,
        "match_statement": Statements.match,
        "return_statement": Statements.return_,
        "raise_statement": Statements.raise_,
        "delete_statement": Statements.delete,
        "decorated_definition": Statements.decorated,
        "function_definition": Statements.function_statement,
        "class_definition": Statements.class_statement,
        "type_alias_statement": Statements.type_alias,
        "block": Statements.block,
        "ERROR": Statements.error,
        **dict.fromkeys(_CLAUSES, Statements.clause),
        **dict.fromkeys(("global_statement", "nonlocal_statement"), Statements.outer_names),
        **dict.fromkeys(("pass_statement", "break_statement", "continue_statement"), Statements.nothing),
        "assert_statement": Statements.assert_,
        **dict.fromkeys(("print_statement", "exec_statement"), Statements.plain),
    }
)
