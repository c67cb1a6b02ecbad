"""Runs the operations of a body once, forwards, computing static types and recording every reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.calls import CallResolver, Outcome
from graphmer_geo.kg.resolve.java.model import (
    BOOLEAN,
    NUMERIC,
    PRIMITIVE_TYPES,
    ClassInfo,
    Primitive,
    Scope,
    Type,
    Variable,
)
from graphmer_geo.kg.resolve.java.members import find_field, type_arguments, upper_class
from graphmer_geo.kg.resolve.java.model import member_type, substitute
from graphmer_geo.kg.resolve.java.names import TypeUses
from graphmer_geo.kg.resolve.java.values import FunctionValue, PackageName, TypeName


@dataclass(slots=True)
class Context:
    """Where code stands: who runs it, and what it may name."""

    subject: str
    cls: ClassInfo
    scope: Scope
    returns: Type | None = None
    quiet: bool = False  # annotation arguments: nobody runs them, so they assert no triple


class Frame:
    """The values of one list of operations."""

    __slots__ = ("context", "inferred", "made", "ops", "result", "scope", "selectors", "values")

    def __init__(self, context: Context, ops: o.Ops) -> None:
        size = len(ops)
        self.ops = ops
        self.context = context
        self.scope = context.scope
        self.values: list[Any] = [None] * size
        self.inferred = bytearray(size)
        self.selectors: list[Type | None] = []
        self.made: dict[int, tuple[str, int]] = {}  # `new X()`: the name X and where it stands
        self.result: Type | None = None  # of the last return statement, for lambdas


class BodyLinker:
    """Links all bodies of one file."""

    def __init__(self, uses: TypeUses, classes: list[ClassInfo], link_class: Callable[[ClassInfo], None]) -> None:
        self.uses = uses
        self.out = uses.out
        self.world = uses.world
        self.classes = classes
        self.link_class = link_class
        self.calls = CallResolver(self)

    def run(self, ops: o.Ops, context: Context) -> Frame:
        """Links a body; the frame holds the value of each operation."""
        frame = self.run_pending(ops, context)
        self.finish(frame)
        return frame

    def run_pending(self, ops: o.Ops, context: Context) -> Frame:
        """As :meth:`run`, but lambdas whose type is not known yet may still be told it before :meth:`finish`."""
        frame = Frame(context, ops)
        values = frame.values
        for index, op in enumerate(ops):
            values[index] = _HANDLERS[op[0]](self, frame, op, index)
        return frame

    def finish(self, frame: Frame) -> None:
        """Links the lambdas that nobody has given a type."""
        for value in frame.values:
            if isinstance(value, FunctionValue) and not value.is_done:
                self.calls.complete(value, None)

    # -- values --------------------------------------------------------------------------------------------------

    def type_of(self, frame: Frame, index: int) -> Type | None:
        """The static type of an operation's value; None if unknown or no value."""
        if index < 0:
            return None
        value = frame.values[index]
        return value if type(value) is tuple else None

    def expect(self, frame: Frame, index: int, target: Type | None) -> Type | None:
        """Tells a lambda or method reference which type it is wanted as."""
        if index < 0:
            return None
        value = frame.values[index]
        if isinstance(value, FunctionValue):
            if not value.is_done:
                self.calls.complete(value, target)
            return target
        if isinstance(value, list):
            for each in value:
                self.expect(frame, each, target)
            return target
        return value if type(value) is tuple else None

    # -- names ---------------------------------------------------------------------------------------------------

    def _literal(self, frame: Frame, op: o.Op, index: int) -> Any:
        name = op[1]
        if name == "String":
            return self.world.string
        return PRIMITIVE_TYPES[name]

    def _name(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, name, start, access, is_prefix = op
        context = frame.context
        scope: Scope | None = frame.scope
        while scope is not None:
            if scope.variables is not None:
                variable = scope.variables.get(name)
                if variable is not None:
                    frame.inferred[index] = variable.is_inferred
                    if variable.iri is not None:
                        role = "read" if access == o.READ else "write"
                        self.out.row(name, start, role, None, context.subject, variable.iri)  # type: ignore[arg-type]
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
        """A name that nothing visible declares: inherited from the one class above that is not known, or unknown."""
        opaque = list(dict.fromkeys(a for c in frame.scope.enclosing_classes() for a in c.inherits_opaque()))
        imported = frame.scope.file.static_single.get(name, [])
        role = "read" if access == o.READ else "write"
        target = None
        if len(imported) == 1:
            target = self.out.external(f"{imported[0]}.{name}")
        elif len(opaque) == 1 and not imported:
            target = self.out.external(f"{opaque[0].qualified}.{name}")
        self.out.row(name, start, role, None, frame.context.subject, target,  # type: ignore[arg-type]
                     "exact" if imported else "inferred")  # fmt: skip
        return None

    def _field_of(self, cls: ClassInfo, name: str, must_be_static: bool = False) -> Any:
        field = find_field(cls, name)
        return None if field is None or (must_be_static and not field.is_static) else (field, cls)

    def _access(self, frame: Frame, index: int, name: str, start: int, access: int, found: Any) -> Type | None:
        """Records an access to a field; returns its type."""
        field, cls = found
        receiver = cls.this_type
        return self.field_access(frame, index, name, start, access, field, receiver)

    def field_access(
        self, frame: Frame, index: int, name: str, start: int, access: int, field: Any, receiver: Type
    ) -> Type | None:
        context = frame.context
        how = "inferred" if frame.inferred[index] else "exact"
        if field.owner.external:
            decl = receiver[0]
            owner = decl if isinstance(decl, ClassInfo) and decl.external else field.owner
            target = self.out.external(f"{owner.qualified}.{name}")
            self.out.row(name, start, "read" if access == o.READ else "write", None, context.subject, target,
                         how)  # type: ignore[arg-type]  # fmt: skip
        else:
            quiet = context.quiet
            if access != o.WRITE:
                self.out.row(name, start, "read", None if quiet else "reads", context.subject, field.iri,
                             how)  # type: ignore[arg-type]  # fmt: skip
            if access != o.READ:
                self.out.row(name, start, "write", None if quiet else "writes", context.subject, field.iri,
                             how)  # type: ignore[arg-type]  # fmt: skip
        type_ = field.type
        if type_ is None or field.is_static or not field.owner.type_vars:
            return type_  # type: ignore[no-any-return]
        return substitute(type_, type_arguments(receiver, field.owner))

    def _type_row(self, frame: Frame, name: str, start: int, decl: Any) -> None:
        iri = self.out.class_iri(decl) if isinstance(decl, ClassInfo) else decl.iri
        self.out.row(name, start, "type", None, frame.context.subject, iri)

    def _field(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, obj, name, start, access, is_prefix = op
        value = frame.values[obj] if obj >= 0 else None
        role = "read" if access == o.READ else "write"
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
                self._opaque_member(frame, decl, name, start, role, bool(frame.inferred[index]))
                return None
        self.out.row(name, start, role, None, frame.context.subject, None)  # type: ignore[arg-type]
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
            self._opaque_member(frame, decl, name, start, "read" if access == o.READ else "write", False)
            return None
        self.out.row(name, start, "read", None, frame.context.subject, None)
        return None

    def _opaque_member(
        self, frame: Frame, decl: ClassInfo, name: str, start: int, role: str, inferred: bool
    ) -> None:
        """A member of a class that is not known itself, or that is below exactly one such class."""
        opaque = [decl] if decl.opaque else list(decl.inherits_opaque())
        target = self.out.external(f"{opaque[0].qualified}.{name}") if len(opaque) == 1 else None
        how = "inferred" if inferred or not decl.opaque else "exact"
        self.out.row(name, start, role, None, frame.context.subject, target, how)  # type: ignore[arg-type]

    def _qualified(
        self, frame: Frame, prefix: PackageName, name: str, start: int, is_prefix: bool, role: str
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
        self.out.row(name, start, role, None, frame.context.subject, None)  # type: ignore[arg-type]
        return None

    def _this(self, frame: Frame, op: o.Op, index: int) -> Any:
        return frame.context.cls.this_type

    def _super(self, frame: Frame, op: o.Op, index: int) -> Any:
        return self.superclass_of(frame.context.cls)

    def superclass_of(self, cls: ClassInfo) -> Type | None:
        """The direct superclass; java.lang.Object where none is written; None where it is written but unknown."""
        for type_ in cls.supers:
            if not type_[0].is_interface:
                return type_
        if cls.decl is not None and (cls.decl.extends or cls.decl.base is not None) and not cls.supers:
            return None
        return (self.world.object, (), 0) if self.world.object is not None else None

    def _outer_this(self, frame: Frame, op: o.Op, index: int) -> Any:
        value = frame.values[op[1]] if op[1] >= 0 else None
        return value.decl.this_type if isinstance(value, TypeName) and isinstance(value.decl, ClassInfo) else None

    def _outer_super(self, frame: Frame, op: o.Op, index: int) -> Any:
        value = frame.values[op[1]] if op[1] >= 0 else None
        decl = value.decl if isinstance(value, TypeName) else None
        if not isinstance(decl, ClassInfo):
            return None
        if decl.is_interface:  # `Interface.super.m()`: a direct superinterface
            return next((s for s in frame.context.cls.supers if s[0] is decl), None)
        return self.superclass_of(decl)

    # -- calls ---------------------------------------------------------------------------------------------------

    def _call(self, frame: Frame, op: o.Op, index: int) -> Any:
        outcome: Outcome = self.calls.call(frame, op, index)
        frame.inferred[index] = outcome.is_inferred
        return outcome.type

    def _new(self, frame: Frame, op: o.Op, index: int) -> Any:
        return self.calls.new(frame, op, index)

    def _construct(self, frame: Frame, op: o.Op, index: int) -> Any:
        self.calls.explicit_constructor(frame, op, index)

    def _function(self, frame: Frame, op: o.Op, index: int) -> Any:
        return FunctionValue(op, frame, frame.scope)

    # -- types of other expressions ------------------------------------------------------------------------------

    def _new_array(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.uses.use(op[1], frame.scope, frame.context.subject)
        return (type_[0], type_[1], type_[2] + op[2]) if type_ is not None else None

    def _index(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.type_of(frame, op[1])
        if op[1] >= 0:
            frame.inferred[index] = frame.inferred[op[1]]
        return (type_[0], type_[1], type_[2] - 1) if type_ is not None and type_[2] else None

    def _cast(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.uses.use(op[1], frame.scope, frame.context.subject)
        self.expect(frame, op[2], type_)
        return type_

    def _choice(self, frame: Frame, op: o.Op, index: int) -> Any:
        waiting = [each for each in op[1] if each >= 0 and isinstance(frame.values[each], (FunctionValue, list))]
        if waiting:
            return waiting
        types = [type_ for each in op[1] if (type_ := self.type_of(frame, each)) is not None]
        known = [type_ for type_ in types if not (isinstance(type_[0], Primitive) and type_[0].name == "null")]
        if len(types) < len(op[1]) or not known:
            return known[0] if known and all(t == known[0] for t in known) else (types[0] if types else None)
        return self._common(known)

    def _common(self, types: list[Type]) -> Type | None:
        """The type of a conditional: the widest number, or the alternative that all others are below."""
        first = types[0]
        if all(isinstance(t[0], Primitive) and not t[2] for t in types):
            return self._promote(types) or first
        for candidate in types:
            cls = candidate[0]
            if all(t == candidate or (isinstance(t[0], ClassInfo) and cls in t[0].ancestors) for t in types):
                return candidate
        return first if all(t[0] is first[0] for t in types) else None

    @staticmethod
    def _promote(types: list[Type]) -> Type | None:
        ranks = [NUMERIC.index(t[0].name) for t in types if t[0].name in NUMERIC]
        return PRIMITIVE_TYPES[NUMERIC[max(ranks)]] if len(ranks) == len(types) else None

    def _binary(self, frame: Frame, op: o.Op, index: int) -> Any:
        types = [self.type_of(frame, each) for each in op[2]]
        if op[1] == "+" and any(type_ == self.world.string for type_ in types):
            return self.world.string
        if any(type_ is None for type_ in types):
            return None
        plain = [self.world.unboxed(type_) for type_ in types if type_ is not None]
        if any(not isinstance(type_[0], Primitive) or type_[2] for type_ in plain):
            return None
        if op[1] in ("<<", ">>", ">>>"):
            plain = plain[:1]
        return self._promote([*plain, PRIMITIVE_TYPES["int"]]) or (BOOLEAN if plain[0] == BOOLEAN else None)

    def _same(self, frame: Frame, op: o.Op, index: int) -> Any:
        if op[1] >= 0:
            frame.inferred[index] = frame.inferred[op[1]]
        return self.type_of(frame, op[1])

    def _assign(self, frame: Frame, op: o.Op, index: int) -> Any:
        target = self.type_of(frame, op[1])
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

    # -- statements ----------------------------------------------------------------------------------------------

    def _push(self, frame: Frame, op: o.Op, index: int) -> Any:
        frame.scope = Scope(frame.scope.file, frame.scope)

    def _pop(self, frame: Frame, op: o.Op, index: int) -> Any:
        if frame.scope.parent is not None and frame.scope is not frame.context.scope:
            frame.scope = frame.scope.parent

    def _local(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, name, _, ref, value, flavour = op
        inferred = False
        if ref is None or (len(ref[0]) == 1 and ref[0][0][0] == "var" and not ref[2]):
            type_ = self.type_of(frame, value)
            inferred = value >= 0 and bool(frame.inferred[value])
            if flavour == o.FOR_EACH:
                type_ = self._element(type_)
        else:
            type_ = self.uses.use(ref, frame.scope, frame.context.subject)
            if flavour == o.PLAIN:
                self.expect(frame, value, type_)
        frame.scope.declare(name, Variable(type_, inferred, None))

    def _element(self, type_: Type | None) -> Type | None:
        """What a for-each loop over a value of this type gives."""
        type_ = upper_class(type_)
        if type_ is None:
            return None
        decl, args, dims = type_
        if dims:
            return decl, args, dims - 1
        iterable = self.world.known("java.lang.Iterable")
        if iterable is None or not isinstance(decl, ClassInfo) or not iterable.type_vars:
            return None
        return type_arguments(type_, iterable).get(iterable.type_vars[0])

    def _catch(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, refs, name, _ = op
        subject = frame.context.subject
        types = [self.uses.use(ref, frame.scope, subject, "catch", "catches") for ref in refs]
        type_ = types[0] if len(types) == 1 else self._common_class([t for t in types if t is not None])
        frame.scope.declare(name, Variable(type_, len(types) > 1, None))

    @staticmethod
    def _common_class(types: list[Type]) -> Type | None:
        """The nearest class that all are below."""
        if not types or not all(isinstance(t[0], ClassInfo) for t in types):
            return None
        for candidate in types[0][0].ancestors:
            if not candidate.is_interface and all(candidate in t[0].ancestors for t in types):
                return candidate, (), 0
        return None

    def _throw(self, frame: Frame, op: o.Op, index: int) -> Any:
        _, value, start, end, name = op
        type_ = upper_class(self.type_of(frame, value))
        out, context = self.out, frame.context
        if value in frame.made:  # `throw new X()`: the evidence is the name X
            name, start = frame.made[value]
            end = start + len(name.encode())
        target = out.class_iri(type_[0]) if type_ is not None and isinstance(type_[0], ClassInfo) else None
        how = "inferred" if value >= 0 and frame.inferred[value] else "exact"
        out.span(start, end, name, "raise", "raises", context.subject, target, how)

    def _return(self, frame: Frame, op: o.Op, index: int) -> Any:
        type_ = self.expect(frame, op[1], frame.context.returns)
        if type_ is not None and not (isinstance(type_[0], Primitive) and type_[0].name == "null"):
            frame.result = frame.result or type_

    def _switch(self, frame: Frame, op: o.Op, index: int) -> Any:
        frame.selectors.append(self.type_of(frame, op[1]))

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
                self.field_access(frame, index, name, start, o.READ, field, selector)
                return
        if selector is None or not isinstance(selector[0], ClassInfo) or not selector[0].opaque:
            self._name(frame, (o.NAME, name, start, o.READ, False), index)
            return
        self._opaque_member(frame, selector[0], name, start, "read", False)

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
    o.NAME: BodyLinker._name,
    o.FIELD: BodyLinker._field,
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
