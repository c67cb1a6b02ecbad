"""Expressions: each becomes a variable that holds its possible values (0: nothing worth tracking)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tree_sitter import Node

from graphmer_geo.kg.languages.python.builder import MAX_DEPTH, Builder
from graphmer_geo.kg.languages.python.ir import Op
from graphmer_geo.kg.languages.python.text import string_value

TRUTH = ("__bool__", "__len__")
_OBJECTS = frozenset(("identifier", "attribute", "call", "subscript", "await", "named_expression"))
MAX_KNOWN_STRING = 40  #: longer string literals are only known to be strings


def both(node: Node, first: str, second: str) -> tuple[Node, Node] | None:
    """The children of two fields; None where one is missing. Whole nodes have just these: no look-up."""
    parts = node.named_children
    if len(parts) == 2 and not node.has_error:
        return parts[0], parts[1]
    one, other = node.child_by_field_name(first), node.child_by_field_name(second)
    return None if one is None or other is None else (one, other)


class Expressions(Builder):
    """Compiles expressions."""

    handlers: ClassVar[dict[str, Callable[[Expressions, Node], int]]] = {}

    def expr(self, node: Node | None) -> int:
        """Compile an expression."""
        return self.dispatch(node, node.type) if node is not None else 0

    def dispatch(self, node: Node, kind: str) -> int:
        """Compile an expression of a known kind."""
        handler = self.handlers.get(kind)
        if handler is None:
            return 0
        if self.depth >= MAX_DEPTH:
            self.problem(node, f"nested deeper than {MAX_DEPTH} levels: skipped")
            return 0
        self.depth += 1
        value = handler(self, node)
        self.depth -= 1
        return value

    def children(self, node: Node) -> int:
        """Compile what an unknown or broken construct contains."""
        for child in node.named_children:
            self.expr(child)
        return 0

    # -- names and attributes ----------------------------------------------------------------------

    def identifier(self, node: Node, role: str = "read", inner: bool = False) -> int:
        """A plain name."""
        start, end = node.start_byte, node.end_byte
        name = self.chars[start:end]
        scope = self.scope
        variable = None if scope.outer or scope.loops else scope.current.get(name)
        if variable is None:
            variable = self.read(name)
        self.refer(name, start, end, role, scope.caller, variable, 0, inner)
        return variable

    def attribute(self, node: Node, role: str = "read", inner: bool = False) -> int:
        """``base.name``."""
        parts = both(node, "object", "attribute")
        if parts is None:
            return self.children(node)
        target, last = parts
        base = self.reference(target, "read", True) or self.new()
        start, end = last.start_byte, last.end_byte
        name = self.chars[start:end]
        value = self.narrowed(node) if self.scope.paths else 0
        if not value:
            value = self.new()
            self.ops.append((Op.ATTR, value, base, name))
        self.refer(name, start, end, role, self.scope.caller, value, base, inner)
        return value

    def reference(self, node: Node, role: str, inner: bool = False) -> int:
        """Compile an expression whose name, if it is one, is used in the given role."""
        kind = node.type
        if kind == "identifier":
            return self.identifier(node, role, inner)
        if kind == "attribute" and self.depth < MAX_DEPTH:
            self.depth += 1
            value = self.attribute(node, role, inner)
            self.depth -= 1
            return value
        return self.dispatch(node, kind)

    def ask(self, value: int, methods: tuple[str, ...]) -> None:
        """Syntax that calls the first of these methods that a value has."""
        if value:
            self.emit(Op.ASK, value, methods, self.scope.caller)

    def condition(self, node: Node | None) -> int:
        """Compile an expression that is asked whether it is true; comparisons and literals are no objects."""
        value = self.expr(node)
        if node is not None and node.type in _OBJECTS:
            self.ask(value, TRUTH)
        return value

    def key(self, node: Node) -> int | str | bool | None:
        """The value of a constant subscript."""
        kind = node.type
        if kind == "string":
            value = string_value(self.text(node)) if node.named_child_count <= 3 else None
            return value if value is not None and len(value) <= MAX_KNOWN_STRING else None
        if kind == "true" or kind == "false":
            return kind == "true"
        negative = kind == "unary_operator"
        if kind != "integer" and not negative:
            return None
        text = self.text(node)
        if negative and text.startswith("-"):
            text = text[1:].strip()
        try:
            number = int(text, 0) if len(text) < 10 else None
        except ValueError:
            return None
        return -number if negative and number is not None else number

    def path(self, node: Node) -> tuple[str, str] | None:
        """``(root name, path)`` of ``a.b``, ``a['k']``, ``a[0].b``, … with a plain local root."""
        tail: list[str] = []
        while node.type != "identifier":
            if len(tail) > 3:
                return None
            if node.type == "attribute":
                name, target = node.child_by_field_name("attribute"), node.child_by_field_name("object")
                tail.append("." + self.text(name) if name else "")
            elif node.type == "subscript":
                keys, target = node.children_by_field_name("subscript"), node.child_by_field_name("value")
                key = self.key(keys[0]) if len(keys) == 1 else None
                if key is None:
                    return None
                tail.append(f"[{key!r}]")
            else:
                return None
            if target is None:
                return None
            node = target
        root = self.text(node)
        return root, root + "".join(reversed(tail))

    def narrowed(self, node: Node) -> int:
        """The value last assigned to this path in this scope, if nothing it hangs on was assigned since."""
        if not self.scope.paths:
            return 0
        found = self.path(node)
        if found is None or found[1] not in self.scope.paths.get(found[0], ()):
            return 0
        return self.held(self.scope, found[1]) or 0

    def narrow(self, node: Node, value: int) -> None:
        """From here on this path holds ``value``."""
        found = self.path(node)
        scope = self.scope
        if found is None or found[0] not in scope.current or found[0] in self.unstable:
            return
        scope.forget_paths(*found)
        held = self.new()
        self.flow(held, value)
        scope.paths.setdefault(found[0], set()).add(found[1])
        scope.set(found[1], held)

    def subscript(self, node: Node) -> int:
        """``base[key]``."""
        base = self.expr(node.child_by_field_name("value"))
        keys = node.children_by_field_name("subscript")
        value = self.narrowed(node)
        if len(keys) == 1 and keys[0].type == "slice":
            return self.slice(node, base, keys[0])
        index = 0
        for key in keys:
            known = self.key(key)
            index = self.constant(known) if known is not None else self.expr(key)
        if value or not base:
            return value
        value = self.new()
        self.emit(Op.ITEM, value, base, index if len(keys) == 1 else 0, self.scope.caller)
        return value

    def slice(self, node: Node, base: int, bounds: Node) -> int:
        """``base[low:high]``."""
        low: int | str | bool | None = 0
        high: int | str | bool | None = None
        seen = 0
        for child in bounds.children:
            if child.type == ":":
                seen += 1
                continue
            self.expr(child)
            known = self.key(child)
            if seen == 0:
                low = known
            elif seen == 1:
                high = known if known is not None else -1
        value = self.new()
        exact = (
            seen == 1
            and isinstance(low, int)
            and low >= 0
            and (high is None or (isinstance(high, int) and high >= 0))
        )
        self.emit(Op.SLICE, value, base, low if exact else None, high if exact else None)
        return value

    def assign(self, target: Node, value: int, statement: Node) -> None:
        """Assign to a target; see :class:`Targets`."""
        raise NotImplementedError


Expressions.handlers.update(
    {
        "identifier": Expressions.identifier,
        "attribute": Expressions.attribute,
        "subscript": Expressions.subscript,
        **dict.fromkeys(("ERROR", "slice", "list_splat", "dictionary_splat"), Expressions.children),
        **dict.fromkeys(
            ("interpolation", "type", "format_specifier", "format_expression"), Expressions.children
        ),
        **dict.fromkeys(("pair", "chevron"), Expressions.children),
    }
)
