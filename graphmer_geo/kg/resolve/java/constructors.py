"""Constructor calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphmer_geo.kg.facts import How
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.binding import argument_of, formal
from graphmer_geo.kg.resolve.java.calls import calls_relation
from graphmer_geo.kg.resolve.java.frames import Frame
from graphmer_geo.kg.resolve.java.members import accessible, upper_class
from graphmer_geo.kg.resolve.java.model import ClassInfo, Scope, Type
from graphmer_geo.kg.resolve.java.overloads import FunctionShape, choose, infer

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.bodies import BodyLinker


class ConstructorResolver:
    """Records what is instantiated and which constructor does it."""

    def __init__(self, bodies: BodyLinker) -> None:
        self.bodies = bodies
        self.out = bodies.out
        self.world = bodies.world

    def new(self, frame: Frame, op: o.Op, index: int) -> Type | None:
        """``new X(…)``: an instantiation and, where the corpus declares it, the call of a constructor."""
        _, ref, args, outer, body = op
        subject, quiet = frame.context.subject, frame.context.quiet
        outer_type = upper_class(frame.type_of(outer))
        scope = frame.scope
        if outer_type is not None and isinstance(outer_type[0], ClassInfo) and len(ref[0]) == 1:
            scope = Scope(scope.file, scope, cls=outer_type[0])  # `outer.new Inner()`
        name, start = ref[0][-1]
        frame.made[index] = (name, start)
        relation = None if quiet else "instantiates"
        if body >= 0:
            info = self.bodies.classes[body]
            type_ = self.bodies.uses.use(ref, scope, info.iri, "base", self.base_relation(ref, scope))
            self.out.row(name, start, "call", relation, subject, info.iri)
        else:
            type_ = self.bodies.uses.use(ref, scope, subject, "call", relation)
        if type_ is None or not isinstance(type_[0], ClassInfo):
            for arg in args:
                self.bodies.expect(frame, arg, None)
            return None
        result = self._constructor(frame, type_, name, start, args)
        if body >= 0:
            self.bodies.enter_class(self.bodies.classes[body], frame.scope)
            frame.exact[index] = self.bodies.classes[body]
            return self.bodies.classes[body], (), 0
        if not type_[0].opaque:
            frame.exact[index] = type_[0]
        return result

    def base_relation(self, ref: o.TypeRef, scope: Scope) -> str:
        """How an anonymous class is below the type it is made from."""
        decl = self.world.resolve_parts(ref[0], scope)[-1]
        return "implements" if isinstance(decl, ClassInfo) and decl.is_interface else "extends"

    def _constructor(
        self, frame: Frame, type_: Type, name: str, start: int, args: Sequence[int]
    ) -> Type | None:
        """Records the call of a constructor of the corpus; returns the type with a diamond filled in."""
        cls: ClassInfo = type_[0]
        constructors = accessible(cls.methods.get("<init>", []), frame.context.cls)
        arguments = [argument_of(frame, arg) for arg in args]
        method, is_certain = choose(constructors, arguments) if constructors else (None, False)
        if method is None:
            for arg in args:
                self.bodies.expect(frame, arg, None)
            return type_
        if not cls.external:
            how: How = "exact" if is_certain else "heuristic"
            self.out.row(name, start, "call", calls_relation(frame), frame.context.subject, method.iri, how)
        receiver = type_
        if not type_[1] and cls.type_vars:  # a diamond: what the arguments say
            mapping: dict[Any, Any] = dict.fromkeys(cls.type_vars)
            for position, argument in enumerate(arguments):
                if argument is not None and not isinstance(argument, FunctionShape):
                    infer(formal(method, position, arguments), argument, mapping, self.world)
            receiver = (cls, tuple(mapping[var] for var in cls.type_vars), 0)
        self.bodies.binder.bind(frame, receiver, method, args, arguments)
        return receiver

    def explicit_constructor(self, frame: Frame, op: o.Op, index: int) -> None:
        """``this(…)`` and ``super(…)``."""
        _, kind, start, args = op
        cls = frame.context.cls
        type_ = cls.this_type if kind == "this" else self.bodies.superclass_of(cls)
        if type_ is None:
            self.bodies.calls.give_up(frame, kind, start, args)
            return
        owner: ClassInfo = type_[0]
        constructors = accessible(owner.methods.get("<init>", []), cls)
        if owner.external:
            target = self.out.external(f"{owner.qualified}.<init>")
            self.out.row(kind, start, "call", calls_relation(frame), frame.context.subject, target)
        arguments = [argument_of(frame, arg) for arg in args]
        method, is_certain = choose(constructors, arguments) if constructors else (None, False)
        if method is None:
            if constructors and not owner.external:
                self.bodies.calls.give_up(frame, kind, start, args)
            return
        if not owner.external:
            how: How = "exact" if is_certain else "heuristic"
            self.out.row(kind, start, "call", calls_relation(frame), frame.context.subject, method.iri, how)
        self.bodies.binder.bind(frame, type_, method, args, arguments)

    def enum_constant(self, frame: Frame, name: str, start: int, cls: ClassInfo, args: Sequence[int]) -> None:
        """An enum constant calls a constructor of its enum."""
        self.out.row(name, start, "call", "instantiates", frame.context.subject, cls.iri)
        self._constructor(frame, (cls, (), 0), name, start, args)
