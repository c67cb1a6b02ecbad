"""Method calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphmer_geo.kg.facts import How
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.binding import argument_of
from graphmer_geo.kg.resolve.java.frames import Frame
from graphmer_geo.kg.resolve.java.members import (
    OBJECT_METHODS,
    accessible,
    find_methods,
    type_arguments,
    upper_class,
)
from graphmer_geo.kg.resolve.java.model import ClassInfo, FieldInfo, MethodInfo, Type, substitute
from graphmer_geo.kg.resolve.java.overloads import choose
from graphmer_geo.kg.resolve.java.values import PackageName, TypeName

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.bodies import BodyLinker


def component_of(cls: ClassInfo, name: str, count: int) -> FieldInfo | None:
    """The record component whose accessor nobody has written."""
    if count or cls.decl is None or name not in cls.decl.components:
        return None
    return cls.fields.get(name)


def calls_relation(frame: Frame) -> str | None:
    """What a call asserts: nothing inside an annotation."""
    return None if frame.context.quiet else "calls"


class Outcome(NamedTuple):
    """The value of a call."""

    type: Type | None
    is_inferred: bool


UNKNOWN = Outcome(None, False)


class CallResolver:
    """Finds what a call calls and records it."""

    def __init__(self, bodies: BodyLinker) -> None:
        self.bodies = bodies
        self.out = bodies.out
        self.world = bodies.world

    # -- methods --------------------------------------------------------------------------------

    def call(self, frame: Frame, op: o.Op, index: int) -> Outcome:
        """Resolves a method call."""
        _, obj, name, start, args, is_simple = op
        if is_simple:
            return self._simple_call(frame, name, start, args, index)
        value = frame.values[obj] if obj >= 0 else None
        inferred = obj >= 0 and bool(frame.inferred[obj])
        if isinstance(value, PackageName):
            self.unresolved_package(frame, value)
        receiver = (
            value.type
            if isinstance(value, TypeName)
            else upper_class(value if type(value) is tuple else None)
        )
        if receiver is not None and receiver[2]:
            if name == "clone" and not args:
                root = self.world.class_or_external("java.lang.Object")
                if root is not None:
                    self._external(frame, root, name, start, args, "inferred" if inferred else "exact")
                return Outcome(receiver, inferred)
            receiver = (self.world.object, (), 0) if self.world.object is not None else None
        if receiver is None or not isinstance(receiver[0], ClassInfo):
            return self.give_up(frame, name, start, args)
        return self._member_call(frame, receiver, name, start, args, inferred, index, obj)

    def unresolved_package(self, frame: Frame, value: PackageName) -> None:
        """Records a qualifier that turned out to be nothing known."""
        name = value.name.rpartition(".")[2]
        self.out.row(name, value.start, "read", None, frame.context.subject, None)

    def give_up(self, frame: Frame, name: str, start: int, args: Sequence[int]) -> Outcome:
        """Records an unresolved call; its lambdas are linked all the same."""
        self.out.row(name, start, "call", calls_relation(frame), frame.context.subject, None)
        for arg in args:
            self.bodies.expect(frame, arg, None)
        return UNKNOWN

    def _simple_call(self, frame: Frame, name: str, start: int, args: Sequence[int], index: int) -> Outcome:
        """``m()``: the innermost class that has a member of that name, then static imports."""
        for cls in frame.scope.enclosing_classes():
            if find_methods(cls, name) or self._is_implicit(cls, name, len(args)):
                return self._member_call(frame, cls.this_type, name, start, args, False, index)
        scope = frame.scope.file
        for cls in scope.static_members(name):
            methods = [m for m in find_methods(cls, name) if m.decl.is_static]
            if methods:
                return self._member_call(frame, (cls, (), 0), name, start, args, False, index)
        for qualified in scope.static_single.get(name, ()):
            imported = self.world.class_or_external(qualified)
            if imported is not None and imported.opaque:
                return self._external(frame, imported, name, start, args, "exact")
        opaque = list(dict.fromkeys(a for c in frame.scope.enclosing_classes() for a in c.inherits_opaque()))
        if name in OBJECT_METHODS:
            root = self.world.class_or_external("java.lang.Object")
            if root is not None:
                return self._external(frame, root, name, start, args, "exact" if not opaque else "inferred")
        if len(opaque) == 1 and not scope.static_stars:
            return self._external(frame, opaque[0], name, start, args, "inferred")
        return self.give_up(frame, name, start, args)

    def _is_implicit(self, cls: ClassInfo, name: str, count: int) -> bool:
        """Whether the language declares the method: an enum's own ones, a record's accessors."""
        if cls.kind == "Enum":
            return not cls.external and (name, count) in (("values", 0), ("valueOf", 1))
        return cls.kind == "Record" and name not in cls.methods and component_of(cls, name, count) is not None

    def _member_call(
        self,
        frame: Frame,
        receiver: Type,
        name: str,
        start: int,
        args: Sequence[int],
        inferred: bool,
        index: int,
        obj: int = -1,
    ) -> Outcome:
        cls: ClassInfo = receiver[0]
        methods = find_methods(cls, name)
        if not methods or self._is_implicit(cls, name, len(args)):
            return self._undeclared(frame, receiver, name, start, args, inferred)
        arguments = [argument_of(frame, arg) for arg in args]
        method, is_certain = choose(accessible(methods, frame.context.cls), arguments)
        if method is None:
            opaque = [] if cls.external else list(cls.inherits_opaque())
            if len(opaque) == 1:
                return self._external(frame, opaque[0], name, start, args, "inferred")
            return self.give_up(frame, name, start, args)
        how: How = "heuristic" if not is_certain else "inferred" if inferred else "exact"
        self._record(frame, cls, method, name, start, how, obj)
        type_ = self.bodies.binder.bind(frame, receiver, method, args, arguments, index)
        if name == "getClass" and not args and method.owner is self.world.object:
            type_ = (type_[0], (receiver,), 0) if type_ is not None else None
        return Outcome(type_, inferred or (bool(method.type_vars) and type_ is not None) or not is_certain)

    def _record(
        self, frame: Frame, cls: ClassInfo, method: MethodInfo, name: str, start: int, how: How, obj: int
    ) -> None:
        """A row for the method that is named, and one for each other method that may run in its place."""
        relation, subject, out = calls_relation(frame), frame.context.subject, self.out
        named, dispatch = self.target(cls, method), self.world.dispatch
        if relation is None or self._is_bound(frame, method, obj):
            out.row(name, start, "call", relation, subject, named, how)
            return
        made = frame.exact.get(obj)
        run = dispatch.selected(made, method) if made is not None else None
        if made is not None and run is not None:
            if run is not method:  # the receiver's class is known: only its method runs
                out.row(name, start, "call", None, subject, named, how)
                out.row(name, start, "call", relation, subject, self.target(made, run), "inferred")
            else:
                out.row(name, start, "call", relation, subject, named, how)
            return
        out.row(name, start, "call", relation, subject, named, how)
        possible = dispatch.possible(cls, method)
        # The only implementation there is runs; of several, each may.
        is_sole = dispatch.is_sole(cls, method)
        for other in possible:
            out.row(name, start, "call", relation, subject, other.iri, "inferred" if is_sole else "heuristic")

    @staticmethod
    def _is_bound(frame: Frame, method: MethodInfo, obj: int) -> bool:
        """Whether the call runs the method that it names, whatever the receiver is."""
        decl = method.decl
        if decl.is_static or decl.is_private:
            return True
        return obj >= 0 and frame.ops[obj][0] in (o.SUPER, o.OUTER_SUPER)

    def target(self, cls: ClassInfo, method: MethodInfo) -> str:
        """The IRI of a method; one from outside is named after the class through which it is reached."""
        if not method.owner.external:
            return method.iri
        owner = method.owner
        if owner is not self.world.object or cls.external:
            owner = next((a for a in cls.ancestors if a.external and owner in a.ancestors), owner)
        return self.out.external(f"{owner.qualified}.{method.name}")

    def _undeclared(
        self, frame: Frame, receiver: Type, name: str, start: int, args: Sequence[int], inferred: bool
    ) -> Outcome:
        """A method that no known class declares: a record's accessor, an enum's own, or one from outside."""
        cls: ClassInfo = receiver[0]
        component = component_of(cls, name, len(args))
        if component is not None:
            how: How = "inferred" if inferred else "exact"
            relation = None if frame.context.quiet else "reads"
            self.out.row(name, start, "call", relation, frame.context.subject, component.iri, how)
            return Outcome(substitute(component.type, type_arguments(receiver, cls)), inferred)
        if self._is_implicit(cls, name, len(args)):
            self.out.row(name, start, "call", calls_relation(frame), frame.context.subject, None)
            return Outcome((cls, (), 1 if name == "values" else 0), inferred)
        opaque = [cls] if cls.opaque else list(cls.inherits_opaque())
        if cls.opaque:
            return self._external(frame, cls, name, start, args, "inferred" if inferred else "exact")
        if name in OBJECT_METHODS:
            root = self.world.class_or_external("java.lang.Object")
            if root is not None:
                return self._external(
                    frame, root, name, start, args, "inferred" if inferred or opaque else "exact"
                )
        if len(opaque) == 1:
            return self._external(frame, opaque[0], name, start, args, "inferred")
        return self.give_up(frame, name, start, args)

    def _external(
        self, frame: Frame, cls: ClassInfo, name: str, start: int, args: Sequence[int], how: How
    ) -> Outcome:
        target = self.out.external(f"{cls.qualified}.{name}")
        self.out.row(name, start, "call", calls_relation(frame), frame.context.subject, target, how)
        for arg in args:
            self.bodies.expect(frame, arg, None)
        return Outcome(self.world.string, False) if name == "toString" and not args else UNKNOWN
