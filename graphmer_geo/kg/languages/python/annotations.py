"""Type annotations: which types they name, and for which entity."""

from __future__ import annotations

from tree_sitter import Node

from graphmer_geo.kg.languages.python.builder import MAX_DEPTH
from graphmer_geo.kg.languages.python.ir import Op
from graphmer_geo.kg.languages.python.targets import Targets

_TRANSPARENT = {"Optional", "Union", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"}


class Annotations(Targets):
    """Compiles annotations."""

    def annotation(self, node: Node | None, subject: int, role: str = "annotation") -> int:
        """Compile an annotation of ``subject``; the variable holds the outermost types' declarations."""
        if node is None or self.depth >= MAX_DEPTH:
            return 0
        self.depth += 1
        try:
            return self.annotated(node, subject, role)
        finally:
            self.depth -= 1

    def annotated(self, node: Node, subject: int, role: str) -> int:
        """Dispatch on the form of the annotation."""
        kind = node.type
        if kind == "identifier":
            variable = self.read(self.text(node))
            self.site(node, role, variable, subject=subject)
            return variable
        if kind in ("attribute", "member_type"):
            return self.annotated_attribute(node, subject, role)
        if kind == "string":
            return self.forward(node, subject, role)
        if kind in ("union_type", "binary_operator"):
            return self.merge_types([self.annotation(c, subject, role) for c in node.named_children])
        if kind in ("subscript", "generic_type"):
            return self.generic(node, subject, role)
        if kind in ("type", "parenthesized_expression", "constrained_type"):
            return self.merge_types([self.annotation(c, subject, role) for c in node.named_children])
        if kind in ("list", "tuple", "type_parameter", "expression_list", "list_splat", "splat_type"):
            for child in node.named_children:
                self.annotation(child, subject, "type")
            return 0
        return self.expr(node) if kind == "call" else 0

    def annotated_attribute(self, node: Node, subject: int, role: str) -> int:
        """``module.Type``."""
        parts = node.named_children
        if len(parts) != 2:
            return self.children(node)
        target = (
            parts[0].named_children[0] if parts[0].type == "type" and parts[0].named_children else parts[0]
        )
        base = self.reference(target, "read", True) or self.new()
        variable = self.new()
        self.emit(Op.ATTR, variable, base, self.text(parts[1]))
        self.site(parts[1], role, variable, base, subject=subject)
        return variable

    def merge_types(self, types: list[int]) -> int:
        """One variable for several alternatives."""
        known = [t for t in types if t]
        if len(known) < 2:
            return known[0] if known else 0
        variable = self.new()
        for source in known:
            self.flow(variable, source)
        return variable

    def generic(self, node: Node, subject: int, role: str) -> int:
        """``Optional[X]`` stands for X; of any other ``C[X]`` the outermost type is C."""
        if not node.named_children:
            return 0
        head = node.named_children[0]
        arguments = [child for child in node.named_children[1:] if child.type != "comment"]
        name = self.text(head).rpartition(".")[2]
        if name == "Literal":
            self.annotation(head, subject, "type")
            return 0
        inner = arguments
        if len(inner) == 1 and inner[0].type in ("type_parameter", "tuple"):
            inner = list(inner[0].named_children)
        if name not in _TRANSPARENT:
            outer = self.annotation(head, subject, role)
            return self.parametrised(outer, inner, [self.annotation(a, subject, "type") for a in inner])
        self.annotation(head, subject, "type")
        if name == "Annotated":
            inner = inner[:1]
        return self.merge_types([self.annotation(argument, subject, role) for argument in inner])

    def parametrised(self, outer: int, nodes: list[Node], arguments: list[int]) -> int:
        """A variable for a type with arguments."""
        is_open = bool(nodes) and self.text(nodes[-1]) == "..."
        if not outer or not any(arguments):
            return outer
        variable = self.new()
        self.emit(Op.GENERIC, variable, outer, tuple(arguments), is_open)
        return variable

    def forward(self, node: Node, subject: int, role: str) -> int:
        """A type written in quotes: parse the quoted part where it stands."""
        root = self.quoted(node)
        for statement in root.named_children if root is not None else ():
            if statement.type == "expression_statement" and statement.named_child_count == 1:
                return self.annotation(statement.named_children[0], subject, role)
        return 0

    def annotate_elements(self, node: Node, subject: int, variable: int, container: str) -> None:
        """``*a: X`` is a tuple of X, ``**a: X`` a dictionary."""
        types = self.annotation(node, subject)
        if types:
            outer, whole = self.new(), self.new()
            self.emit(Op.GLOBAL, outer, container)
            self.emit(Op.GENERIC, whole, outer, (types,) if container == "tuple" else (0, types), True)
            self.emit(Op.ANNOTATED, variable, whole)

    def annotate(self, node: Node | None, subject: int, variable: int) -> None:
        """``variable`` is declared to hold an instance of the annotated type."""
        types = self.annotation(node, subject)
        if types and variable:
            self.emit(Op.ANNOTATED, variable, types)
