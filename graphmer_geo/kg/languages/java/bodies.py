"""Turns the code of a body into operations (see :mod:`.ops`): statements."""

from __future__ import annotations

from tree_sitter import Node

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.languages.java.expressions import EXPRESSIONS, ExpressionReader
from graphmer_geo.kg.languages.java.grammar import TYPE_NODES, dimensions, name_of, type_ref
from graphmer_geo.kg.languages.java.header import modifiers_of

_SCOPED = frozenset(
    {"block", "for_statement", "enhanced_for_statement", "constructor_body", "synchronized_statement"}
)
#: Statements whose parts may be expressions without a node of their own around them.
_EXPRESSIONS_INSIDE = frozenset({"for_statement", "assert_statement"})
_LOCAL_TYPES = frozenset(
    {
        "class_declaration",
        "interface_declaration",
        "enum_declaration",
        "record_declaration",
        "annotation_type_declaration",
    }
)


class BodyReader(ExpressionReader):
    """Reads the code that one entity runs."""

    def statement(self, node: Node) -> None:
        """Reads a statement; anything unknown is searched for statements inside."""
        kind = node.type
        if kind == "expression_statement":
            for child in node.named_children:
                self.expression(child)
            return
        handler = _STATEMENTS.get(kind)
        if handler is not None:
            handler(self, node)
        elif kind in _LOCAL_TYPES:
            index = self.extractor.type_declaration(node, self.entity, self.class_index, None, is_local=True)
            if index >= 0:
                self.emit(o.LOCAL_CLASS, index)
        elif kind in EXPRESSIONS:
            self.expression(node)
        elif self.extractor.enter(node):
            if kind in _SCOPED:
                self.emit(o.PUSH)
            for child in node.named_children:
                if child.type == "identifier" and kind in _EXPRESSIONS_INSIDE:
                    self.expression(child)
                else:
                    self.statement(child)
            if kind in _SCOPED:
                self.emit(o.POP)
            self.extractor.leave()

    def block(self, node: Node) -> None:
        """The statements of a method's body: its scope is the method's."""
        for child in node.named_children:
            self.statement(child)

    def _if(self, node: Node) -> None:
        if not self.extractor.enter(node):
            return
        rest: Node | None = node
        while rest is not None and rest.type == "if_statement":  # an else-if chain may be long: no recursion
            for name in ("condition", "consequence"):
                child = rest.child_by_field_name(name)
                if child is not None:
                    self.statement(child)
            rest = rest.child_by_field_name("alternative")
        if rest is not None:
            self.statement(rest)
        self.extractor.leave()

    def _local(self, node: Node) -> None:
        ref = None
        type_node = node.child_by_field_name("type")
        if type_node is not None:
            ref = type_ref(type_node, self.text)
        self._annotations(node)
        for child in node.children_by_field_name("declarator"):
            name = name_of(child)
            value = child.child_by_field_name("value")
            extra = dimensions(child.child_by_field_name("dimensions"))
            index = self.expression(value) if value is not None else -1
            if name is not None:
                typed = (ref[0], ref[1], ref[2] + extra, ref[3]) if ref is not None and extra else ref
                self.emit(o.LOCAL, self.text.of(name), name.start_byte, typed, index, o.PLAIN)
                ref = ref and (ref[0], ref[1], ref[2], ref[3])
        return

    def _annotations(self, node: Node) -> None:
        for annotation in modifiers_of(node).annotations:
            use = self.extractor.annotation(annotation, self.entity, self.class_index)
            if use is not None:
                self.emit(o.ANNOTATION, use.type, use.ops)

    def _for_each(self, node: Node) -> None:
        if not self.extractor.enter(node):
            return
        self.emit(o.PUSH)
        value, name = node.child_by_field_name("value"), name_of(node)
        type_node, body = node.child_by_field_name("type"), node.child_by_field_name("body")
        index = self.expression(value) if value is not None else -1
        if name is not None and type_node is not None:
            ref = type_ref(type_node, self.text)
            self.emit(o.LOCAL, self.text.of(name), name.start_byte, ref, index, o.FOR_EACH)
        if body is not None:
            self.statement(body)
        self.emit(o.POP)
        self.extractor.leave()

    def _try(self, node: Node) -> None:
        if not self.extractor.enter(node):
            return
        self.emit(o.PUSH)
        for child in node.named_children:
            kind = child.type
            if kind == "resource_specification":
                for resource in child.named_children:
                    self._resource(resource)
            elif kind == "catch_clause":
                self._catch(child)
            elif kind == "finally_clause":
                for inner in child.named_children:
                    self.statement(inner)
            else:
                self.statement(child)
        self.emit(o.POP)
        self.extractor.leave()

    def _resource(self, node: Node) -> None:
        name, value = name_of(node), node.child_by_field_name("value")
        type_node = node.child_by_field_name("type")
        if name is None or type_node is None:
            for child in node.named_children:
                self.expression(child)
            return
        index = self.expression(value) if value is not None else -1
        ref = type_ref(type_node, self.text)
        self.emit(o.LOCAL, self.text.of(name), name.start_byte, ref, index, o.PLAIN)

    def _catch(self, node: Node) -> None:
        self.emit(o.PUSH)
        for child in node.named_children:
            if child.type == "catch_formal_parameter":
                name = name_of(child)
                refs: list[o.TypeRef] = []
                for part in child.named_children:
                    if part.type == "catch_type":
                        found = (type_ref(c, self.text) for c in part.named_children if c.type in TYPE_NODES)
                        refs.extend(ref for ref in found if ref is not None)
                if name is not None:
                    self.emit(o.CATCH, tuple(refs), self.text.of(name), name.start_byte)
            else:
                self.statement(child)
        self.emit(o.POP)

    def _throw(self, node: Node) -> None:
        for child in node.named_children:
            if not child.type.endswith("comment"):
                text = self.text.of(child).partition("\n")[0][:80]
                self.emit(o.THROW, self.expression(child), child.start_byte, child.end_byte, text)

    def _return(self, node: Node) -> None:
        for child in node.named_children:
            if not child.type.endswith("comment"):
                self.emit(o.RETURN, self.expression(child))

    def _yield(self, node: Node) -> None:
        for child in node.named_children:
            index = self.expression(child)
            if self.yields and index >= 0:
                self.yields[-1].append(index)

    def _explicit_constructor(self, node: Node) -> None:
        target, arguments = node.child_by_field_name("constructor"), node.child_by_field_name("arguments")
        outer = node.child_by_field_name("object")
        if outer is not None:
            self.expression(outer)
        args = self.arguments(arguments)
        if target is not None:
            self.emit(o.CONSTRUCT, target.type, target.start_byte, args)

    def _ignore(self, node: Node) -> None:
        """Labels, comments, break and continue: no reference inside."""

    def _labelled(self, node: Node) -> None:
        for child in node.named_children[1:]:
            self.statement(child)


_STATEMENTS = {
    "if_statement": BodyReader._if,
    "local_variable_declaration": BodyReader._local,
    "enhanced_for_statement": BodyReader._for_each,
    "try_statement": BodyReader._try,
    "try_with_resources_statement": BodyReader._try,
    "throw_statement": BodyReader._throw,
    "return_statement": BodyReader._return,
    "yield_statement": BodyReader._yield,
    "explicit_constructor_invocation": BodyReader._explicit_constructor,
    "break_statement": BodyReader._ignore,
    "continue_statement": BodyReader._ignore,
    "line_comment": BodyReader._ignore,
    "block_comment": BodyReader._ignore,
    "labeled_statement": BodyReader._labelled,
}
