"""Calls, and those that the extractor must know: ``super``, ``eval``, ``update``, ``__all__.extend``."""

from __future__ import annotations

import re

from tree_sitter import Node, Range, Tree

from graphmer_geo.kg.languages.python.expressions import Expressions, both
from graphmer_geo.kg.languages.python.ir import Op
from graphmer_geo.kg.languages.python.scopes import Scope
from graphmer_geo.kg.languages.python.text import string_value

SPLATS = ("list_splat", "parenthesized_list_splat", "list_splat_pattern")
_CHANGES = ("extend", "append", "update")  # methods whose effect is known
_CONSTANTS = ("integer", "true", "false")
_CONTENT = re.compile(rb"[rRuU]?(\"\"\"|'''|\"|')(.*)\1", re.DOTALL)


class Invocations(Expressions):
    """Compiles calls."""

    def call(self, node: Node) -> int:
        """A call; its result is a fresh variable."""
        parts = both(node, "function", "arguments")
        if parts is None:
            return self.children(node)
        callee, arguments = parts
        kind = callee.type
        function = self.reference(callee, "call")
        name = self.text(callee) if kind == "identifier" else ""
        if name == "super" and not self.scope_binds("super"):
            return self.super_call(arguments)
        positional: list[tuple[int, bool]] = []
        named: list[tuple[str | None, int]] = []
        if arguments.type == "generator_expression":
            positional.append((self.expr(arguments), False))
        else:
            for child in arguments.named_children:
                form = child.type
                if form == "keyword_argument":
                    keyword = child.child_by_field_name("name")
                    value = self.value(child.child_by_field_name("value"))
                    named.append((self.text(keyword) if keyword else "", value))
                elif form == "dictionary_splat":
                    named.append(
                        (None, self.value(child.named_children[0] if child.named_children else None))
                    )
                elif form in SPLATS:
                    positional.append(
                        (self.value(child.named_children[0] if child.named_children else None), True)
                    )
                elif form != "comment":
                    positional.append((self.value(child), False))
        result = self.new()
        if function:
            by_name = kind == "identifier" or kind == "attribute"
            caller = self.scope.caller
            self.ops.append((Op.CALL, result, function, tuple(positional), tuple(named), caller, by_name))
        if kind == "attribute":
            end = callee.end_byte
            if self.chars[end - 6 : end] in _CHANGES:
                self.after_method_call(callee, arguments)
        elif name == "eval" or name == "exec":
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
        """Code in a string literal, parsed where it stands; None if it has escapes or several lines."""
        match = _CONTENT.fullmatch(self.source[node.start_byte : node.end_byte])
        first, last = node.start_point, node.end_point
        if not match or b"\\" in match.group(2) or not match.group(2).strip() or first[0] != last[0]:
            return None
        start, end = node.start_byte + match.start(2), node.start_byte + match.end(2)
        column = first[1] + match.start(2)
        tree = self.parse_part(Range((first[0], column), (first[0], column + end - start), start, end))
        self.trees.append(tree)
        return tree.root_node

    def parse_part(self, span: Range) -> Tree:
        """Parse one range of the file on its own; see :class:`Extractor`."""
        raise NotImplementedError

    def value(self, node: Node | None) -> int:
        """An expression whose constant value, if it is one, may be used as a key elsewhere."""
        if node is None:
            return 0
        kind = node.type
        if kind in _CONSTANTS:
            known = self.key(node)
            if known is not None:
                return self.constant(known)
        return self.dispatch(node, kind)

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
        """Whether this scope or the module binds the name itself."""
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


Expressions.handlers["call"] = Invocations.call  # type: ignore[assignment]
