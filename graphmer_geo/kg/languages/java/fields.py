"""Fields and what their initial values run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tree_sitter import Node

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.languages.java.bodies import BodyReader
from graphmer_geo.kg.languages.java.grammar import dimensions, name_of, type_ref
from graphmer_geo.kg.languages.java.header import literals_of, modifiers_of

if TYPE_CHECKING:
    from graphmer_geo.kg.languages.java.declarations import Extractor

#: Operations that run nothing a graph would tell: a field initialised by them needs no Initializer.
_INERT = frozenset({o.LITERAL, o.BINARY, o.SAME, o.TEST})


def read_fields(
    extractor: Extractor, node: Node, decl: o.ClassDecl, index: int, comment: Node | None
) -> None:
    """Reads a field declaration: one field for each declarator."""
    type_node = node.child_by_field_name("type")
    ref = type_ref(type_node, extractor.text) if type_node is not None else None
    modifiers = modifiers_of(node)
    in_interface = decl.kind in ("Interface", "AnnotationType")
    is_static = in_interface or "static" in modifiers.words
    first = True
    for child in node.children_by_field_name("declarator"):
        name, value = name_of(child), child.child_by_field_name("value")
        if name is None:
            continue
        literals = literals_of(modifiers, "public" if in_interface else "package-private")
        if is_static:
            literals["isStatic"] = True
        extractor.describe(literals, node, None, comment, with_signature=False)
        text = extractor.text.of(name)
        span = (node.start_byte, node.end_byte) if first else (child.start_byte, child.end_byte)
        entity = extractor.entities.add(
            "Field", text, (text, "."), decl.entity, span, (name.start_byte, name.end_byte), literals
        )
        extra = dimensions(child.child_by_field_name("dimensions"))
        typed = (ref[0], ref[1], ref[2] + extra, ref[3]) if ref is not None and extra else ref
        field = o.FieldDecl(entity, text, typed, is_static, "private" in modifiers.words, first)
        decl.fields.append(field)
        extractor.annotate(index, entity, modifiers)
        if value is not None:
            _initial_value(extractor, value, field, decl, index)
        first = False


def _initial_value(
    extractor: Extractor, value: Node, field: o.FieldDecl, decl: o.ClassDecl, index: int
) -> None:
    if value.child_count == 0 and value.type != "identifier":
        return
    before = len(extractor.entities.list)
    initializer = extractor.initializer(decl, (value.start_byte, value.end_byte), field.is_static)
    reader = BodyReader(extractor, initializer, index)
    field.value = reader.expression(value)
    if all(op[0] in _INERT for op in reader.ops) and len(extractor.entities.list) == before + 1:
        extractor.entities.discard_last()
        field.value = -1
        return
    field.initializer, field.ops = initializer, reader.ops
