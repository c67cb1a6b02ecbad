"""Assignment targets, and the variables and fields they declare."""

from __future__ import annotations

from tree_sitter import Node

from graphmer_geo.kg.languages.python.ir import Local, Op
from graphmer_geo.kg.languages.python.literals import Literals
from graphmer_geo.kg.languages.python.scopes import Scope

_SEQUENCES = ("pattern_list", "tuple_pattern", "list_pattern", "tuple", "list", "expression_list")
_WRAPPERS = ("parenthesized_expression", "as_pattern_target", "splat_pattern", "case_pattern")


class Targets(Literals):
    """Compiles assignments to names, attributes, subscripts and patterns of them."""

    def assign(self, target: Node, value: int, statement: Node) -> None:
        """Assign a variable to any target."""
        kind = target.type
        if kind == "identifier":
            self.assign_name(target, value, statement)
        elif kind == "attribute":
            self.assign_attribute(target, value, statement)
        elif kind == "subscript":
            self.assign_item(target, value)
        elif kind in _SEQUENCES:
            self.unpack(target, value)
        elif kind in ("list_splat_pattern", "list_splat"):
            for child in target.named_children:
                self.assign(child, value, child)
        elif kind in _WRAPPERS:
            for child in target.named_children:
                self.assign(child, value, statement if child.type == "identifier" else child)
        else:
            self.expr(target)

    def unpack(self, target: Node, value: int) -> None:
        """``a, *b, c = value``."""
        parts = [child for child in target.named_children if child.type != "comment"]
        starred = next((i for i, p in enumerate(parts) if p.type in ("list_splat_pattern", "list_splat")), -1)
        for index, part in enumerate(parts):
            element = 0
            if value:
                element = self.new()
                after = index - len(parts)  # counted from the end
                if index == starred:
                    operands: tuple[int, int | None] = (index, after + 1)
                else:
                    operands = (index if starred < 0 or index < starred else after, None)
                self.emit(Op.UNPACK, element, value, *operands, self.scope.caller)
            self.assign(part, element, part)

    def assign_name(self, node: Node, value: int, statement: Node) -> int:
        """Bind a name; declares the module's variable or the class's field the first time."""
        name = self.text(node)
        scope = self.owner(self.scope, name)
        entity = -1
        if scope.kind == "module":
            entity = self.variables.get(name, -1)
        elif scope.kind == "class":
            entity = self.syntax.classes[scope.klass].fields.get(name, -1)
        if entity < 0 and scope.kind in ("module", "class"):
            entity = self.declare_variable(node, name, scope, statement)
            self.bind(name, value, (entity,))
            self.syntax.assigned.append((entity, value))
        elif entity >= 0:
            version = self.bind(name, value, (entity,))
            self.site(node, "write", version)
            self.syntax.assigned.append((entity, value))
        else:
            if scope.kind == "function" and name not in scope.versions:
                where = (node.start_byte, node.end_byte, self.line(node))
                self.syntax.locals.append(Local(scope.entity, *where, name))
            self.bind(name, value)
        return entity

    def declare_variable(self, node: Node, name: str, scope: Scope, statement: Node) -> int:
        """Declare a module variable or a class field."""
        span = (
            statement
            if statement.start_byte <= node.start_byte and node.end_byte <= statement.end_byte
            else node
        )
        kind = "GlobalVariable" if scope.kind == "module" else "Field"
        entity = self.add_entity(kind, name, name + ".", scope.entity, span, node)
        if scope.kind == "module":
            self.variables[name] = entity
        else:
            self.syntax.classes[scope.klass].fields[name] = entity
        return entity

    def assign_attribute(self, target: Node, value: int, statement: Node) -> int:
        """``base.name = value``; declares the field if the base is the method's own receiver."""
        base_node, name_node = target.child_by_field_name("object"), target.child_by_field_name("attribute")
        if base_node is None or name_node is None:
            self.children(target)
            return -1
        base = self.reference(base_node, "read", True) or self.new()
        name = self.text(name_node)
        self.emit(Op.SETATTR, base, name, value)
        entity = -1
        klass = self.syntax.receivers.get(base, -1)
        if klass >= 0:
            info = self.syntax.classes[klass]
            entity = info.fields.get(name, -1)
            if entity < 0 and name not in info.methods:
                entity = self.add_entity("Field", name, name + ".", info.entity, statement, name_node)
                info.fields[name] = entity
        if entity >= 0 and value:
            self.syntax.assigned.append((entity, value))
        self.site(name_node, "write", 0, base)
        self.narrow(target, value)
        return entity

    def assign_item(self, target: Node, value: int) -> None:
        """``base[key] = value``."""
        base = self.expr(target.child_by_field_name("value"))
        index = 0
        keys = target.children_by_field_name("subscript")
        for key in keys:
            known = self.key(key)
            index = self.constant(known) if known is not None else self.expr(key)
        if base:
            self.emit(Op.SETITEM, base, index if len(keys) == 1 else 0, value, self.scope.caller)
            root = target.child_by_field_name("value")
            if index == 0 and root is not None and root.type == "identifier":
                name = self.text(root)
                self.scope.forget_paths(name, name + "[")
            else:
                self.narrow(target, value)
