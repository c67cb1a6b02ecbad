"""Calls, constructor calls, lambdas and method references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmer_geo.kg.facts import How
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.members import (
    OBJECT_METHODS,
    find_field,
    find_methods,
    functional_method,
    type_arguments,
    upper_class,
)
from graphmer_geo.kg.resolve.java.model import (
    ClassInfo,
    MethodInfo,
    Scope,
    Type,
    Variable,
    substitute,
)
from graphmer_geo.kg.resolve.java.overloads import Argument, FunctionShape, choose, infer
from graphmer_geo.kg.resolve.java.values import FunctionValue, PackageName, TypeName

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.bodies import BodyLinker, Frame


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

    # -- methods -------------------------------------------------------------------------------------------------

    def call(self, frame: Frame, op: o.Op, index: int) -> Outcome:
        _, obj, name, start, args, is_simple = op
        if is_simple:
            return self._simple_call(frame, name, start, args, index)
        value = frame.values[obj] if obj >= 0 else None
        inferred = obj >= 0 and bool(frame.inferred[obj])
        if isinstance(value, PackageName):
            self._unresolved_package(frame, value)
        receiver = value.type if isinstance(value, TypeName) else upper_class(value if type(value) is tuple else None)
        if receiver is not None and receiver[2]:
            if name == "clone" and not args:
                root = self.world.class_or_external("java.lang.Object")
                if root is not None:
                    self._external(frame, root, name, start, args, "inferred" if inferred else "exact")
                return Outcome(receiver, inferred)
            receiver = (self.world.object, (), 0) if self.world.object is not None else None
        if receiver is None or not isinstance(receiver[0], ClassInfo):
            return self._give_up(frame, name, start, args)
        return self._member_call(frame, receiver, name, start, args, inferred, index)

    def _unresolved_package(self, frame: Frame, value: PackageName) -> None:
        name = value.name.rpartition(".")[2]
        self.out.row(name, value.start, "read", None, frame.context.subject, None)

    def _give_up(self, frame: Frame, name: str, start: int, args: Sequence[int]) -> Outcome:
        self.out.row(name, start, "call", self._calls(frame), frame.context.subject, None)
        for arg in args:
            self.bodies.expect(frame, arg, None)
        return UNKNOWN

    @staticmethod
    def _calls(frame: Frame) -> str | None:
        return None if frame.context.quiet else "calls"

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
            cls = self.world.class_or_external("java.lang.Object")
            if cls is not None:
                return self._external(frame, cls, name, start, args, "exact" if not opaque else "inferred")
        if len(opaque) == 1 and not scope.static_stars:
            return self._external(frame, opaque[0], name, start, args, "inferred")
        return self._give_up(frame, name, start, args)

    def _is_implicit(self, cls: ClassInfo, name: str, count: int) -> bool:
        """Whether the language declares the method: an enum's own ones, a record's accessors."""
        if cls.kind == "Enum":
            return not cls.external and (name, count) in (("values", 0), ("valueOf", 1))
        return cls.kind == "Record" and name not in cls.methods and self._component(cls, name, count) is not None

    def _component(self, cls: ClassInfo, name: str, count: int) -> Any:
        """The record component whose accessor nobody has written."""
        if count or cls.decl is None or name not in cls.decl.components:
            return None
        return cls.fields.get(name)

    def _member_call(
        self, frame: Frame, receiver: Type, name: str, start: int, args: Sequence[int], inferred: bool, index: int
    ) -> Outcome:
        cls: ClassInfo = receiver[0]
        methods = find_methods(cls, name)
        if not methods or self._is_implicit(cls, name, len(args)):
            return self._undeclared(frame, receiver, name, start, args, inferred)
        arguments = [self._argument(frame, arg) for arg in args]
        method, is_certain = choose(methods, arguments)
        if method is None:
            opaque = [] if cls.external else list(cls.inherits_opaque())
            if len(opaque) == 1:
                return self._external(frame, opaque[0], name, start, args, "inferred")
            return self._give_up(frame, name, start, args)
        how: How = "heuristic" if not is_certain else "inferred" if inferred else "exact"
        target = self._target(cls, method)
        self.out.row(name, start, "call", self._calls(frame), frame.context.subject, target, how)
        type_ = self._bind(frame, receiver, method, args, arguments, index)
        if name == "getClass" and not args and method.owner is self.world.object:
            type_ = (type_[0], (receiver,), 0) if type_ is not None else None
        return Outcome(type_, inferred or (bool(method.type_vars) and type_ is not None) or not is_certain)

    def _target(self, cls: ClassInfo, method: MethodInfo) -> str:
        """The IRI of a method; one from outside is named after the class through which the corpus reaches it."""
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
        component = self._component(cls, name, len(args))
        if component is not None:
            how: How = "inferred" if inferred else "exact"
            relation = None if frame.context.quiet else "reads"
            self.out.row(name, start, "call", relation, frame.context.subject, component.iri, how)
            return Outcome(substitute(component.type, type_arguments(receiver, cls)), inferred)
        if self._is_implicit(cls, name, len(args)):
            self.out.row(name, start, "call", self._calls(frame), frame.context.subject, None)
            return Outcome((cls, (), 1 if name == "values" else 0), inferred)
        opaque = [cls] if cls.opaque else list(cls.inherits_opaque())
        if cls.opaque:
            return self._external(frame, cls, name, start, args, "inferred" if inferred else "exact")
        if name in OBJECT_METHODS:
            root = self.world.class_or_external("java.lang.Object")
            if root is not None:
                return self._external(frame, root, name, start, args, "inferred" if inferred or opaque else "exact")
        if len(opaque) == 1:
            return self._external(frame, opaque[0], name, start, args, "inferred")
        return self._give_up(frame, name, start, args)

    def _external(
        self, frame: Frame, cls: ClassInfo, name: str, start: int, args: Sequence[int], how: How
    ) -> Outcome:
        target = self.out.external(f"{cls.qualified}.{name}")
        self.out.row(name, start, "call", self._calls(frame), frame.context.subject, target, how)
        for arg in args:
            self.bodies.expect(frame, arg, None)
        if name in ("toString", "hashCode", "equals"):
            known = {"toString": self.world.string}.get(name)
            return Outcome(known, False)
        return UNKNOWN

    # -- arguments -----------------------------------------------------------------------------------------------

    def _argument(self, frame: Frame, index: int) -> Argument:
        if index < 0:
            return None
        value = frame.values[index]
        if isinstance(value, FunctionValue):
            return self._shape(value)
        return value if type(value) is tuple else None

    @staticmethod
    def _shape(value: FunctionValue) -> FunctionShape:
        if not value.is_lambda:
            return FunctionShape(-1, None)
        _, _, parameters, ops, result = value.op
        if result < 0:
            return FunctionShape(len(parameters), any(op[0] == o.RETURN for op in ops))
        is_statement = ops[result][0] in (o.CALL, o.NEW, o.ASSIGN, o.SAME)
        return FunctionShape(len(parameters), None if is_statement else True)

    def _bind(
        self,
        frame: Frame,
        receiver: Type,
        method: MethodInfo,
        args: Sequence[int],
        arguments: Sequence[Argument],
        index: int = -1,
    ) -> Type | None:
        """Gives waiting lambdas their types and returns what the call returns, type arguments filled in."""
        mapping: dict[Any, Any] = {}
        if not method.decl.is_static:
            mapping.update(type_arguments(receiver, method.owner))
        generic = bool(method.type_vars)
        for var in method.type_vars:
            mapping[var] = None
        formals = [self._formal(method, position, arguments) for position in range(len(args))]
        if generic:
            for formal, argument in zip(formals, arguments, strict=True):
                if argument is not None and not isinstance(argument, FunctionShape):
                    infer(formal, argument, mapping, self.world)
        if generic and None in mapping.values() and method.returns is not None:
            infer(method.returns, self._wanted(frame, index), mapping, self.world)
        for position, arg in enumerate(args):
            value = frame.values[arg] if arg >= 0 else None
            if isinstance(value, FunctionValue) and not value.is_done:
                formal = formals[position]
                self.complete(value, substitute(formal, mapping))
                if generic and formal is not None and isinstance(formal[0], ClassInfo):
                    self._infer_result(formal, value.result, mapping)
            elif isinstance(value, list):
                self.bodies.expect(frame, arg, substitute(formals[position], mapping))
        return substitute(method.returns, mapping)

    def _wanted(self, frame: Frame, index: int) -> Type | None:
        """The type that a call is wanted as, if the next thing that happens to it is a declaration or a return."""
        following = frame.ops[index + 1] if 0 <= index < len(frame.ops) - 1 else None
        if following is not None and following[0] == o.LOCAL and following[4] == index and following[3] is not None:
            return self.world.resolve(following[3], frame.scope)
        if following is not None and following[0] == o.RETURN and following[1] == index:
            return frame.context.returns
        return None

    @staticmethod
    def _formal(method: MethodInfo, position: int, arguments: Sequence[Argument]) -> Type | None:
        parameters = method.parameters
        if method.decl.is_varargs and position >= len(parameters) - 1:
            last = parameters[-1]
            argument = arguments[position]
            whole = len(arguments) == len(parameters) and isinstance(argument, tuple) and last is not None
            if whole and argument[2] >= last[2]:
                return last
            return (last[0], last[1], last[2] - 1) if last is not None else None
        return parameters[position] if position < len(parameters) else None

    def _infer_result(self, formal: Type, result: Type | None, mapping: dict[Any, Any]) -> None:
        single = functional_method(formal[0])
        if single is None or result is None or single.returns is None:
            return
        wanted = substitute(single.returns, type_arguments(formal, single.owner))
        infer(wanted, result, mapping, self.world)

    # -- constructors --------------------------------------------------------------------------------------------

    def new(self, frame: Frame, op: o.Op, index: int) -> Type | None:
        _, ref, args, outer, body = op
        subject, quiet = frame.context.subject, frame.context.quiet
        outer_type = upper_class(self.bodies.type_of(frame, outer))
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
            return self.bodies.classes[body], (), 0
        return result

    def base_relation(self, ref: o.TypeRef, scope: Scope) -> str:
        """How an anonymous class is below the type it is made from."""
        decl = self.world.resolve_parts(ref[0], scope)[-1]
        return "implements" if isinstance(decl, ClassInfo) and decl.is_interface else "extends"

    def _constructor(self, frame: Frame, type_: Type, name: str, start: int, args: Sequence[int]) -> Type | None:
        """Records the call of a constructor of the corpus; returns the type with a diamond filled in."""
        cls: ClassInfo = type_[0]
        constructors = cls.methods.get("<init>", [])
        arguments = [self._argument(frame, arg) for arg in args]
        method, is_certain = choose(constructors, arguments) if constructors else (None, False)
        if method is None:
            for arg in args:
                self.bodies.expect(frame, arg, None)
            return type_
        if not cls.external:
            how: How = "exact" if is_certain else "heuristic"
            self.out.row(name, start, "call", self._calls(frame), frame.context.subject, method.iri, how)
        receiver = type_
        if not type_[1] and cls.type_vars:  # a diamond: what the arguments say
            mapping: dict[Any, Any] = dict.fromkeys(cls.type_vars)
            for position, argument in enumerate(arguments):
                if argument is not None and not isinstance(argument, FunctionShape):
                    infer(self._formal(method, position, arguments), argument, mapping, self.world)
            receiver = (cls, tuple(mapping[var] for var in cls.type_vars), 0)
        self._bind(frame, receiver, method, args, arguments)
        return receiver

    def explicit_constructor(self, frame: Frame, op: o.Op, index: int) -> None:
        _, kind, start, args = op
        cls = frame.context.cls
        type_ = cls.this_type if kind == "this" else self.bodies.superclass_of(cls)
        if type_ is None:
            self._give_up(frame, kind, start, args)
            return
        owner: ClassInfo = type_[0]
        constructors = owner.methods.get("<init>", [])
        if owner.external:
            target = self.out.external(f"{owner.qualified}.<init>")
            self.out.row(kind, start, "call", self._calls(frame), frame.context.subject, target)
        arguments = [self._argument(frame, arg) for arg in args]
        method, is_certain = choose(constructors, arguments) if constructors else (None, False)
        if method is None:
            if constructors and not owner.external:
                self._give_up(frame, kind, start, args)
            return
        if not owner.external:
            how: How = "exact" if is_certain else "heuristic"
            self.out.row(kind, start, "call", self._calls(frame), frame.context.subject, method.iri, how)
        self._bind(frame, type_, method, args, arguments)

    def enum_constant(self, frame: Frame, name: str, start: int, cls: ClassInfo, args: Sequence[int]) -> None:
        """An enum constant calls a constructor of its enum."""
        self.out.row(name, start, "call", "instantiates", frame.context.subject, cls.iri)
        self._constructor(frame, (cls, (), 0), name, start, args)

    # -- lambdas and method references ---------------------------------------------------------------------------

    def complete(self, value: FunctionValue, target: Type | None) -> None:
        """Links a lambda or method reference as a value of the type that is wanted, if that is known."""
        value.is_done = True
        target = upper_class(target)
        single: MethodInfo | None = None
        parameters: list[Type | None] = []
        returns: Type | None = None
        if target is not None and isinstance(target[0], ClassInfo) and not target[2]:
            single = functional_method(target[0])
            if single is not None:
                known = type_arguments(target, single.owner)
                parameters = [substitute(parameter, known) for parameter in single.parameters]
                returns = substitute(single.returns, known)
        if value.is_lambda:
            self._lambda(value, parameters, returns)
        else:
            self._method_reference(value, parameters if single is not None else None)

    def _lambda(self, value: FunctionValue, parameters: list[Type | None], returns: Type | None) -> None:
        from graphmer_geo.kg.resolve.java.bodies import Context

        _, entity, declared, ops, result = value.op
        outer = value.frame.context
        file = value.scope.file
        subject = file.iri(entity)
        scope = Scope(file, value.scope)
        for position, (name, _, ref, parameter) in enumerate(declared):
            iri = file.iri(parameter)
            if ref is not None:
                type_ = self.bodies.uses.use(ref, scope, iri, "type", "hasType")
            else:
                type_ = parameters[position] if position < len(parameters) else None
            scope.declare(name, Variable(type_, ref is None, iri))
        frame = self.bodies.run_pending(ops, Context(subject, outer.cls, scope, returns, outer.quiet))
        value.result = self.bodies.expect(frame, result, returns) if result >= 0 else frame.result
        self.bodies.finish(frame)

    def _method_reference(self, value: FunctionValue, parameters: list[Type | None] | None) -> None:
        _, obj, name, start = value.op
        frame = value.frame
        subject = frame.context.subject
        relation = None if frame.context.quiet else "refersTo"
        base = frame.values[obj] if obj >= 0 else None
        is_type = isinstance(base, TypeName)
        receiver = base.type if isinstance(base, TypeName) else upper_class(base if type(base) is tuple else None)
        if isinstance(base, PackageName):
            self._unresolved_package(frame, base)
        text = "new" if name == "<init>" else name
        if receiver is None or not isinstance(receiver[0], ClassInfo) or receiver[2]:
            if receiver is not None and receiver[2] and name == "<init>":
                value.result = receiver
                return
            self.out.row(text, start, "read", relation, subject, None)
            return
        how: How = "inferred" if obj >= 0 and frame.inferred[obj] else "exact"
        self._refer(value, receiver, is_type, parameters, relation, how, text)

    def _refer(
        self,
        value: FunctionValue,
        receiver: Type,
        is_type: bool,
        parameters: list[Type | None] | None,
        relation: str | None,
        how: How,
        text: str,
    ) -> None:
        cls: ClassInfo = receiver[0]
        name, start, subject = value.op[2], value.op[3], value.frame.context.subject
        if name == "<init>" :
            value.result = receiver
            methods = cls.methods.get("<init>", [])
            if not methods and not cls.external:
                self.out.row(text, start, "read", relation, subject, cls.iri, how)
                return
        else:
            methods = find_methods(cls, name)
        if not methods:
            component = self._component(cls, name, 0)
            opaque = [cls] if cls.opaque else list(cls.inherits_opaque())
            target = component.iri if component is not None else None
            if component is not None:
                actual = self._unbound_receiver(receiver, parameters) if is_type else receiver
                value.result = substitute(component.type, type_arguments(actual, cls))
            elif len(opaque) == 1:
                target = self.out.external(f"{opaque[0].qualified}.{name}")
            self.out.row(text, start, "read", relation, subject, target, how)
            return
        method, is_certain = self._referenced(methods, is_type and name != "<init>", receiver, parameters)
        if method is None:
            self.out.row(text, start, "read", relation, subject, None)
            return
        self.out.row(text, start, "read", relation, subject, self._target(cls, method),
                     how if is_certain else "heuristic")  # fmt: skip
        if name != "<init>":
            unbound = is_type and not method.decl.is_static
            actual = self._unbound_receiver(receiver, parameters) if unbound else receiver
            mapping = {} if method.decl.is_static else type_arguments(actual, method.owner)
            for var in method.type_vars:
                mapping[var] = None
            if method.type_vars and parameters is not None:
                offset = len(parameters) - method.arity
                for position, formal in enumerate(method.parameters):
                    if 0 <= position + offset < len(parameters):
                        infer(formal, parameters[position + offset], mapping, self.world)
            value.result = substitute(method.returns, mapping)

    @staticmethod
    def _unbound_receiver(receiver: Type, parameters: list[Type | None] | None) -> Type:
        """In ``Type::method``, the receiver is the first argument, which may say more than the name ``Type``."""
        first = upper_class(parameters[0]) if parameters and not receiver[1] else None
        return first if first is not None and isinstance(first[0], ClassInfo) and not first[2] else receiver

    @staticmethod
    def _referenced(
        methods: list[MethodInfo], is_type: bool, receiver: Type, parameters: list[Type | None] | None
    ) -> tuple[MethodInfo | None, bool]:
        """The method that ``X::m`` names, given the parameters of the functional interface."""
        if len(methods) == 1:
            return methods[0], True
        if parameters is None:
            return methods[0], False
        found, certain = choose(methods, parameters)
        if is_type and (found is None or not found.decl.is_static) and parameters:
            unbound = [m for m in methods if not m.decl.is_static]
            other, other_certain = choose(unbound, parameters[1:]) if unbound else (None, False)
            if other is not None:
                return other, other_certain
        return (found, certain) if found is not None else (methods[0], False)
