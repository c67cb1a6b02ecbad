"""Parameters of methods, constructors and lambdas, and the components of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tree_sitter import Node

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.languages.java.grammar import (
    TYPE_NODES,
    Text,
    dimensions,
    erased_text,
    name_of,
    type_ref,
)
from graphmer_geo.kg.languages.java.header import modifiers_of

if TYPE_CHECKING:
    from graphmer_geo.kg.languages.java.declarations import Extractor


class Parameter(NamedTuple):
    """A parameter as written."""

    node: Node
    name: Node
    type: o.TypeRef | None  # of a variable-arity parameter: of one element
    is_varargs: bool

    @property
    def declared_type(self) -> o.TypeRef | None:
        """The type that the body sees."""
        ref = self.type
        return (ref[0], ref[1], ref[2] + 1, ref[3]) if ref is not None and self.is_varargs else ref


def parameters_in(node: Node | None, text: Text) -> list[Parameter]:
    """The parameters of a list, without the receiver parameter ``this``."""
    found: list[Parameter] = []
    for child in node.named_children if node is not None else ():
        if child.type == "formal_parameter":
            name, type_node = name_of(child), child.child_by_field_name("type")
            extra = dimensions(child.child_by_field_name("dimensions"))
        elif child.type == "spread_parameter":
            declarator = next((c for c in child.named_children if c.type == "variable_declarator"), None)
            name = name_of(declarator) if declarator is not None else None
            type_node = next((c for c in child.named_children if c.type in TYPE_NODES), None)
            extra = 0
        else:
            continue
        if name is None or name.type != "identifier" or text.of(name) == "this":
            continue
        ref = type_ref(type_node, text) if type_node is not None else None
        if ref is not None and extra:
            ref = (ref[0], ref[1], ref[2] + extra, ref[3])
        found.append(Parameter(child, name, ref, child.type == "spread_parameter"))
    return found


def erased_parameters(parameters: list[Parameter]) -> str:
    """The parameter types as they stand in a method's descriptor."""
    return ",".join(erased_text(p.type, p.is_varargs) for p in parameters)


def declare(
    extractor: Extractor,
    parameters: list[Parameter],
    callable_entity: int,
    class_index: int = -1,
    implicit_at: int | None = None,
) -> tuple[o.ParameterDecl, ...]:
    """Adds the parameters of a callable.

    Args:
        extractor: The file's extractor.
        parameters: What is written.
        callable_entity: Whose parameters they are.
        class_index: The class to which annotations belong; -1: they are left out.
        implicit_at: Where the callable stands if it does not write its parameters itself, as a record's
            canonical constructor, whose parameters are written at the components.
    """
    declared: list[o.ParameterDecl] = []
    for position, parameter in enumerate(parameters):
        modifiers = modifiers_of(parameter.node)
        kind = "varArgs" if parameter.is_varargs else "positionalOnly"
        literals: dict[str, Any] = {"parameterIndex": position, "parameterKind": kind}
        if parameter.is_varargs:
            literals["isVarArgs"] = True
        if modifiers.words:
            literals["modifier"] = list(modifiers.words)
        text = extractor.text.of(parameter.name)
        span = (parameter.node.start_byte, parameter.node.end_byte)
        name_span = (parameter.name.start_byte, parameter.name.end_byte)
        if implicit_at is not None:
            span = name_span = (implicit_at, implicit_at)
        entity = extractor.entities.add(
            "Parameter", text, (f"({text}", ")"), callable_entity, span, name_span, literals
        )
        if class_index >= 0 and implicit_at is None:
            extractor.annotate(class_index, entity, modifiers)
        declared.append(o.ParameterDecl(entity, text, parameter.declared_type))
    return tuple(declared)


def declare_lambda(
    extractor: Extractor, node: Node | None, entity: int
) -> tuple[tuple[str, int, o.TypeRef | None, int], ...]:
    """Adds a lambda's parameters; a type is None where it is inferred."""
    if node is None:
        return ()
    if node.type == "identifier":
        written = [Parameter(node, node, None, False)]
    elif node.type == "inferred_parameters":
        written = [Parameter(c, c, None, False) for c in node.named_children if c.type == "identifier"]
    else:
        written = parameters_in(node, extractor.text)
    declared = declare(extractor, written, entity)
    return tuple(
        (each.name, parameter.name.start_byte, None if _is_var(each.type) else each.type, each.entity)
        for parameter, each in zip(written, declared, strict=True)
    )


def _is_var(ref: o.TypeRef | None) -> bool:
    return ref is not None and len(ref[0]) == 1 and ref[0][0][0] == "var"


def declare_components(extractor: Extractor, node: Node, class_index: int) -> list[Parameter]:
    """Adds a record's fields and, unless it is written, the canonical constructor; returns the components."""
    header = node.child_by_field_name("parameters")
    components = parameters_in(header, extractor.text)
    decl = extractor.syntax.classes[class_index]
    for component in components:
        literals = {"visibility": "private", "modifier": ["final"]}
        text = extractor.text.of(component.name)
        entity = extractor.entities.add(
            "Field",
            text,
            (text, "."),
            decl.entity,
            (component.node.start_byte, component.node.end_byte),
            (component.name.start_byte, component.name.end_byte),
            literals,
        )
        decl.fields.append(o.FieldDecl(entity, text, component.declared_type, False, True))
        decl.components.append(text)
        extractor.annotate(class_index, entity, modifiers_of(component.node))
    if header is not None and not _writes_canonical(extractor, node, components):
        _canonical_constructor(extractor, header, components, class_index)
    return components


def _writes_canonical(extractor: Extractor, node: Node, components: list[Parameter]) -> bool:
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        if child.type == "compact_constructor_declaration":
            return True
        if child.type == "constructor_declaration":
            written = parameters_in(child.child_by_field_name("parameters"), extractor.text)
            if erased_parameters(written) == erased_parameters(components):
                return True
    return False


def _canonical_constructor(
    extractor: Extractor, header: Node, components: list[Parameter], class_index: int
) -> None:
    """The constructor that every record has though nobody writes it."""
    decl = extractor.syntax.classes[class_index]
    varargs = any(component.is_varargs for component in components)
    visibility = extractor.entities.list[decl.entity].literals.get("visibility", "package-private")
    literals: dict[str, Any] = {"visibility": visibility, **({"isVarArgs": True} if varargs else {})}
    at = header.start_byte
    entity = extractor.entities.add(
        "Constructor",
        "<init>",
        (f"<init>({erased_parameters(components)})", "."),
        decl.entity,
        (at, header.end_byte),
        (at, at),
        literals,
    )
    declared = declare(extractor, components, entity, implicit_at=at)
    decl.methods.append(
        o.MethodDecl(entity, "<init>", (), None, declared, varargs, False, False, False, (), None, True)
    )
