"""What a Java file shares: its declarations without code and places, as plain tuples.

A header is what :func:`header_of` keeps of a file's facts, and :func:`facts_of` makes facts of it again, in
which only the parts that other files may look at are filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from graphmer_geo.kg.facts import Entity, FileFacts, SourceFile
from graphmer_geo.kg.languages.java import ops as o

#: ``(parts of the dotted name, arguments or None, dimensions)``, or the name where it is all there is.
TypeText = Any

_STATIC, _PRIVATE, _ABSTRACT, _VARARGS = 1, 2, 4, 8


class ClassRow(NamedTuple):
    """A class of a header."""

    descriptor: str
    qualified: str
    name: str
    kind: str
    outer: int
    is_static: bool
    is_local: bool
    visibility: str | None
    is_final: bool
    type_parameters: Sequence[tuple[str, str, Sequence[TypeText]]]  # descriptor, name, bounds
    extends: Sequence[TypeText]
    implements: Sequence[TypeText]
    base: TypeText | None
    fields: Sequence[tuple[str, str, TypeText | None, int]]  # descriptor, name, type, flags
    methods: Sequence[MethodRow]
    components: Sequence[str]


class MethodRow(NamedTuple):
    """A method or constructor of a header."""

    descriptor: str
    name: str
    visibility: str
    flags: int
    type_parameters: Sequence[tuple[str, str, Sequence[TypeText]]]
    returns: TypeText | None
    parameters: Sequence[TypeText | None]


class Header(NamedTuple):
    """A file's declarations."""

    source: tuple[str, str, str, str, str]
    package: str
    imports: Sequence[tuple[str, bool, bool]]  # dotted name, whether it is static, whether it is a star
    classes: Sequence[ClassRow]


def header_of(facts: FileFacts) -> Header:
    """The header of a file."""
    syntax: o.JavaSyntax = facts.syntax
    source = facts.source
    imports = tuple((".".join(n for n, _ in i.parts), i.is_static, i.is_star) for i in syntax.imports)
    return Header(
        (source.language, source.package, source.version, source.path, source.module),
        syntax.package, imports, tuple(_class_row(facts.entities, decl) for decl in syntax.classes),
    )  # fmt: skip


def _class_row(entities: list[Entity], decl: o.ClassDecl) -> ClassRow:
    entity = entities[decl.entity]
    return ClassRow(
        entity.descriptor, entity.qualified_name, decl.name, decl.kind, decl.outer, decl.is_static,
        decl.is_local,
        entity.literals.get("visibility"), "final" in entity.literals.get("modifier", ()),
        _parameters(entities, decl.type_parameters), _texts(decl.extends), _texts(decl.implements),
        _text(decl.base),
        tuple(
            (entities[f.entity].descriptor, f.name, _text(f.type),
             f.is_static * _STATIC + f.is_private * _PRIVATE)
            for f in decl.fields
        ),
        tuple(_method_row(entities, method) for method in decl.methods),
        tuple(decl.components),
    )  # fmt: skip


def _method_row(entities: list[Entity], decl: o.MethodDecl) -> MethodRow:
    entity = entities[decl.entity]
    flags = (
        decl.is_static * _STATIC
        + decl.is_private * _PRIVATE
        + decl.is_abstract * _ABSTRACT
        + decl.is_varargs * _VARARGS
    )
    return MethodRow(
        entity.descriptor, decl.name, entity.literals.get("visibility", ""), flags,
        _parameters(entities, decl.type_parameters), _text(decl.returns),
        tuple(_text(parameter.type) for parameter in decl.parameters),
    )  # fmt: skip


def _parameters(entities: list[Entity], declared: Sequence[o.TypeParameterDecl]) -> Any:
    return tuple((entities[p.entity].descriptor, p.name, _texts(p.bounds)) for p in declared)


def _texts(refs: Sequence[o.TypeRef]) -> tuple[TypeText, ...]:
    return tuple(_text(ref) for ref in refs)


def _text(ref: o.TypeRef | None) -> TypeText | None:
    if ref is None:
        return None
    parts, args, dims, _ = ref
    if len(parts) == 1 and args is None and not dims:
        return parts[0][0]
    names = tuple(name for name, _ in parts)
    return names, None if args is None else tuple(_text(arg) for arg in args), dims


def is_instance_method(row: MethodRow) -> bool:
    """Whether the method is one that a call may run on an object of some class."""
    return not row.flags & (_STATIC | _PRIVATE | _ABSTRACT)


IMPLICIT_SUPERS = {
    "Enum": "java.lang.Enum",
    "Record": "java.lang.Record",
    "AnnotationType": "java.lang.annotation.Annotation",
}  #: supertypes that nobody writes


def super_names(row: ClassRow) -> Iterator[str]:
    """The last names of the supertypes of a class."""
    for text in (*row.extends, *row.implements, *(() if row.base is None else (row.base,))):
        yield names_of(text)[-1]
    if row.kind in IMPLICIT_SUPERS:
        yield IMPLICIT_SUPERS[row.kind].rpartition(".")[2]


def names_of(text: TypeText) -> Sequence[str]:
    """The parts of a dotted name, its arguments left out."""
    names: Sequence[str] = (text,) if isinstance(text, str) else text[0]
    return names


def facts_of(header: Header) -> FileFacts:
    """What others may know of a file, as facts."""
    return _Facts(header).facts


class _Facts:
    """Facts that are made of a header."""

    def __init__(self, header: Header) -> None:
        self.entities: list[Entity] = [_entity("Package", "", header.package, {})]
        imports = [
            o.ImportDecl(tuple((name, 0) for name in dotted.split(".")), is_static, is_star)
            for dotted, is_static, is_star in header.imports
        ]
        classes = [self._class(ClassRow(*row)) for row in header.classes]
        self.facts = FileFacts(
            SourceFile(*header.source), self.entities, o.JavaSyntax(header.package, imports, classes, ())
        )

    def _add(self, kind: str, descriptor: str, qualified: str, literals: dict[str, Any]) -> int:
        self.entities.append(_entity(kind, descriptor, qualified, literals))
        return len(self.entities) - 1

    def _class(self, row: ClassRow) -> o.ClassDecl:
        literals: dict[str, Any] = {"modifier": ["final"] if row.is_final else []}
        if row.visibility is not None:
            literals["visibility"] = row.visibility
        return o.ClassDecl(
            self._add(row.kind, row.descriptor, row.qualified, literals), row.name, row.kind, row.outer,
            row.is_static, row.is_local, self._type_parameters(row.type_parameters), _refs(row.extends),
            _refs(row.implements), _ref(row.base),
            fields=[
                o.FieldDecl(
                    self._add("Field", descriptor, "", {}), name, _ref(type_), bool(flags & _STATIC),
                    bool(flags & _PRIVATE),
                )
                for descriptor, name, type_, flags in row.fields
            ],
            methods=[self._method(MethodRow(*each)) for each in row.methods],
            components=list(row.components),
        )  # fmt: skip

    def _method(self, row: MethodRow) -> o.MethodDecl:
        flags = row.flags
        return o.MethodDecl(
            self._add("Method", row.descriptor, "", {"visibility": row.visibility}), row.name,
            self._type_parameters(row.type_parameters), _ref(row.returns),
            tuple(o.ParameterDecl(-1, "", _ref(each)) for each in row.parameters),
            bool(flags & _VARARGS), bool(flags & _STATIC), bool(flags & _PRIVATE), bool(flags & _ABSTRACT),
            (), None,
        )  # fmt: skip

    def _type_parameters(self, rows: Any) -> tuple[o.TypeParameterDecl, ...]:
        return tuple(
            o.TypeParameterDecl(self._add("TypeParameter", descriptor, "", {}), name, _refs(bounds))
            for descriptor, name, bounds in rows
        )


def _entity(kind: str, descriptor: str, qualified: str, literals: dict[str, Any]) -> Entity:
    return Entity(kind, "", descriptor, qualified, -1, 0, 0, 0, 0, 0, 0, literals)


def _refs(texts: Sequence[TypeText]) -> tuple[o.TypeRef, ...]:
    return tuple(_parsed(text) for text in texts)


def _ref(text: TypeText | None) -> o.TypeRef | None:
    return None if text is None else _parsed(text)


def _parsed(text: TypeText) -> o.TypeRef:
    if isinstance(text, str):
        return ((text, 0),), None, 0, ()
    names, args, dims = text
    parts = tuple((name, 0) for name in names)
    return parts, None if args is None else tuple(_ref(arg) for arg in args), dims, ()
