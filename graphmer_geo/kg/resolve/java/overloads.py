"""Which of several methods a call means (JLS 15.12.2, as far as the argument types are known)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphmer_geo.kg.resolve.java.members import functional_method, type_arguments
from graphmer_geo.kg.resolve.java.model import (
    BOXES,
    NUMERIC,
    UNBOXED,
    ClassInfo,
    MethodInfo,
    Primitive,
    Type,
    TypeVar,
    substitute,
)

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.world import World

#: How an argument fits a parameter; smaller is better. UNKNOWN fits until something better is known.
EXACT, SUBTYPE, BOXED, NO = 0, 1, 2, 9

#: No sane class has more overloads that fit one call, and comparing all pairs takes quadratic time.
MOST_COMPARED = 40


class FunctionShape:
    """A lambda or method reference as an argument: of a lambda, the number of parameters is known."""

    __slots__ = ("arity", "has_value")

    def __init__(self, arity: int, has_value: bool | None) -> None:
        self.arity = arity
        self.has_value = has_value


Argument = Type | FunctionShape | None


def fit(argument: Argument, parameter: Type | None) -> int:
    """How well an argument's type fits a parameter's. What is unknown fits."""
    if argument is None or parameter is None:
        return EXACT
    decl, _, dims = parameter
    if isinstance(argument, FunctionShape):
        return _fit_function(argument, decl, dims)
    source, source_dims = argument[0], argument[2]
    if isinstance(decl, TypeVar):
        return _fit_variable(argument, decl, dims)
    if source is decl and source_dims == dims:
        return EXACT
    if isinstance(source, Primitive) and not source_dims:
        return _fit_primitive(source.name, decl, dims)
    if isinstance(decl, Primitive):
        unboxed = UNBOXED.get(getattr(source, "qualified", "")) if not source_dims and not dims else None
        if isinstance(source, TypeVar) and not dims:
            return BOXED
        return BOXED if unboxed is not None and _widens(unboxed, decl.name) else NO
    if source_dims or dims:
        if source_dims < dims:  # no type variable has an array for its bound
            return NO
        if source_dims > dims:
            return SUBTYPE if getattr(decl, "qualified", "") in _ABOVE_ARRAYS else NO
        if isinstance(source, Primitive):
            return NO
    return SUBTYPE if is_subclass(source, decl) is not False else NO


_ABOVE_ARRAYS = frozenset({"java.lang.Object", "java.lang.Cloneable", "java.io.Serializable"})


def _fit_function(shape: FunctionShape, decl: Any, dims: int) -> int:
    if isinstance(decl, TypeVar):
        return EXACT
    if dims or not isinstance(decl, ClassInfo):
        return NO
    if decl.opaque:
        return EXACT
    method = functional_method(decl)
    if method is None:
        return NO
    if shape.arity >= 0 and method.arity != shape.arity:
        return NO
    if shape.has_value is not None:
        is_void = method.decl.returns is not None and method.decl.returns[0][0][0] == "void"
        if is_void == shape.has_value and shape.arity >= 0:
            return NO if not is_void else SUBTYPE
    return EXACT


def _fit_variable(argument: Type, var: TypeVar, dims: int) -> int:
    source, _, source_dims = argument
    if source_dims < dims:
        return NO
    if isinstance(source, Primitive):
        if source_dims == dims:
            return NO if dims else (SUBTYPE if source.name == "null" else BOXED)
        return SUBTYPE
    if source_dims > dims:
        return SUBTYPE
    for bound in var.bounds:
        if bound is not None and isinstance(bound[0], ClassInfo) and is_subclass(source, bound[0]) is False:
            return NO
    return SUBTYPE


def _fit_primitive(name: str, decl: Any, dims: int) -> int:
    if name == "null":
        return NO if isinstance(decl, Primitive) and not dims else SUBTYPE
    if dims:
        return NO
    if isinstance(decl, Primitive):
        return SUBTYPE if _widens(name, decl.name) else NO
    box = BOXES.get(name)
    qualified = getattr(decl, "qualified", "")
    if qualified == box or qualified in _ABOVE_BOXES or (qualified == "java.lang.Number" and name in NUMERIC):
        return BOXED
    return NO


_ABOVE_BOXES = frozenset({"java.lang.Object", "java.lang.Comparable", "java.io.Serializable"})


def _widens(source: str, target: str) -> bool:
    if source == target:
        return True
    if source not in NUMERIC or target not in NUMERIC or target == "char":
        return False
    if source == "char":
        return NUMERIC.index(target) >= NUMERIC.index("int")
    return NUMERIC.index(source) <= NUMERIC.index(target)


def is_subclass(source: Any, target: Any) -> bool | None:
    """Whether one declaration is below another; None where a class above is not known."""
    if source is target:
        return True
    if isinstance(source, TypeVar):
        bounds = [bound for bound in source.bounds if bound is not None]
        if not source.refs:
            return getattr(target, "qualified", "") == "java.lang.Object"
        found = [is_subclass(bound[0], target) for bound in bounds]
        if True in found:
            return True
        return None if None in found or len(bounds) < len(source.refs) else False
    if not isinstance(source, ClassInfo) or not isinstance(target, ClassInfo):
        return isinstance(target, TypeVar) or None
    if target.qualified == "java.lang.Object":
        return True
    if target in source.ancestors:
        return True
    if any(ancestor.opaque for ancestor in source.ancestors) or _has_unknown_super(source):
        return None
    return False


def _has_unknown_super(cls: ClassInfo) -> bool:
    cached = cls.member_cache.get("<unknown super>")
    if cached is None:
        cached = any(
            a.decl is not None
            and not a.external
            and len(a.supers) < len(a.decl.extends) + len(a.decl.implements) + (a.decl.base is not None)
            for a in cls.ancestors
        )
        cls.member_cache["<unknown super>"] = cached
    return bool(cached)


def applicable(method: MethodInfo, arguments: Sequence[Argument]) -> int:
    """How a method takes the arguments: 0, 1 without boxing, 2 with, 3 as variable arity, or NO."""
    count, parameters = len(arguments), method.parameters
    if count == len(parameters):
        worst = EXACT
        for argument, parameter in zip(arguments, parameters, strict=True):
            grade = fit(argument, parameter)
            if grade == NO:
                worst = NO
                break
            worst = max(worst, grade)
        if worst != NO:
            return worst
    if method.decl.is_varargs and count >= len(parameters) - 1:
        last = parameters[-1]
        element = (last[0], last[1], last[2] - 1) if last is not None else None
        for position, argument in enumerate(arguments):
            parameter = parameters[position] if position < len(parameters) - 1 else element
            if fit(argument, parameter) == NO:
                return NO
        return 3
    return NO


def choose(candidates: Sequence[MethodInfo], arguments: Sequence[Argument]) -> tuple[MethodInfo | None, bool]:
    """The method that a call means, and whether that is certain.

    Where no candidate fits what is known of the arguments, the only one with the right number of parameters
    is still taken, as uncertain.
    """
    count = len(arguments)
    if len(candidates) == 1:
        only = candidates[0]
        fits_count = only.arity == count or (only.decl.is_varargs and count >= only.arity - 1)
        return (only, True) if fits_count else (None, False)
    graded = [(applicable(method, arguments), method) for method in candidates]
    best = min((grade for grade, _ in graded), default=NO)
    if best == NO:
        same = [m for m in candidates if m.arity == count]
        return (same[0], False) if len(same) == 1 else (None, False)
    phase = {EXACT: 1, SUBTYPE: 1}.get(best, best)
    fitting = [
        method for grade, method in graded if grade != NO and (1 if grade <= SUBTYPE else grade) == phase
    ]
    if len(fitting) == 1:
        certain = all(argument is not None for argument in arguments)
        return fitting[0], certain or sum(1 for grade, _ in graded if grade != NO) == 1
    if len(fitting) > MOST_COMPARED:
        return fitting[0], False
    expand = phase > BOXED  # only then a variable-arity parameter stands for its elements
    specific = [
        m for m in fitting if all(m is n or _more_specific(m, n, count, arguments, expand) for n in fitting)
    ]
    if specific:
        concrete = [m for m in specific if not m.decl.is_abstract]
        certain = all(argument is not None for argument in arguments)
        return (concrete or specific)[0], certain
    return fitting[0], False


def _more_specific(
    left: MethodInfo, right: MethodInfo, count: int, arguments: Sequence[Argument], expand: bool
) -> bool:
    for position in range(count):
        argument = arguments[position]
        a, b = _parameter_at(left, position, expand), _parameter_at(right, position, expand)
        if a is None or b is None:
            continue
        if isinstance(argument, FunctionShape):
            if argument.has_value and _returns_void(a) and not _returns_void(b):
                return False
            continue
        if isinstance(a[0], Primitive) and not a[2] and not isinstance(b[0], (Primitive, TypeVar)):
            if argument is not None and isinstance(argument[0], Primitive):
                continue
            return False
        if fit(a, b) not in (EXACT, SUBTYPE):
            return False
    return True


def _parameter_at(method: MethodInfo, position: int, expand: bool) -> Type | None:
    parameters = method.parameters
    if expand and method.decl.is_varargs and position >= len(parameters) - 1 and parameters:
        last = parameters[-1]
        return (last[0], last[1], max(last[2] - 1, 0)) if last is not None else None
    return parameters[position] if position < len(parameters) else None


def _returns_void(type_: Type) -> bool:
    method = functional_method(type_[0]) if isinstance(type_[0], ClassInfo) else None
    return bool(method and method.decl.returns is not None and method.decl.returns[0][0][0] == "void")


def infer(parameter: Type | None, argument: Type | None, mapping: dict[Any, Any], world: World) -> None:
    """Learns what a method's type parameters are from one argument; what is learnt first stays."""
    if parameter is None or argument is None:
        return
    decl, args, dims = parameter
    source, source_args, source_dims = argument
    if isinstance(decl, TypeVar):
        if decl in mapping and mapping[decl] is None and source_dims >= dims:
            if isinstance(source, Primitive) and source_dims == dims:
                box = world.known(BOXES[source.name]) if source.name in BOXES else None
                mapping[decl] = (box, (), 0) if box is not None else None
            else:
                mapping[decl] = (source, source_args, source_dims - dims)
        return
    if not args or not isinstance(decl, ClassInfo) or source_dims != dims:
        return
    if isinstance(source, TypeVar):
        bound = next((b for b in source.bounds if b is not None), None)
        if bound is None or isinstance(bound[0], TypeVar):
            return
        source, source_args = bound[0], bound[1]
    if isinstance(source, ClassInfo) and decl in source.ancestors:
        known = type_arguments((source, source_args, 0), decl)
        for var, arg in zip(decl.type_vars, args, strict=False):
            infer(arg, substitute((var, (), 0), known), mapping, world)
