"""Runs the operations of a body once, forwards, computing static types and recording every reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphmer_geo.kg.facts import How
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.binding import Binder
from graphmer_geo.kg.resolve.java.calls import CallResolver
from graphmer_geo.kg.resolve.java.constructors import ConstructorResolver
from graphmer_geo.kg.resolve.java.expression_types import arithmetic, common_class, conditional, element_type
from graphmer_geo.kg.resolve.java.fields import FieldResolver
from graphmer_geo.kg.resolve.java.frames import Context, Frame, local_iri
from graphmer_geo.kg.resolve.java.functions import FunctionResolver
from graphmer_geo.kg.resolve.java.members import find_field, upper_class
from graphmer_geo.kg.resolve.java.model import (
    BOOLEAN,
    NULL,
    PRIMITIVE_TYPES,
    ClassInfo,
    Scope,
    Type,
    Variable,
)
from graphmer_geo.kg.resolve.java.names import TypeUses
from graphmer_geo.kg.resolve.java.values import FunctionValue, TypeName


class BodyLinker:
    """Links all bodies of one file."""

    def __init__(
        self, uses: TypeUses, classes: list[ClassInfo], link_class: Callable[[ClassInfo], None]
    ) -> None:
        self.uses = uses
        self.out = uses.out
        self.world = uses.world
        self.classes = classes
        self.link_class = link_class
        self.fields = FieldResolver(self.world, self.out)
        self.binder = Binder(self)
        self.functions = FunctionResolver(self)
        self.calls = CallResolver(self)
        self.constructors = ConstructorResolver(self)

    def run(self, ops: o.Ops, context: Context) -> Frame:
        """Links a body; the frame holds the value of each operation."""
        frame = self.run_pending(ops, context)
        self.finish(frame)
        return frame

    def run_pending(self, ops: o.Ops, context: Context) -> Frame:
        """As :meth:`run`, but lambdas may still be told their type before :meth:`finish`."""
        frame = Frame(context, ops)
        values = frame.values
        for index, op in enumerate(ops):
            values[index] = _HANDLERS[op[0]](self, frame, op, index)
        return frame

    def finish(self, frame: Frame) -> None:
        """Links the lambdas that nobody has given a type."""
        for value in frame.values:
            if isinstance(value, FunctionValue) and not value.is_done:
                self.functions.complete(value, None)

    # -- values --------------------------------------------------------------------------------

    def expect(self, frame: Frame, index: int, target: Type | None) -> Type | None:
        """Tells a lambda or method reference which type it is wanted as."""
        if index < 0:
            return None
        value = frame.values[index]
        if isinstance(value, FunctionValue):
            if not value.is_done:
                self.functions.complete(value, target)
            return target
        if isinstance(value, list):
            for each in value:
                self.expect(frame, each, target)
            return target
        return value if type(value) is tuple else None

    def _literal(self, frame: Frame, op: o.Op, index: int) -> Any:
        name = op[1]
        if name == "String":
            return self.world.string
        return PRIMITIVE_TYPES[name]

    def _this(self, frame: Frame, op: o.Op, index: int) -> Any:
        return frame.context.cls.this_type

    def _super(self, frame: Frame, op: o.Op, index: int) -> Any:
        return self.superclass_of(frame.context.cls)

    def superclass_of(self, cls: ClassInfo) -> Type | None:
        """The direct superclass, java.lang.Object if none is written; None if it is written but unknown."""
        for type_ in cls.supers:
            if not type_[0].is_interface:
                return type_
        if cls.decl is not None and (cls.decl.extends or cls.decl.base is not None) and not cls.supers:
            return None
        return (self.world.object, (), 0) if self.world.object is not None else None

    def _outer_this(self, frame: Frame, op: o.Op, index: int) -> Any:
        value = frame.values[op[1]] if op[1] >= 0 else None
        return (
            value.decl.this_type
            if isinstance(value, TypeName) and isinstance(value.decl, ClassInfo)
            else None
        )

    def _outer_super(self, frame: Frame, op: o.Op, index: int) -> Any:
        value = frame.values[op[1]] if op[1] >= 0 else None
        decl = value.decl if isinstance(value, TypeName) else None
        if not isinstance(decl, ClassInfo):
            return None
        if decl.is_interface:  # `Interface.super.m()`: a direct superinterface
            return next((s for s in frame.context.cls.supers if s[0] is decl), None)
        return self.superclass_of(decl)

    # -- calls --------------------------------------------------------------------------------

    def _call(self, frame: Frame, op: o.Op, index: int) -> Any:
        outcome = self.calls.call(frame, op, index)
        frame.inferred[index] = outcome.is_inferred
        return outcome.type

    def _new(self, frame: Frame, op: o.Op, index: int) -> Any:
        return self.constructors.new(frame, op, index)

    def _construct(self, frame: Frame, op: o.Op, index: int) -> Any:
        self.constructors.explicit_constructor(frame, op, index)

    def _function(self, frame: Frame, op: o.Op, index: int) -> Any:
        return FunctionValue(op, frame, frame.scope)

    # -- types of other expressions ---------------------------------------------------------------------

    def _new_array(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.uses.use(op[1], frame.scope, frame.context.subject)
        return (type_[0], type_[1], type_[2] + op[2]) if type_ is not None else None

    def _index(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = frame.type_of(op[1])
        if op[1] >= 0:
            frame.inferred[index] = frame.inferred[op[1]]
        return (type_[0], type_[1], type_[2] - 1) if type_ is not None and type_[2] else None

    def _cast(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.uses.use(op[1], frame.scope, frame.context.subject)
        self.expect(frame, op[2], type_)
        if op[2] in frame.exact:
            frame.exact[index] = frame.exact[op[2]]
        return type_

    def _same(self, frame: Frame, op: o.Op, index: int) -> Any:
        if op[1] >= 0:
            frame.inferred[index] = frame.inferred[op[1]]
        return frame.type_of(op[1])

    def _assign(self, frame: Frame, op: o.Op, index: int) -> Any:
        target = frame.type_of(op[1])
        self.expect(frame, op[2], target)
        return target

    def _test(self, frame: Frame, op: o.Op, index: int) -> Any:
        return BOOLEAN

    def _class_literal(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.uses.use(op[1], frame.scope, frame.context.subject)
        cls = self.world.known("java.lang.Class")
        return (cls, (type_,), 0) if cls is not None else None

    def _type(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.uses.use(op[1], frame.scope, frame.context.subject)
        return TypeName(type_[0], type_) if type_ is not None else None

    def _nothing(self, frame: Frame, op: o.Op, index: int) -> Any:
        return None

    def _choice(self, frame: Frame, op: o.Op, index: int) -> Any:
        waiting = [
            each for each in op[1] if each >= 0 and isinstance(frame.values[each], (FunctionValue, list))
        ]
        return waiting or conditional([frame.type_of(each) for each in op[1]])

    def _binary(self, frame: Frame, op: o.Op, index: int) -> Any:
        return arithmetic(op[1], [frame.type_of(each) for each in op[2]], self.world)

    # -- statements --------------------------------------------------------------------------------

    def _push(self, frame: Frame, op: o.Op, index: int) -> Any:
        frame.scope = Scope(frame.scope.file, frame.scope)

    def _pop(self, frame: Frame, op: o.Op, index: int) -> Any:
        if frame.scope.parent is not None and frame.scope is not frame.context.scope:
            frame.scope = frame.scope.parent

    def _local(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, name, start, ref, value, flavour = op
        inferred = False
        iri = local_iri(frame, name, start)
        if ref is None or (len(ref[0]) == 1 and ref[0][0][0] == "var" and not ref[2]):
            type_ = frame.type_of(value)
            inferred = value >= 0 and bool(frame.inferred[value])
            if flavour == o.FOR_EACH:
                type_ = element_type(type_, self.world)
        else:
            type_ = self.uses.use(ref, frame.scope, iri)
            if flavour == o.PLAIN:
                self.expect(frame, value, type_)
        if value >= 0 and flavour == o.PLAIN:
            self.out.row(name, start, "write", None, frame.context.subject, iri)
        made = frame.exact.get(value) if flavour == o.PLAIN and name not in frame.assigned else None
        self.declare_local(frame, name, start, Variable(type_, inferred, iri, made))

    def declare_local(self, frame: Frame, name: str, start: int, variable: Variable) -> None:
        """A local variable is no node of the graph: it lives in the occurrence table, which says where."""
        frame.scope.declare(name, variable)
        self.out.row(name, start, "definition", None, frame.context.subject, variable.iri)

    def _catch(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, refs, name, start = op
        subject = frame.context.subject
        types = [self.uses.use(ref, frame.scope, subject, "catch", "catches") for ref in refs]
        type_ = types[0] if len(types) == 1 else common_class([t for t in types if t is not None])
        iri = local_iri(frame, name, start)
        self.declare_local(frame, name, start, Variable(type_, len(types) > 1, iri))

    def _throw(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, value, start, end, name = op
        type_ = upper_class(frame.type_of(value))
        out, context = self.out, frame.context
        if value in frame.made:  # `throw new X()`: the evidence is the name X
            name, start = frame.made[value]
            end = start + len(name.encode())
        target = out.class_iri(type_[0]) if type_ is not None and isinstance(type_[0], ClassInfo) else None
        how: How = "inferred" if value >= 0 and frame.inferred[value] else "exact"
        out.span(start, end, name, "raise", "raises", context.subject, target, how)

    def _return(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.expect(frame, op[1], frame.context.returns)
        if type_ is not None and type_ != NULL:
            frame.result = frame.result or type_

    def _switch(self, frame: Frame, op: o.Op, index: int) -> Any:
        frame.selectors.append(frame.type_of(op[1]))

    def _switch_end(self, frame: Frame, op: o.Op, index: int) -> Any:
        if frame.selectors:
            frame.selectors.pop()
        return self._choice(frame, op, index)

    def _case(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, name, start = op
        selector = frame.selectors[-1] if frame.selectors else None
        if selector is not None and isinstance(selector[0], ClassInfo) and selector[0].kind == "Enum":
            field = find_field(selector[0], name)
            if field is not None:
                self.fields.field_access(frame, index, name, start, o.READ, field, selector)
                return
        if selector is None or not isinstance(selector[0], ClassInfo) or not selector[0].opaque:
            self.fields.name(frame, (o.NAME, name, start, o.READ, False), index)
            return
        self.fields.opaque_member(frame, selector[0], name, start, "read", False)

    def _local_class(self, frame: Frame, op: o.Op, index: int) -> Any:
        info = self.classes[op[1]]
        scope = frame.scope
        if scope.types is None:
            scope.types = {}
        scope.types[info.name] = info
        self.enter_class(info, scope)

    def enter_class(self, info: ClassInfo, scope: Scope) -> None:
        """Links a local or anonymous class where it stands."""
        info.outer_scope = scope
        self.link_class(info)

    def _annotation(self, frame: Frame, op: o.Op, index: int) -> Any:
        context = frame.context
        self.uses.use(op[1], frame.scope, context.subject, "annotation", None)
        self.run(op[2], Context(context.subject, context.cls, frame.scope, quiet=True))


_HANDLERS: dict[int, Callable[[BodyLinker, Frame, o.Op, int], Any]] = {
    o.LITERAL: BodyLinker._literal,
    o.NAME: lambda linker, frame, op, index: linker.fields.name(frame, op, index),
    o.FIELD: lambda linker, frame, op, index: linker.fields.field(frame, op, index),
    o.THIS: BodyLinker._this,
    o.SUPER: BodyLinker._super,
    o.OUTER_THIS: BodyLinker._outer_this,
    o.OUTER_SUPER: BodyLinker._outer_super,
    o.CALL: BodyLinker._call,
    o.NEW: BodyLinker._new,
    o.NEW_ARRAY: BodyLinker._new_array,
    o.INDEX: BodyLinker._index,
    o.CAST: BodyLinker._cast,
    o.CHOICE: BodyLinker._choice,
    o.BINARY: BodyLinker._binary,
    o.SAME: BodyLinker._same,
    o.ASSIGN: BodyLinker._assign,
    o.TEST: BodyLinker._test,
    o.CLASS_LITERAL: BodyLinker._class_literal,
    o.LAMBDA: BodyLinker._function,
    o.METHOD_REF: BodyLinker._function,
    o.TYPE: BodyLinker._type,
    o.SWITCH_END: BodyLinker._switch_end,
    o.PUSH: BodyLinker._push,
    o.POP: BodyLinker._pop,
    o.LOCAL: BodyLinker._local,
    o.CATCH: BodyLinker._catch,
    o.THROW: BodyLinker._throw,
    o.RETURN: BodyLinker._return,
    o.SWITCH: BodyLinker._switch,
    o.CASE: BodyLinker._case,
    o.CONSTRUCT: BodyLinker._construct,
    o.LOCAL_CLASS: BodyLinker._local_class,
    o.ANNOTATION: BodyLinker._annotation,
}
