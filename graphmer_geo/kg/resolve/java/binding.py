"""From arguments to type arguments: what a chosen method's parameters and result are at one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.frames import Frame
from graphmer_geo.kg.resolve.java.members import functional_method, type_arguments
from graphmer_geo.kg.resolve.java.model import ClassInfo, MethodInfo, Type, substitute
from graphmer_geo.kg.resolve.java.overloads import Argument, FunctionShape, infer
from graphmer_geo.kg.resolve.java.values import FunctionValue

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.bodies import BodyLinker


def argument_of(frame: Frame, index: int) -> Argument:
    """What is known of an argument before a method is chosen."""
    if index < 0:
        return None
    value = frame.values[index]
    if isinstance(value, FunctionValue):
        return _shape(value)
    return value if type(value) is tuple else None


def _shape(value: FunctionValue) -> FunctionShape:
    if not value.is_lambda:
        return FunctionShape(-1, None)
    _, _, parameters, ops, result = value.op
    if result < 0:
        return FunctionShape(len(parameters), any(op[0] == o.RETURN for op in ops))
    is_statement = ops[result][0] in (o.CALL, o.NEW, o.ASSIGN, o.SAME)
    return FunctionShape(len(parameters), None if is_statement else True)


def formal(method: MethodInfo, position: int, arguments: Sequence[Argument]) -> Type | None:
    """The type of the parameter that takes the argument at a position."""
    parameters = method.parameters
    if method.decl.is_varargs and position >= len(parameters) - 1:
        last = parameters[-1]
        argument = arguments[position]
        if last is None:
            return None
        if len(arguments) == len(parameters) and isinstance(argument, tuple) and argument[2] >= last[2]:
            return last  # the array itself
        return last[0], last[1], last[2] - 1
    return parameters[position] if position < len(parameters) else None


class Binder:
    """Gives lambdas their types and generic calls their results."""

    def __init__(self, bodies: BodyLinker) -> None:
        self.bodies = bodies
        self.world = bodies.world

    def bind(
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
        formals = [formal(method, position, arguments) for position in range(len(args))]
        if generic:
            for parameter, argument in zip(formals, arguments, strict=True):
                if argument is not None and not isinstance(argument, FunctionShape):
                    infer(parameter, argument, mapping, self.world)
        if generic and None in mapping.values() and method.returns is not None:
            infer(method.returns, self._wanted(frame, index), mapping, self.world)
        for position, arg in enumerate(args):
            value = frame.values[arg] if arg >= 0 else None
            if isinstance(value, FunctionValue) and not value.is_done:
                wanted = formals[position]
                self.bodies.functions.complete(value, substitute(wanted, mapping))
                if generic and wanted is not None and isinstance(wanted[0], ClassInfo):
                    self._infer_result(wanted, value.result, mapping)
            elif isinstance(value, list):
                self.bodies.expect(frame, arg, substitute(formals[position], mapping))
        return substitute(method.returns, mapping)

    def _infer_result(self, formal: Type, result: Type | None, mapping: dict[Any, Any]) -> None:
        single = functional_method(formal[0])
        if single is None or result is None or single.returns is None:
            return
        wanted = substitute(single.returns, type_arguments(formal, single.owner))
        infer(wanted, result, mapping, self.world)

    def _wanted(self, frame: Frame, index: int) -> Type | None:
        """The type that a call is wanted as, if what happens to it next is a declaration or a return."""
        following = frame.ops[index + 1] if 0 <= index < len(frame.ops) - 1 else None
        if (
            following is not None
            and following[0] == o.LOCAL
            and following[4] == index
            and following[3] is not None
        ):
            return self.world.resolve(following[3], frame.scope)
        if following is not None and following[0] == o.RETURN and following[1] == index:
            return frame.context.returns
        return None
