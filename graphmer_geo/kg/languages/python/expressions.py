"""Expressions: each becomes a variable that holds its possible values (0: nothing worth tracking)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from tree_sitter import Node, Range, Tree

from graphmer_geo.kg.languages.python.builder import MAX_DEPTH, Builder
from graphmer_geo.kg.languages.python.ir import Op
from graphmer_geo.kg.languages.python.scopes import Scope
from graphmer_geo.kg.languages.python.text import string_value

MAX_KNOWN_STRING = 40  #: longer string literals are only known to be strings
MAX_BOX = 64  #: elements of a container literal that are told apart
_SPLATS = ("list_splat", "parenthesized_list_splat", "list_splat_pattern")
_BOXES = {"list": "list", "tuple": "tuple", "expression_list": "tuple", "set": "set", "pattern_list": "tuple"}
_BOXES |= {"tuple_pattern": "tuple", "list_pattern": "list"}
_CONTENT = re.compile(rb"[rRuU]?(\"\"\"|'''|\"|')(.*)\1", re.DOTALL)
_COMPREHENSIONS = {"list_comprehension": "list", "set_comprehension": "set", "generator_expression": "generator"}


class Expressions(Builder):
    """Compiles expressions."""

    handlers: ClassVar[dict[str, Callable[[Expressions, Node], int]]] = {}

    def expr(self, node: Node | None) -> int:
        """Compile an expression."""
        if node is None:
            return 0
        handler = self.handlers.get(node.type)
        if handler is None:
            return 0
        if self.depth >= MAX_DEPTH:
            self.problem(node, f"nested deeper than {MAX_DEPTH} levels: skipped")
            return 0
        self.depth += 1
        try:
            return handler(self, node)
        finally:
            self.depth -= 1

    def children(self, node: Node) -> int:
        """Compile what an unknown or broken construct contains."""
        for child in node.named_children:
            self.expr(child)
        return 0

    # -- names and attributes ----------------------------------------------------------------------------------

    def identifier(self, node: Node, role: str = "read", inner: bool = False) -> int:
        variable = self.read(self.text(node))
        self.site(node, role, variable, inner=inner)
        return variable

    def attribute(self, node: Node, role: str = "read", inner: bool = False) -> int:
        target, name = node.child_by_field_name("object"), node.child_by_field_name("attribute")
        if target is None or name is None:
            return self.children(node)
        base = self.reference(target, "read", True) or self.new()
        value = self.narrowed(node)
        if not value:
            value = self.new()
            self.emit(Op.ATTR, value, base, self.text(name))
        self.site(name, role, value, base, inner=inner)
        return value

    def reference(self, node: Node, role: str, inner: bool = False) -> int:
        """Compile an expression whose name, if it is one, is used in the given role."""
        if node.type == "identifier":
            return self.identifier(node, role, inner)
        if node.type == "attribute" and self.depth < MAX_DEPTH:
            self.depth += 1
            try:
                return self.attribute(node, role, inner)
            finally:
                self.depth -= 1
        return self.expr(node)

    def key(self, node: Node) -> int | str | bool | None:
        """The value of a constant subscript."""
        kind = node.type
        if kind == "string":
            value = string_value(self.text(node)) if node.named_child_count <= 3 else None
            return value if value is not None and len(value) <= MAX_KNOWN_STRING else None
        if kind == "true" or kind == "false":
            return kind == "true"
        negative = kind == "unary_operator"
        text = self.text(node) if kind == "integer" or negative else ""
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
        """The value last assigned to this path in the same scope, if nothing it hangs on was assigned since."""
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
        exact = seen == 1 and isinstance(low, int) and low >= 0 and (high is None or isinstance(high, int) and high >= 0)
        self.emit(Op.SLICE, value, base, low if exact else None, high if exact else None)
        return value

    # -- calls -------------------------------------------------------------------------------------------------

    def call(self, node: Node) -> int:
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if callee is None or arguments is None:
            return self.children(node)
        function = self.reference(callee, "call")
        if callee.type == "identifier" and self.text(callee) == "super" and not self.scope_binds("super"):
            return self.super_call(arguments)
        positional: list[tuple[int, bool]] = []
        named: list[tuple[str | None, int]] = []
        if arguments.type == "generator_expression":
            positional.append((self.expr(arguments), False))
        else:
            for child in arguments.named_children:
                if child.type == "keyword_argument":
                    name = child.child_by_field_name("name")
                    named.append((self.text(name) if name else "", self.value(child.child_by_field_name("value"))))
                elif child.type == "dictionary_splat":
                    named.append((None, self.value(child.named_children[0] if child.named_children else None)))
                elif child.type in _SPLATS:
                    positional.append((self.value(child.named_children[0] if child.named_children else None), True))
                elif child.type != "comment":
                    positional.append((self.value(child), False))
        result = self.new()
        if function:
            by_name = callee.type in ("identifier", "attribute")
            self.emit(Op.CALL, result, function, tuple(positional), tuple(named), self.scope.caller, by_name)
        if callee.type == "attribute":
            self.after_method_call(callee, arguments)
        elif callee.type == "identifier" and self.text(callee) in ("eval", "exec"):
            self.evaluate(arguments, result)
        return result

    def evaluate(self, arguments: Node, result: int) -> None:
        """``eval`` of a string literal is the code in it."""
        first = arguments.named_children[0] if arguments.named_children else None
        root = self.quoted(first) if first is not None and first.type == "string" else None
        if root is None or root.has_error:
            return
        for statement in root.named_children:
            if statement.type == "expression_statement" and statement.named_child_count == 1:
                self.flow(result, self.expr(statement.named_children[0]))

    def quoted(self, node: Node) -> Node | None:
        """Code in a string literal, parsed where it stands; None if the literal has escapes or several lines."""
        match = _CONTENT.fullmatch(self.source[node.start_byte : node.end_byte])
        first, last = node.start_point, node.end_point
        if not match or b"\\" in match.group(2) or not match.group(2).strip() or first.row != last.row:
            return None
        start, end = node.start_byte + match.start(2), node.start_byte + match.end(2)
        column = first.column + match.start(2)
        tree = self.parse_part(Range((first.row, column), (first.row, column + end - start), start, end))
        self.trees.append(tree)
        return tree.root_node

    def parse_part(self, span: Range) -> Tree:
        """Parse one range of the file on its own; see :class:`Extractor`."""
        raise NotImplementedError

    def value(self, node: Node | None) -> int:
        """An expression whose constant value, if it is one, may be used as a key elsewhere."""
        if node is None:
            return 0
        if node.type in ("integer", "true", "false"):
            known = self.key(node)
            return self.constant(known) if known is not None else 0
        return self.expr(node)

    def after_method_call(self, callee: Node, arguments: Node) -> None:
        """``d.update({'k': v})`` assigns ``d['k']``; ``__all__.extend([...])`` adds exports."""
        method, target = callee.child_by_field_name("attribute"), callee.child_by_field_name("object")
        first = arguments.named_children[0] if arguments.named_children else None
        if method is None or target is None or first is None:
            return
        name = self.text(method)
        if target.type == "identifier" and name in ("extend", "append") and self.text(target) == "__all__":
            self.export_names(first)
        if name != "update" or first.type != "dictionary" or target.type != "identifier":
            return
        root = self.text(target)
        scope = self.scope
        for pair in first.named_children:
            key = pair.child_by_field_name("key")
            known = self.key(key) if pair.type == "pair" and key else None
            path = f"{root}[{known!r}]"
            scope.forget_paths(root, path)
            if known is not None and root in scope.current and root not in self.unstable:
                held = self.new()
                self.flow(held, self.last_boxed.get(pair.start_byte, 0))
                scope.paths.setdefault(root, set()).add(path)
                scope.set(path, held)

    def export_names(self, node: Node) -> None:
        """Add the strings of a literal to the module's ``__all__``."""
        if self.scope is self.module:
            names = [string_value(self.text(n)) for n in (node, *node.named_children) if n.type == "string"]
            self.syntax.all_names = (self.syntax.all_names or []) + [n for n in names if n]

    def scope_binds(self, name: str) -> bool:
        return name in self.module.versions or name in self.scope.versions

    def super_call(self, arguments: Node) -> int:
        """``super()`` or ``super(Class, self)``."""
        given = [self.expr(child) for child in arguments.named_children if child.type != "comment"]
        scope: Scope | None = self.scope
        while scope is not None and not (scope.function is not None and scope.function.klass >= 0):
            scope = scope.parent
        if scope is None:
            return 0
        info = scope.function
        receiver = given[1] if len(given) > 1 else info.params[0].variable if info.params else 0
        result = self.new()
        self.emit(Op.SUPER, result, info.klass, receiver)
        return result

    # -- operators ---------------------------------------------------------------------------------------------

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
        if not left and not right:
            return 0
        result = self.new()
        self.emit(Op.BINARY, result, left, right, operator, self.scope.caller)
        return result

    def comparison(self, node: Node) -> int:
        operators = [o.type for o in node.children_by_field_name("operators")]
        left = 0
        for index, operand in enumerate(c for c in node.named_children if c.type != "comment"):
            right = self.expr(operand)
            if 0 < index <= len(operators) and not operators[index - 1].startswith("is"):
                self.operate(left, right, operators[index - 1])
            left = right
        return 0

    def unary(self, node: Node) -> int:
        operand = self.expr(node.child_by_field_name("argument"))
        operator = node.children[0].type if node.children else ""
        return self.operate(operand, 0, "unary" + operator) if operand else 0

    def either(self, node: Node) -> int:
        """``a or b``, ``a if c else b``."""
        if node.type == "boolean_operator":
            parts = [self.expr(node.child_by_field_name("left")), self.expr(node.child_by_field_name("right"))]
        else:
            given = [self.expr(child) for child in node.named_children if child.type != "comment"]
            parts = given[:1] + given[2:]
        known = [part for part in parts if part]
        if len(known) < 2:
            return known[0] if known else 0
        result = self.new()
        for part in known:
            self.flow(result, part)
        return result

    def last_child(self, node: Node) -> int:
        """A wrapper around one expression: parentheses, ``await``, ``not``."""
        value = 0
        for child in node.named_children:
            if child.type != "comment":
                value = self.expr(child)
        return value

    def not_operator(self, node: Node) -> int:
        self.children(node)
        return 0

    def named_expression(self, node: Node) -> int:
        value = self.expr(node.child_by_field_name("value"))
        name = node.child_by_field_name("name")
        here = self.scope
        while self.scope.kind == "comprehension" and self.scope.parent is not None:
            self.scope = self.scope.parent
        if name is not None:
            self.assign(name, value, node)
        self.scope = here
        return value

    def assign(self, target: Node, value: int, statement: Node) -> None:
        """Assign to a target; see :class:`Targets`."""
        raise NotImplementedError

    # -- literals ----------------------------------------------------------------------------------------------

    def string(self, node: Node) -> int:
        value = self.key(node)
        if isinstance(value, str):
            return self.constant(value)
        for child in node.named_children:
            if child.type == "interpolation":
                self.children(child)
        prefix = self.source[node.start_byte : node.start_byte + 2].lower()
        return self.of_type("builtins.bytes" if b"b" in prefix.split(b'"')[0].split(b"'")[0] else "builtins.str")

    def strings(self, node: Node) -> int:
        value = 0
        for child in node.named_children:
            value = self.string(child) if child.type == "string" else value
        return self.of_type("builtins.str") if value else 0

    def box(self, node: Node) -> int:
        """A list, tuple or set display."""
        items: list[tuple[int | None, int]] = []
        known = True
        for index, child in enumerate(c for c in node.named_children if c.type != "comment"):
            if child.type in _SPLATS:
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
        "identifier": Expressions.identifier,
        "attribute": Expressions.attribute,
        "subscript": Expressions.subscript,
        "call": Expressions.call,
        "binary_operator": Expressions.binary,
        "comparison_operator": Expressions.comparison,
        "unary_operator": Expressions.unary,
        "boolean_operator": Expressions.either,
        "conditional_expression": Expressions.either,
        "not_operator": Expressions.not_operator,
        "named_expression": Expressions.named_expression,
        "string": Expressions.string,
        "concatenated_string": Expressions.strings,
        "dictionary": Expressions.dictionary,
        "dictionary_comprehension": Expressions.comprehension,
        "yield": Expressions.yield_,
        **dict.fromkeys(_BOXES, Expressions.box),
        **dict.fromkeys(_COMPREHENSIONS, Expressions.comprehension),
        **dict.fromkeys(("parenthesized_expression", "await"), Expressions.last_child),
        **dict.fromkeys(("ERROR", "slice", "list_splat", "dictionary_splat", "interpolation", "type"), Expressions.children),
        **dict.fromkeys(("format_specifier", "format_expression", "pair", "chevron"), Expressions.children),
    }
)
