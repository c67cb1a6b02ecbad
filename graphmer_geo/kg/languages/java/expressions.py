"""Turns expressions into operations (see :mod:`.ops`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tree_sitter import Node

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.languages.java.grammar import TYPE_NODES, dimensions, name_of, type_ref
from graphmer_geo.kg.languages.java.parameters import declare_lambda

if TYPE_CHECKING:
    from graphmer_geo.kg.languages.java.declarations import Extractor

_LITERALS = {
    "decimal_integer_literal": "int",
    "hex_integer_literal": "int",
    "octal_integer_literal": "int",
    "binary_integer_literal": "int",
    "decimal_floating_point_literal": "double",
    "hex_floating_point_literal": "double",
    "true": "boolean",
    "false": "boolean",
    "character_literal": "char",
    "string_literal": "String",
    "null_literal": "null",
}
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||"})


class ExpressionReader:
    """Reads the expressions of the code that one entity runs; operations are appended to :attr:`ops`."""

    def __init__(self, extractor: Extractor, entity: int, class_index: int) -> None:
        self.extractor = extractor
        self.text = extractor.text
        self.entity = entity
        self.class_index = class_index
        self.ops: o.Ops = []
        self.yields: list[list[int]] = []

    def emit(self, *op: object) -> int:
        """Appends an operation; returns its index."""
        self.ops.append(op)
        return len(self.ops) - 1

    def statement(self, node: Node) -> None:
        """Reads a statement: expressions contain some, in lambdas and switches."""
        raise NotImplementedError

    def block(self, node: Node) -> None:
        """Reads the statements of a body."""
        raise NotImplementedError

    def expression(self, node: Node) -> int:
        """Reads an expression; returns the index of its operation, or -1 where there is nothing to know."""
        kind = node.type
        if self.extractor.has_errors and node.is_missing:
            return -1
        if kind == "identifier":
            start, ops = node.start_byte, self.ops
            ops.append((o.NAME, self.text.slice(start, node.end_byte), start, o.READ, False))
            return len(ops) - 1
        literal = _LITERALS.get(kind)
        if literal is not None:
            if literal in ("int", "double"):
                suffix = self.source_byte(node.end_byte - 1)
                literal = "long" if suffix in b"lL" else literal
                if literal == "double" and suffix in b"fF":
                    literal = "float"
            return self.emit(o.LITERAL, literal)
        handler = EXPRESSIONS.get(kind)
        if not self.extractor.enter(node):
            return -1
        result = -1
        if handler is not None:
            result = handler(self, node)
        elif kind == "ERROR" or kind.endswith(("_statement", "_declaration", "block")):
            self.statement(node)
        else:
            for child in node.named_children:
                self.expression(child)
        self.extractor.leave()
        return result

    def source_byte(self, at: int) -> bytes:
        """One byte of the source."""
        return self.text.source[at : at + 1] or b" "

    def arguments(self, node: Node | None) -> tuple[int, ...]:
        """The operations of an argument list."""
        if node is None:
            return ()
        return tuple(self.expression(c) for c in node.named_children if not c.type.endswith("comment"))

    def qualifier(self, node: Node) -> int:
        """An expression before a dot: it may as well be a type or a package."""
        kind = node.type
        if kind == "identifier" and not node.is_missing:
            return self.emit(o.NAME, self.text.of(node), node.start_byte, o.READ, True)
        if kind == "field_access":
            return self._field_access(node, is_prefix=True)
        if kind in TYPE_NODES or kind == "scoped_type_identifier":
            ref = type_ref(node, self.text)
            return self.emit(o.TYPE, ref) if ref is not None else -1
        return self.expression(node)

    def _call(self, node: Node) -> int:
        # `a.b().c().d()` nests to the left; long fluent chains must not recurse.
        chain: list[Node] = []
        current = node
        while True:
            chain.append(current)
            inner = current.child_by_field_name("object")
            if inner is None or inner.type != "method_invocation":
                break
            current = inner
        index = -1
        if inner is not None:
            index = self.qualifier(inner)
        for call in reversed(chain):
            name = name_of(call)
            arguments = call.child_by_field_name("arguments")
            if call is current and index >= 0 and any(c.type == "super" for c in call.children[1:]):
                index = self.emit(o.OUTER_SUPER, index)
            self._type_arguments(call.child_by_field_name("type_arguments"))
            args = self.arguments(arguments)
            if name is not None:
                obj = index if inner is not None or call is not current else -1
                index = self.emit(
                    o.CALL, obj, self.text.of(name), name.start_byte, args, inner is None and call is current
                )
        return index

    def _type_arguments(self, node: Node | None) -> None:
        if node is not None:
            for child in node.named_children:
                ref = type_ref(child, self.text) if child.type in TYPE_NODES else None
                if ref is not None:
                    self.emit(o.TYPE, ref)

    def _field_access(self, node: Node, is_prefix: bool = False, access: int = o.READ) -> int:
        chain: list[Node] = []
        current: Node = node
        while current.type == "field_access":
            chain.append(current)
            inner = current.child_by_field_name("object")
            if inner is None:
                return -1
            current = inner
        index = self.qualifier(current)
        for item in reversed(chain):
            name = item.child_by_field_name("field")
            if name is not None and name.is_missing:
                name = None
            if any(c.type == "super" for c in item.children[1:]):
                index = self.emit(o.OUTER_SUPER, index)
            if name is None:
                continue
            if name.type == "this":
                index = self.emit(o.OUTER_THIS, index)
            else:
                last = item is node
                index = self.emit(
                    o.FIELD,
                    index,
                    self.text.of(name),
                    name.start_byte,
                    access if last else o.READ,
                    is_prefix or not last,
                )
        return index

    def _target(self, node: Node, access: int) -> int:
        """The left side of an assignment."""
        if node.type == "identifier" and not node.is_missing:
            return self.emit(o.NAME, self.text.of(node), node.start_byte, access, False)
        if node.type == "field_access":
            return self._field_access(node, access=access)
        if node.type == "parenthesized_expression" and node.named_child_count == 1:
            inner = node.named_child(0)
            return self._target(inner, access) if inner is not None else -1
        return self.expression(node)

    def _assignment(self, node: Node) -> int:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        access = o.WRITE if operator is not None and operator.type == "=" else o.UPDATE
        target = self._target(left, access) if left is not None else -1
        value = self.expression(right) if right is not None else -1
        return self.emit(o.ASSIGN, target, value)

    def _update(self, node: Node) -> int:
        index = -1
        for child in node.named_children:
            index = self._target(child, o.UPDATE)
        return self.emit(o.SAME, index)

    def _binary(self, node: Node) -> int:
        # `a + b + c` nests to the left; generated code has thousands of them.
        rights: list[Node] = []
        operators: list[str] = []
        current: Node | None = node
        while current is not None and current.type == "binary_expression":
            right = current.child_by_field_name("right")
            operator = current.child_by_field_name("operator")
            if right is not None:
                rights.append(right)
            operators.append(operator.type if operator is not None else "")
            current = current.child_by_field_name("left")
        operands = [self.expression(current)] if current is not None else []
        operands.extend(self.expression(right) for right in reversed(rights))
        if operators[0] in _COMPARISONS:
            return self.emit(o.TEST)
        return self.emit(o.BINARY, operators[0], tuple(operands))

    def _unary(self, node: Node) -> int:
        operand = node.child_by_field_name("operand")
        return self.emit(o.SAME, self.expression(operand) if operand is not None else -1)

    def _parenthesized(self, node: Node) -> int:
        index = -1
        for child in node.named_children:
            if not child.type.endswith("comment"):
                index = self.expression(child)
        return index

    def _new(self, node: Node) -> int:
        type_node, arguments = node.child_by_field_name("type"), node.child_by_field_name("arguments")
        ref = type_ref(type_node, self.text) if type_node is not None else None
        body: Node | None = None
        outer = -1
        for child in node.named_children:
            kind = child.type
            if kind == "class_body":
                body = child
            elif child == type_node:
                continue
            elif type_node is not None and child.end_byte <= type_node.start_byte:
                if kind == "type_arguments":
                    self._type_arguments(child)
                elif "annotation" not in kind and "comment" not in kind:
                    outer = self.expression(child)
        args = self.arguments(arguments)
        if ref is None:
            return -1
        index = -1
        if body is not None:
            index = self.extractor.anonymous_class(node, body, ref, self.entity, self.class_index)
        return self.emit(o.NEW, ref, args, outer, index)

    def _new_array(self, node: Node) -> int:
        type_node = node.child_by_field_name("type")
        extra = 0
        for child in node.named_children:
            if child.type == "dimensions":
                extra += dimensions(child)
            elif child.type == "dimensions_expr":
                extra += 1
                for inner in child.named_children:
                    self.expression(inner)
            elif child.type == "array_initializer":
                self.expression(child)
        ref = type_ref(type_node, self.text) if type_node is not None else None
        return self.emit(o.NEW_ARRAY, ref, extra) if ref is not None else -1

    def _index(self, node: Node) -> int:
        array, index = node.child_by_field_name("array"), node.child_by_field_name("index")
        base = self.expression(array) if array is not None else -1
        if index is not None:
            self.expression(index)
        return self.emit(o.INDEX, base)

    def _cast(self, node: Node) -> int:
        value = node.child_by_field_name("value")
        refs = [
            ref for c in node.children_by_field_name("type") if (ref := type_ref(c, self.text)) is not None
        ]
        index = self.expression(value) if value is not None else -1
        for ref in refs[1:]:
            self.emit(o.TYPE, ref)
        return self.emit(o.CAST, refs[0], index) if refs else index

    def _ternary(self, node: Node) -> int:
        alternatives: list[int] = []
        current: Node | None = node
        while current is not None and current.type == "ternary_expression":  # a chain nests to the right
            condition, first = (
                current.child_by_field_name("condition"),
                current.child_by_field_name("consequence"),
            )
            if condition is not None:
                self.expression(condition)
            if first is not None:
                alternatives.append(self.expression(first))
            current = current.child_by_field_name("alternative")
        if current is not None:
            alternatives.append(self.expression(current))
        return self.emit(o.CHOICE, tuple(alternatives))

    def _instanceof(self, node: Node) -> int:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        pattern, name = node.child_by_field_name("pattern"), name_of(node)
        if left is not None:
            self.expression(left)
        if right is not None:
            ref = type_ref(right, self.text)
            if ref is not None and name is not None:
                self.emit(o.LOCAL, self.text.of(name), name.start_byte, ref, -1, o.PATTERN)
            elif ref is not None:
                self.emit(o.TYPE, ref)
        if pattern is not None:
            self.pattern(pattern)
        return self.emit(o.TEST)

    def pattern(self, node: Node) -> None:
        """Declares the variables of a type or record pattern."""
        ref: o.TypeRef | None = None
        children = [
            c for c in node.named_children if not c.type.endswith("comment") and c.type != "modifiers"
        ]
        for child in children:
            kind = child.type
            if kind in TYPE_NODES or (kind == "identifier" and ref is None):
                ref = type_ref(child, self.text)
                if len(children) == 1 or (child is children[0] and node.type == "record_pattern"):
                    if ref is not None:
                        self.emit(o.TYPE, ref)
            elif kind == "identifier":
                if ref is not None:
                    self.emit(o.LOCAL, self.text.of(child), child.start_byte, ref, -1, o.PATTERN)
            elif self.extractor.enter(child):
                self.pattern(child)
                self.extractor.leave()

    def _lambda(self, node: Node) -> int:
        parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        entity = self.extractor.entities.add_lambda(self.entity, node.start_byte, node.end_byte)
        declared = declare_lambda(self.extractor, parameters, entity)
        inner = type(self)(self.extractor, entity, self.class_index)
        value = -1
        if body is not None and body.type == "block":
            inner.block(body)
        elif body is not None:
            value = inner.expression(body)
        return self.emit(o.LAMBDA, entity, declared, inner.ops, value)

    def _method_reference(self, node: Node) -> int:
        children = [c for c in node.children if not c.type.endswith("comment")]
        if len(children) < 3:
            return -1
        name = children[-1]
        index = self.qualifier(children[0])
        if any(c.type == "super" for c in children[1:-1]):
            index = self.emit(o.OUTER_SUPER, index)
        text = "<init>" if name.type == "new" else self.text.of(name)
        return self.emit(o.METHOD_REF, index, text, name.start_byte)

    def _class_literal(self, node: Node) -> int:
        first = node.named_child(0)
        ref = type_ref(first, self.text) if first is not None else None
        return self.emit(o.CLASS_LITERAL, ref) if ref is not None else -1

    def _switch(self, node: Node) -> int:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        selector = self.expression(condition) if condition is not None else -1
        self.emit(o.SWITCH, selector)
        self.emit(o.PUSH)
        self.yields.append([])
        for group in body.named_children if body is not None else ():
            self._switch_group(group)
        self.emit(o.POP)
        return self.emit(o.SWITCH_END, tuple(self.yields.pop()))

    def _switch_group(self, group: Node) -> None:
        is_rule = group.type == "switch_rule"
        for child in group.named_children:
            kind = child.type
            if kind == "switch_label":
                for label in child.named_children:
                    if label.type == "identifier":
                        self.emit(o.CASE, self.text.of(label), label.start_byte)
                    elif label.type == "pattern":
                        self.pattern(label)
                    else:
                        self.expression(label)
            elif is_rule and kind == "expression_statement":
                for value in child.named_children:
                    self.yields[-1].append(self.expression(value))
            else:
                self.statement(child)

    def _this(self, node: Node) -> int:
        return self.emit(o.THIS)

    def _super(self, node: Node) -> int:
        return self.emit(o.SUPER)

    def _nothing(self, node: Node) -> int:
        return -1


EXPRESSIONS = {
    "method_invocation": ExpressionReader._call,
    "field_access": ExpressionReader._field_access,
    "assignment_expression": ExpressionReader._assignment,
    "update_expression": ExpressionReader._update,
    "binary_expression": ExpressionReader._binary,
    "unary_expression": ExpressionReader._unary,
    "parenthesized_expression": ExpressionReader._parenthesized,
    "object_creation_expression": ExpressionReader._new,
    "array_creation_expression": ExpressionReader._new_array,
    "array_access": ExpressionReader._index,
    "cast_expression": ExpressionReader._cast,
    "ternary_expression": ExpressionReader._ternary,
    "instanceof_expression": ExpressionReader._instanceof,
    "lambda_expression": ExpressionReader._lambda,
    "method_reference": ExpressionReader._method_reference,
    "class_literal": ExpressionReader._class_literal,
    "switch_expression": ExpressionReader._switch,
    "this": ExpressionReader._this,
    "super": ExpressionReader._super,
    "line_comment": ExpressionReader._nothing,
    "block_comment": ExpressionReader._nothing,
}
