"""Operators, displays, comprehensions, literals, ``yield``."""

from __future__ import annotations

from tree_sitter import Node

from graphmer_geo.kg.languages.python.expressions import Expressions
from graphmer_geo.kg.languages.python.invocations import SPLATS, Invocations
from graphmer_geo.kg.languages.python.ir import Op
from graphmer_geo.kg.languages.python.scopes import Scope

MAX_BOX = 64  #: elements of a container literal that are told apart
_BOXES = {"list": "list", "tuple": "tuple", "expression_list": "tuple", "set": "set", "pattern_list": "tuple"}
_BOXES |= {"tuple_pattern": "tuple", "list_pattern": "list"}
_COMPREHENSIONS = {
    "list_comprehension": "list",
    "set_comprehension": "set",
    "generator_expression": "generator",
}


class Literals(Invocations):
    """Compiles what is built from other expressions."""

    # -- operators ---------------------------------------------------------------------------------

    def binary(self, node: Node) -> int:
        """``a + b + c`` nests to the left as deep as it is long, hence the loop."""
        chain: list[Node] = []
        while node.type == "binary_operator":
            chain.append(node)
            left = node.child_by_field_name("left")
            if left is None:
                break
            node = left
        value = self.value(node)
        for link in reversed(chain):
            right = self.value(link.child_by_field_name("right"))
            operator = link.child_by_field_name("operator")
            value = self.operate(value, right, operator.type if operator else "")
        return value

    def operate(self, left: int, right: int, operator: str) -> int:
        """Apply an operator to two variables."""
        if not left and not right:
            return 0
        result = self.new()
        self.emit(Op.BINARY, result, left, right, operator, self.scope.caller)
        return result

    def comparison(self, node: Node) -> int:
        """A chain of comparisons; each may call a method."""
        operators = [o.type for o in node.children_by_field_name("operators")]
        left = 0
        for index, operand in enumerate(c for c in node.named_children if c.type != "comment"):
            right = self.expr(operand)
            if 0 < index <= len(operators) and not operators[index - 1].startswith("is"):
                self.operate(left, right, operators[index - 1])
            left = right
        return self.of_type("builtins.bool")

    def unary(self, node: Node) -> int:
        """``-a``, ``+a``, ``~a``."""
        operand = self.expr(node.child_by_field_name("argument"))
        operator = node.children[0].type if node.children else ""
        return self.operate(operand, 0, "unary" + operator) if operand else 0

    def either(self, node: Node) -> int:
        """``a or b``, ``a if c else b``."""
        if node.type == "boolean_operator":
            parts = [
                self.condition(node.child_by_field_name("left")),
                self.expr(node.child_by_field_name("right")),
            ]
        else:
            operands = [child for child in node.named_children if child.type != "comment"]
            given = [(self.condition if i == 1 else self.expr)(child) for i, child in enumerate(operands)]
            parts = given[:1] + given[2:]
        known = [part for part in parts if part]
        if len(known) < 2:
            return known[0] if known else 0
        result = self.new()
        for part in known:
            self.flow(result, part)
        return result

    def last_child(self, node: Node) -> int:
        """A wrapper around one expression: parentheses, ``await``."""
        value = 0
        for child in node.named_children:
            if child.type != "comment":
                value = self.expr(child)
        return value

    def not_operator(self, node: Node) -> int:
        """``not a``: always a boolean."""
        for child in node.named_children:
            self.condition(child)
        return self.of_type("builtins.bool")

    def await_(self, node: Node) -> int:
        """``await a``."""
        value = self.last_child(node)
        self.ask(value, ("__await__",))
        return value

    def number(self, node: Node) -> int:
        """A number that is no known integer."""
        text = self.text(node).lower()
        if text.endswith("j"):
            return self.of_type("builtins.complex")
        return self.of_type("builtins.int" if node.type == "integer" else "builtins.float")

    def none(self, node: Node) -> int:
        """``None``."""
        return self.of_type("types.NoneType")

    def named_expression(self, node: Node) -> int:
        """``name := value``; binds outside the comprehension it stands in."""
        value = self.expr(node.child_by_field_name("value"))
        name = node.child_by_field_name("name")
        here = self.scope
        while self.scope.kind == "comprehension" and self.scope.parent is not None:
            self.scope = self.scope.parent
        if name is not None:
            self.assign(name, value, node)
        self.scope = here
        return value

    # -- literals ----------------------------------------------------------------------------------

    def string(self, node: Node) -> int:
        """A string literal, with what an f-string interpolates."""
        value = self.key(node)
        if isinstance(value, str):
            return self.constant(value)
        for child in node.named_children:
            if child.type == "interpolation":
                self.interpolation(child)
        prefix = self.source[node.start_byte : node.start_byte + 2].lower()
        return self.of_type(
            "builtins.bytes" if b"b" in prefix.split(b'"')[0].split(b"'")[0] else "builtins.str"
        )

    def interpolation(self, node: Node) -> None:
        """``{a}``, ``{a!r}`` or ``{a:spec}`` in an f-string."""
        value = 0
        methods: tuple[str, ...] = ("__format__", "__str__", "__repr__")
        for index, child in enumerate(node.named_children):
            held = self.expr(child)
            if index == 0:
                value = held
            elif child.type == "type_conversion":
                methods = ("__str__", "__repr__") if self.text(child) == "!s" else ("__repr__",)
        self.ask(value, methods)

    def strings(self, node: Node) -> int:
        """Adjacent string literals."""
        value = 0
        for child in node.named_children:
            value = self.string(child) if child.type == "string" else value
        return self.of_type("builtins.str") if value else 0

    def box(self, node: Node) -> int:
        """A list, tuple or set display."""
        items: list[tuple[int | None, int]] = []
        known = True
        for index, child in enumerate(c for c in node.named_children if c.type != "comment"):
            if child.type in SPLATS:
                value = self.new()
                inner = self.expr(child.named_children[0] if child.named_children else None)
                self.emit(Op.ITER, value, inner, self.scope.caller)
                known = False
            else:
                value = self.value(child)
            items.append((index if known and index < MAX_BOX else None, value))
        result = self.new()
        kind = _BOXES[node.type]
        held = tuple((key if kind != "set" else None, value) for key, value in items if value)
        self.emit(Op.BOX, result, kind, held, len(items) if known else -1)
        return result

    def dictionary(self, node: Node) -> int:
        """A dict display."""
        items: list[tuple[int | str | bool | None, int]] = []
        spread: list[int] = []
        for child in node.named_children:
            if child.type == "pair":
                key, item = child.child_by_field_name("key"), child.child_by_field_name("value")
                known = self.key(key) if key else None
                if known is None and key is not None:
                    self.expr(key)
                value = self.value(item)
                self.last_boxed[child.start_byte] = value
                if value or known is not None:
                    items.append((known if len(items) < MAX_BOX else None, value))
            elif child.type == "dictionary_splat":
                spread.append(self.expr(child.named_children[0] if child.named_children else None))
        result = self.new()
        for source in spread:
            self.flow(result, source)
        self.emit(Op.BOX, result, "dict", tuple(items), -1)
        return result

    def comprehension(self, node: Node) -> int:
        """A comprehension: a scope of its own that runs at once."""
        outer = self.scope
        inner = Scope("comprehension", outer, outer.entity, outer.caller, outer.klass, outer.function)
        body = node.child_by_field_name("body")
        first = True
        for clause in node.named_children:
            if clause.type == "for_in_clause":
                right = clause.child_by_field_name("right")
                self.scope = outer if first else inner
                source = self.expr(right)
                first = False
                self.scope = inner
                element = self.new()
                self.emit(Op.ITER, element, source, outer.caller)
                left = clause.child_by_field_name("left")
                if left is not None:
                    self.assign(left, element, clause)
            elif clause.type == "if_clause":
                self.children(clause)
        self.scope = inner
        result = self.new()
        if node.type == "dictionary_comprehension":
            value = 0
            if body is not None:
                self.expr(body.child_by_field_name("key"))
                value = self.expr(body.child_by_field_name("value"))
            self.emit(Op.BOX, result, "dict", ((None, value),), -1)
        else:
            self.emit(Op.BOX, result, _COMPREHENSIONS[node.type], ((None, self.expr(body)),), -1)
        self.scope = outer
        return result

    def yield_(self, node: Node) -> int:
        """``yield`` and ``yield from``."""
        value = 0
        for child in node.named_children:
            value = self.expr(child)
        scope: Scope | None = self.scope
        while scope is not None and scope.kind == "comprehension":
            scope = scope.parent
        info = scope.function if scope is not None and scope.kind == "function" else None
        if info is None:
            return 0
        info.is_generator = True
        if value and any(child.type == "from" for child in node.children):
            element = self.new()
            self.emit(Op.ITER, element, value, self.scope.caller)
            value = element
        self.flow(info.yielded, value)
        return 0


Expressions.handlers.update(
    {
        "binary_operator": Literals.binary,  # type: ignore[dict-item]
        "comparison_operator": Literals.comparison,  # type: ignore[dict-item]
        "unary_operator": Literals.unary,  # type: ignore[dict-item]
        "boolean_operator": Literals.either,  # type: ignore[dict-item]
        "conditional_expression": Literals.either,  # type: ignore[dict-item]
        "not_operator": Literals.not_operator,  # type: ignore[dict-item]
        "named_expression": Literals.named_expression,  # type: ignore[dict-item]
        **dict.fromkeys(("integer", "float"), Literals.number),  # type: ignore[arg-type]
        "none": Literals.none,  # type: ignore[dict-item]
        "string": Literals.string,  # type: ignore[dict-item]
        "concatenated_string": Literals.strings,  # type: ignore[dict-item]
        "dictionary": Literals.dictionary,  # type: ignore[dict-item]
        "dictionary_comprehension": Literals.comprehension,  # type: ignore[dict-item]
        "yield": Literals.yield_,  # type: ignore[dict-item]
        "parenthesized_expression": Literals.last_child,  # type: ignore[dict-item]
        "await": Literals.await_,  # type: ignore[dict-item]
        **dict.fromkeys(_BOXES, Literals.box),  # type: ignore[arg-type]
        **dict.fromkeys(_COMPREHENSIONS, Literals.comprehension),  # type: ignore[arg-type]
    }
)
