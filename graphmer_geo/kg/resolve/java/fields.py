"""Names and field accesses."""

from __future__ import annotations

from typing import Any

from graphmer_geo.kg.facts import How, Role
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.emission import Emission
from graphmer_geo.kg.resolve.java.frames import Frame
from graphmer_geo.kg.resolve.java.members import find_field, type_arguments, upper_class
from graphmer_geo.kg.resolve.java.model import (
    PRIMITIVE_TYPES,
    ClassInfo,
    Scope,
    Type,
    member_type,
    substitute,
)
from graphmer_geo.kg.resolve.java.values import PackageName, TypeName
from graphmer_geo.kg.resolve.java.world import World


class FieldResolver:
    """Finds what a simple or qualified name means (JLS 6.5) and records it."""

    def __init__(self, world: World, out: Emission) -> None:
        self.world = world
        self.out = out

    def name(self, frame: Frame, op: o.Op, index: int) -> Any:
        """A simple name: a variable, a field, or the beginning of a qualified name."""
        _, name, start, access, is_prefix = op
        context = frame.context
        scope: Scope | None = frame.scope
        while scope is not None:
            if scope.variables is not None:
                variable = scope.variables.get(name)
                if variable is not None:
                    frame.inferred[index] = variable.is_inferred
                    if access != o.WRITE:
                        self.out.row(name, start, "read", None, context.subject, variable.iri)
                    if access != o.READ:
                        self.out.row(name, start, "write", None, context.subject, variable.iri)
                    if variable.made is not None:
                        frame.exact[index] = variable.made
                    return variable.type
            if scope.cls is not None:
                outcome = self._field_of(scope.cls, name)
                if outcome is not None:
                    return self._access(frame, index, name, start, access, outcome)
            scope = scope.parent
        for cls in frame.scope.file.static_members(name):
            outcome = self._field_of(cls, name, must_be_static=True)
            if outcome is not None:
                return self._access(frame, index, name, start, access, outcome)
        if is_prefix:
            decl = frame.scope.find_type(name)
            if decl is not None:
                self._type_row(frame, name, start, decl)
                return TypeName(decl)
            return PackageName(name, start)
        return self._unknown_name(frame, name, start, access)

    def _unknown_name(self, frame: Frame, name: str, start: int, access: int) -> Any:
        """A name that nothing visible declares: of the one class above that is not known, or unknown."""
        opaque = list(dict.fromkeys(a for c in frame.scope.enclosing_classes() for a in c.inherits_opaque()))
        imported = frame.scope.file.static_single.get(name, [])
        role: Role = "read" if access == o.READ else "write"
        target = None
        if len(imported) == 1:
            target = self.out.external(f"{imported[0]}.{name}")
        elif len(opaque) == 1 and not imported:
            target = self.out.external(f"{opaque[0].qualified}.{name}")
        self.out.row(
            name, start, role, None, frame.context.subject, target, "exact" if imported else "inferred"
        )
        return None

    def _field_of(self, cls: ClassInfo, name: str, must_be_static: bool = False) -> Any:
        field = find_field(cls, name)
        return None if field is None or (must_be_static and not field.is_static) else (field, cls)

    def _access(
        self, frame: Frame, index: int, name: str, start: int, access: int, found: Any
    ) -> Type | None:
        """Records an access to a field; returns its type."""
        field, cls = found
        receiver = cls.this_type
        return self.field_access(frame, index, name, start, access, field, receiver)

    def field_access(
        self, frame: Frame, index: int, name: str, start: int, access: int, field: Any, receiver: Type
    ) -> Type | None:
        """Records an access to a field and returns the type it has through the receiver."""
        context = frame.context
        how: How = "inferred" if frame.inferred[index] else "exact"
        if field.owner.external:
            decl = receiver[0]
            owner = decl if isinstance(decl, ClassInfo) and decl.external else field.owner
            target = self.out.external(f"{owner.qualified}.{name}")
            self.out.row(
                name, start, "read" if access == o.READ else "write", None, context.subject, target, how
            )
        else:
            quiet = context.quiet
            if access != o.WRITE:
                self.out.row(name, start, "read", None if quiet else "reads", context.subject, field.iri, how)
            if access != o.READ:
                self.out.row(
                    name, start, "write", None if quiet else "writes", context.subject, field.iri, how
                )
        type_ = field.type
        if type_ is None or field.is_static or not field.owner.type_vars:
            return type_
        return substitute(type_, type_arguments(receiver, field.owner))

    def _type_row(self, frame: Frame, name: str, start: int, decl: Any) -> None:
        iri = self.out.class_iri(decl) if isinstance(decl, ClassInfo) else decl.iri
        self.out.row(name, start, "type", None, frame.context.subject, iri)

    def field(self, frame: Frame, op: o.Op, index: int) -> Any:
        """``object.name``."""
        _, obj, name, start, access, is_prefix = op
        value = frame.values[obj] if obj >= 0 else None
        role: Role = "read" if access == o.READ else "write"
        if obj >= 0:
            frame.inferred[index] = frame.inferred[obj]
        if isinstance(value, PackageName):
            return self._qualified(frame, value, name, start, is_prefix, role)
        if isinstance(value, TypeName):
            return self._static_field(frame, index, value.decl, name, start, access, is_prefix)
        receiver = upper_class(value) if type(value) is tuple else None
        if receiver is not None:
            decl, _, dims = receiver
            if dims:
                return PRIMITIVE_TYPES["int"]
            if isinstance(decl, ClassInfo):
                field = find_field(decl, name)
                if field is not None:
                    return self.field_access(frame, index, name, start, access, field, receiver)
                self.opaque_member(frame, decl, name, start, role, bool(frame.inferred[index]))
                return None
        self.out.row(name, start, role, None, frame.context.subject, None)
        return None

    def _static_field(
        self, frame: Frame, index: int, decl: Any, name: str, start: int, access: int, is_prefix: bool
    ) -> Any:
        if isinstance(decl, ClassInfo):
            field = find_field(decl, name)
            if field is not None:
                return self.field_access(frame, index, name, start, access, field, (decl, (), 0))
            inner = member_type(decl, name)
            if inner is None and decl.opaque and is_prefix and name[:1].isupper() and not name.isupper():
                inner = self.world.class_or_external(f"{decl.qualified}.{name}")
            if inner is not None:
                self._type_row(frame, name, start, inner)
                return TypeName(inner)
            self.opaque_member(frame, decl, name, start, "read" if access == o.READ else "write", False)
            return None
        self.out.row(name, start, "read", None, frame.context.subject, None)
        return None

    def opaque_member(
        self, frame: Frame, decl: ClassInfo, name: str, start: int, role: Role, inferred: bool
    ) -> None:
        """A member of a class that is not known itself, or that is below exactly one such class."""
        opaque = [decl] if decl.opaque else list(decl.inherits_opaque())
        target = self.out.external(f"{opaque[0].qualified}.{name}") if len(opaque) == 1 else None
        how: How = "inferred" if inferred or not decl.opaque else "exact"
        self.out.row(name, start, role, None, frame.context.subject, target, how)

    def _qualified(
        self, frame: Frame, prefix: PackageName, name: str, start: int, is_prefix: bool, role: Role
    ) -> Any:
        dotted = f"{prefix.name}.{name}"
        cls = self.world.known(dotted)
        if cls is None and self.world.is_package(dotted):
            return PackageName(dotted, start)
        lower = prefix.name[:1].islower()
        if cls is None and lower and name[:1].isupper() and is_prefix and "." in dotted:
            cls = self.world.class_or_external(dotted) if prefix.is_plausible else None
        if cls is not None:
            self._type_row(frame, name, start, cls)
            return TypeName(cls)
        if is_prefix and lower and name[:1].islower():
            return PackageName(dotted, start)
        first = prefix.name.partition(".")[0]
        if first == prefix.name:
            self.out.row(first, prefix.start, "read", None, frame.context.subject, None)
        self.out.row(name, start, role, None, frame.context.subject, None)
        return None
