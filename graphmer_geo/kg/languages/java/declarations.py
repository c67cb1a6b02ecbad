"""Reads the declarations of one Java file into entities and :mod:`.ops` records."""

from __future__ import annotations

from typing import Any

from tree_sitter import Node

from graphmer_geo.kg.facts import FileFacts, ParseProblem, SourceFile
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.languages.java.bodies import BodyReader
from graphmer_geo.kg.languages.java.entities import Entities, newline_offsets
from graphmer_geo.kg.languages.java.fields import read_fields
from graphmer_geo.kg.languages.java.grammar import (
    TYPE_NODES,
    Text,
    dimensions,
    name_of,
    package_of,
    parser,
    type_ref,
)
from graphmer_geo.kg.languages.java.header import (
    Modifiers,
    docstring_of,
    literals_of,
    modifiers_of,
    signature_of,
)
from graphmer_geo.kg.languages.java.parameters import (
    Parameter,
    declare,
    declare_components,
    erased_parameters,
    parameters_in,
)
from graphmer_geo.kg.languages.java.problems import problems_of

#: Deeper nesting than any person writes; beyond it code is left out and the file reported as partial.
MAX_DEPTH = 100

_KINDS = {
    "class_declaration": "Class",
    "interface_declaration": "Interface",
    "enum_declaration": "Enum",
    "record_declaration": "Record",
    "annotation_type_declaration": "AnnotationType",
}
_TRANSPARENT = frozenset({"ERROR", "enum_body_declarations"})


class Extractor:
    """Reads one file. What is nested deeper than :data:`MAX_DEPTH` is left out and reported."""

    def __init__(self, file: SourceFile, source: bytes) -> None:
        self.file = file
        self.text = Text(source)
        self.newlines = newline_offsets(source)
        self.syntax = o.JavaSyntax(package_of(source), [], [], self.newlines)
        self.entities = Entities(file.module, self.newlines, len(source))
        self.problems: list[ParseProblem] = []
        self._depth = 0
        self.has_errors = True  # whether a node may be missing; known once the file is parsed
        self._anonymous: dict[int, int] = {}
        self._components: dict[int, list[Parameter]] = {}

    def run(self) -> FileFacts:
        """Reads the whole file."""
        root = parser().parse(self.text.source).root_node
        self.has_errors = root.has_error
        comment: Node | None = None
        for node in root.named_children:
            self._top_level(node, comment)
            comment = node if node.type == "block_comment" else None
        if self.has_errors:
            self.problems.extend(problems_of(root))
        self.problems.sort(key=lambda problem: problem.line)
        return FileFacts(self.file, self.entities.list, self.syntax, self.problems)

    def enter(self, node: Node) -> bool:
        """Whether one more level of nesting is allowed; if so, :meth:`leave` must follow."""
        if self._depth >= MAX_DEPTH:
            line = self.entities.line(node.start_byte)
            message = f"nested deeper than {MAX_DEPTH} levels: left out"
            if not any(p.message == message for p in self.problems):
                self.problems.append(ParseProblem(line, message))
            return False
        self._depth += 1
        return True

    def leave(self) -> None:
        """Ends a level of nesting."""
        self._depth -= 1

    # -- top level --------------------------------------------------------------------------------

    def _top_level(self, node: Node, comment: Node | None) -> None:
        kind = node.type
        if kind in _KINDS:
            self.type_declaration(node, 0, -1, comment)
        elif kind == "import_declaration":
            self._import(node)
        elif kind == "package_declaration":
            self._package(node, comment)
        elif kind == "ERROR" and self.enter(node):
            before: Node | None = None
            for child in node.named_children:
                self._top_level(child, before)
                before = child if child.type == "block_comment" else None
            self.leave()

    def _package(self, node: Node, comment: Node | None) -> None:
        entity = self.entities.list[0]
        for child in node.named_children:
            if child.type in ("identifier", "scoped_identifier"):
                entity.name_start, entity.name_end = child.start_byte, child.end_byte
            elif child.type in ("annotation", "marker_annotation"):
                use = self.annotation(child, 0, -1)
                if use is not None:
                    self.syntax.package_annotations.append(use)
        docstring = docstring_of(comment, self.text)
        if docstring and self.file.path.endswith("package-info.java"):
            entity.literals["docstring"] = docstring

    def _import(self, node: Node) -> None:
        is_static = any(child.type == "static" for child in node.children)
        is_star = any(child.type == "asterisk" for child in node.named_children)
        for child in node.named_children:
            ref = type_ref(child, self.text) if child.type in ("identifier", "scoped_identifier") else None
            if ref is not None:
                self.syntax.imports.append(o.ImportDecl(ref[0], is_static, is_star))

    # -- types --------------------------------------------------------------------------------

    def type_declaration(
        self, node: Node, parent: int, outer: int, comment: Node | None, is_local: bool = False
    ) -> int:
        """Reads a type declaration of any kind; returns its index in the syntax, or -1."""
        name = name_of(node)
        if name is None or not self.enter(node):
            return -1
        kind = _KINDS[node.type]
        modifiers = modifiers_of(node)
        body = node.child_by_field_name("body")
        in_interface = outer >= 0 and self.syntax.classes[outer].kind in ("Interface", "AnnotationType")
        literals = literals_of(modifiers, "public" if in_interface and not is_local else "package-private")
        if is_local:
            del literals["visibility"]
        is_static = outer < 0 or in_interface or kind != "Class" or "static" in modifiers.words
        if is_static and outer >= 0:
            literals["isStatic"] = True
        self.describe(literals, node, body, comment)
        text = self.text.of(name)
        entity = self.entities.add(
            kind,
            text,
            (text, "#"),
            parent,
            (node.start_byte, node.end_byte),
            (name.start_byte, name.end_byte),
            literals,
        )
        decl = o.ClassDecl(entity, text, kind, outer, is_static, is_local)
        index = len(self.syntax.classes)
        self.syntax.classes.append(decl)
        self.annotate(index, entity, modifiers)
        decl.type_parameters = self._type_parameters(node.child_by_field_name("type_parameters"), entity)
        self._supertypes(node, decl)
        if kind == "Record":
            self._components[index] = declare_components(self, node, index)
        if body is not None:
            self._members(body, index)
        self.leave()
        return index

    def anonymous_class(self, node: Node, body: Node, base: o.TypeRef | None, parent: int, outer: int) -> int:
        """Reads the body of ``new X() {…}`` or of an enum constant; returns the class's index, or -1."""
        if not self.enter(node):
            return -1
        number = self._anonymous[outer] = self._anonymous.get(outer, 0) + 1
        name = f"${number}"
        owner = self.syntax.classes[outer].entity if outer >= 0 else 0
        span = (body.start_byte, body.end_byte)
        entity = self.entities.add("Class", name, (name, "#"), parent, span, (span[0], span[0]), {}, owner)
        decl = o.ClassDecl(entity, name, "Class", outer, False, True, base=base)
        index = len(self.syntax.classes)
        self.syntax.classes.append(decl)
        self._members(body, index)
        self.leave()
        return index

    def _supertypes(self, node: Node, decl: o.ClassDecl) -> None:
        for child in node.named_children:
            kind = child.type
            if kind == "superclass":
                decl.extends = self.types_in(child)
            elif kind == "extends_interfaces":
                decl.extends = self.types_in(child)
            elif kind == "super_interfaces":
                decl.implements = self.types_in(child)
            elif kind == "permits":
                decl.permits = self.types_in(child)

    def types_in(self, node: Node | None) -> tuple[o.TypeRef, ...]:
        """All types that are children of a node or of its ``type_list``."""
        found: list[o.TypeRef] = []
        for child in node.named_children if node is not None else ():
            if child.type == "type_list":
                found.extend(self.types_in(child))
            elif child.type in TYPE_NODES:
                ref = type_ref(child, self.text)
                if ref is not None:
                    found.append(ref)
        return tuple(found)

    def _type_parameters(self, node: Node | None, parent: int) -> tuple[o.TypeParameterDecl, ...]:
        declared: list[o.TypeParameterDecl] = []
        for child in node.named_children if node is not None else ():
            name: Node | None = None
            bounds: tuple[o.TypeRef, ...] = ()
            for part in child.named_children:
                if part.type in ("type_identifier", "identifier"):
                    name = part
                elif part.type == "type_bound":
                    bounds = self.types_in(part)
            if child.type != "type_parameter" or name is None:
                continue
            text = self.text.of(name)
            entity = self.entities.add(
                "TypeParameter",
                text,
                (f"[{text}", "]"),
                parent,
                (child.start_byte, child.end_byte),
                (name.start_byte, name.end_byte),
            )
            declared.append(o.TypeParameterDecl(entity, text, bounds))
        return tuple(declared)

    # -- members --------------------------------------------------------------------------------

    def _members(self, body: Node, index: int) -> None:
        decl = self.syntax.classes[index]
        comment: Node | None = None
        for node in body.named_children:
            kind = node.type
            if kind in ("block_comment", "line_comment"):
                comment = node if kind == "block_comment" else comment
                continue
            handler = _MEMBERS.get(kind)
            if handler is not None:
                handler(self, node, decl, index, comment)
            elif kind in _KINDS:
                self.type_declaration(node, decl.entity, index, comment)
            elif kind in _TRANSPARENT and self.enter(node):
                self._members(node, index)
                self.leave()
            comment = None
        if body.type == "enum_body":
            self._constants(body, decl, index)

    def _constant(self, node: Node, decl: o.ClassDecl, index: int, comment: Node | None) -> None:
        name = name_of(node)
        if name is None:
            return
        modifiers = modifiers_of(node)
        literals = literals_of(modifiers, "public")
        literals["isStatic"] = True
        self.describe(literals, node, None, comment, with_signature=False)
        text = self.text.of(name)
        entity = self.entities.add(
            "EnumConstant",
            text,
            (text, "."),
            decl.entity,
            (node.start_byte, node.end_byte),
            (name.start_byte, name.end_byte),
            literals,
        )
        decl.fields.append(o.FieldDecl(entity, text, None, True, False))
        self.annotate(index, entity, modifiers)

    def _constants(self, body: Node, decl: o.ClassDecl, index: int) -> None:
        """The code that makes the constants of an enum runs in one initializer."""
        constants = [c for c in body.named_children if c.type == "enum_constant"]
        active = [c for c in constants if c.child_by_field_name("arguments") or c.child_by_field_name("body")]
        if not active:
            return
        span = (constants[0].start_byte, constants[-1].end_byte)
        initializer = self.initializer(decl, span, is_static=True)
        by_name = {field.name: field.entity for field in decl.fields}
        for constant in active:
            name, inner = name_of(constant), constant.child_by_field_name("body")
            if name is None:
                continue
            reader = BodyReader(self, initializer, index)
            args = reader.arguments(constant.child_by_field_name("arguments"))
            text = self.text.of(name)
            anonymous = -1
            if inner is not None:
                base = (((decl.name, -1),), None, 0, ())
                anonymous = self.anonymous_class(constant, inner, base, by_name.get(text, decl.entity), index)
            decl.constants.append((initializer, text, name.start_byte, reader.ops, args, anonymous))

    def initializer(self, decl: o.ClassDecl, span: tuple[int, int], is_static: bool) -> int:
        """Adds the entity of an initializer."""
        name = "<clinit>" if is_static else "<initializer>"
        literals: dict[str, Any] = {"isStatic": True} if is_static else {}
        return self.entities.add(
            "Initializer", name, (f"{name}()", "."), decl.entity, span, (span[0], span[0]), literals
        )

    def _static_block(self, node: Node, decl: o.ClassDecl, index: int, comment: Node | None) -> None:
        is_static = node.type == "static_initializer"
        entity = self.initializer(decl, (node.start_byte, node.end_byte), is_static)
        reader = BodyReader(self, entity, index)
        reader.block(node)
        decl.initializers.append((entity, reader.ops))

    def _method(self, node: Node, decl: o.ClassDecl, index: int, comment: Node | None) -> None:
        name = name_of(node)
        if name is None:
            return
        is_constructor = node.type in ("constructor_declaration", "compact_constructor_declaration")
        body, modifiers = node.child_by_field_name("body"), modifiers_of(node)
        in_interface = decl.kind in ("Interface", "AnnotationType")
        implicit = "private" if is_constructor and decl.kind == "Enum" else "package-private"
        literals = literals_of(modifiers, "public" if in_interface else implicit)
        if node.type == "annotation_type_element_declaration" or (
            in_interface and body is None and not {"static", "default"} & set(modifiers.words)
        ):
            literals["isAbstract"] = True
        self.describe(literals, node, body, comment)
        is_compact = node.type == "compact_constructor_declaration"
        written = parameters_in(node.child_by_field_name("parameters"), self.text)
        parameters = self._components.get(index, []) if is_compact else written
        varargs = any(parameter.is_varargs for parameter in parameters)
        if varargs:
            literals["isVarArgs"] = True
        text = "<init>" if is_constructor else self.text.of(name)
        kind = "Constructor" if is_constructor else "Method"
        entity = self.entities.add(
            kind,
            text,
            (f"{text}({erased_parameters(parameters)})", "."),
            decl.entity,
            (node.start_byte, node.end_byte),
            (name.start_byte, name.end_byte),
            literals,
        )
        self.annotate(index, entity, modifiers)
        type_parameters = self._type_parameters(node.child_by_field_name("type_parameters"), entity)
        implicit_at = name.end_byte if is_compact else None
        declared = declare(self, parameters, entity, index, implicit_at)
        type_node = node.child_by_field_name("type")
        returns = type_ref(type_node, self.text) if type_node is not None else None
        extra = dimensions(node.child_by_field_name("dimensions"))
        if returns is not None and extra:
            returns = (returns[0], returns[1], returns[2] + extra, returns[3])
        reader = BodyReader(self, entity, index)
        if body is not None:
            reader.block(body)
        throws = next((self.types_in(c) for c in node.named_children if c.type == "throws"), ())
        decl.methods.append(
            o.MethodDecl(
                entity,
                text,
                type_parameters,
                returns,
                declared,
                varargs,
                "static" in modifiers.words,
                "private" in modifiers.words,
                bool(literals.get("isAbstract")),
                throws,
                reader.ops if body is not None else None,
                implicit_at is not None,
            )
        )

    # -- headers --------------------------------------------------------------------------------

    def annotation(self, node: Node, entity: int, index: int) -> o.AnnotationUse | None:
        """The use of an annotation on an entity."""
        name, arguments = name_of(node), node.child_by_field_name("arguments")
        ref = type_ref(name, self.text) if name is not None else None
        if ref is None:
            return None
        reader = BodyReader(self, entity, index)
        for argument in arguments.named_children if arguments is not None else ():
            value = (
                argument.child_by_field_name("value") if argument.type == "element_value_pair" else argument
            )
            if value is not None:
                reader.expression(value)
        return o.AnnotationUse(entity, ref, reader.ops)

    def annotate(self, index: int, entity: int, modifiers: Modifiers) -> None:
        """Records the annotations of a declaration inside the class of that index."""
        for node in modifiers.annotations:
            use = self.annotation(node, entity, index)
            if use is not None:
                self.syntax.classes[index].annotations.append(use)

    def describe(
        self,
        literals: dict[str, Any],
        node: Node,
        body: Node | None,
        comment: Node | None,
        with_signature: bool = True,
    ) -> None:
        """Adds the Javadoc and the signature."""
        docstring = docstring_of(comment, self.text)
        if docstring:
            literals["docstring"] = docstring
        if with_signature:
            literals["signature"] = signature_of(node, body, self.text)


_MEMBERS = {
    "field_declaration": read_fields,
    "constant_declaration": read_fields,
    "method_declaration": Extractor._method,
    "constructor_declaration": Extractor._method,
    "compact_constructor_declaration": Extractor._method,
    "annotation_type_element_declaration": Extractor._method,
    "static_initializer": Extractor._static_block,
    "block": Extractor._static_block,
    "enum_constant": Extractor._constant,
}
