"""Lambdas and method references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmer_geo.kg.facts import How
from graphmer_geo.kg.resolve.java.calls import component_of
from graphmer_geo.kg.resolve.java.frames import Context
from graphmer_geo.kg.resolve.java.members import find_methods, functional_method, type_arguments, upper_class
from graphmer_geo.kg.resolve.java.model import ClassInfo, MethodInfo, Scope, Type, Variable, substitute
from graphmer_geo.kg.resolve.java.overloads import choose, infer
from graphmer_geo.kg.resolve.java.values import FunctionValue, PackageName, TypeName

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.bodies import BodyLinker


class FunctionResolver:
    """Links the code of lambdas and finds the targets of method references, once their type is known."""

    def __init__(self, bodies: BodyLinker) -> None:
        self.bodies = bodies
        self.out = bodies.out
        self.world = bodies.world

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
        if not outer.quiet:  # who makes a function lets it be called
            self.out.edge(outer.subject, "calls", subject, "heuristic")
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
        receiver = (
            base.type if isinstance(base, TypeName) else upper_class(base if type(base) is tuple else None)
        )
        if isinstance(base, PackageName):
            self.bodies.calls.unresolved_package(frame, base)
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
        if name == "<init>":
            value.result = receiver
            methods = cls.methods.get("<init>", [])
            if not methods and not cls.external:
                self.out.row(text, start, "read", relation, subject, cls.iri, how)
                return
        else:
            methods = find_methods(cls, name)
        if not methods:
            component = component_of(cls, name, 0)
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
        self.out.row(
            text,
            start,
            "read",
            relation,
            subject,
            self.bodies.calls.target(cls, method),
            how if is_certain else "heuristic",
        )
        if relation is not None and not method.owner.external:
            self.out.edge(subject, "calls", method.iri, "heuristic")
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
        """In ``Type::method`` the receiver is the first argument; it may say more than ``Type``."""
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
