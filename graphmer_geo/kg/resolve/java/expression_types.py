"""Static types of operators, conditionals and loops."""

from __future__ import annotations

from collections.abc import Sequence

from graphmer_geo.kg.resolve.java.members import type_arguments, upper_class
from graphmer_geo.kg.resolve.java.model import (
    BOOLEAN,
    INT,
    NULL,
    NUMERIC,
    PRIMITIVE_TYPES,
    ClassInfo,
    Primitive,
    Type,
)
from graphmer_geo.kg.resolve.java.world import World


def conditional(alternatives: Sequence[Type | None]) -> Type | None:
    """The type of ``c ? a : b`` or of a switch: the widest number, or what all alternatives are below.

    Where one alternative is unknown, the others have to agree.
    """
    types = [each for each in alternatives if each is not None]
    known = [each for each in types if each != NULL]
    if not known:
        return types[0] if types else None
    if len(types) < len(alternatives):
        return known[0] if all(each == known[0] for each in known) else None
    if all(isinstance(decl, Primitive) and not dims for decl, _, dims in known):
        return promoted(known) or known[0]
    for candidate in known:
        if all(
            t == candidate or (isinstance(t[0], ClassInfo) and candidate[0] in t[0].ancestors) for t in known
        ):
            return candidate
    return known[0] if all(each[0] is known[0][0] for each in known) else None


def promoted(types: Sequence[Type]) -> Type | None:
    """The widest of some numeric types; None if one is no number."""
    ranks = [NUMERIC.index(decl.name) for decl, _, _ in types if decl.name in NUMERIC]
    return PRIMITIVE_TYPES[NUMERIC[max(ranks)]] if len(ranks) == len(types) else None


def arithmetic(operator: str, operands: Sequence[Type | None], world: World) -> Type | None:
    """The type of a chain of one binary operator, comparisons excluded."""
    if operator == "+" and world.string in operands:
        return world.string
    plain = [world.unboxed(type_) for type_ in operands if type_ is not None]
    if len(plain) < len(operands) or any(not isinstance(t[0], Primitive) or t[2] for t in plain):
        return None
    if operator in ("<<", ">>", ">>>"):
        plain = plain[:1]
    return promoted([*plain, INT]) or (BOOLEAN if plain[0] == BOOLEAN else None)


def element_type(type_: Type | None, world: World) -> Type | None:
    """What a for-each loop over a value of this type gives."""
    type_ = upper_class(type_)
    if type_ is None:
        return None
    decl, args, dims = type_
    if dims:
        return decl, args, dims - 1
    iterable = world.known("java.lang.Iterable")
    if iterable is None or not isinstance(decl, ClassInfo) or not iterable.type_vars:
        return None
    return type_arguments(type_, iterable).get(iterable.type_vars[0])


def common_class(types: Sequence[Type]) -> Type | None:
    """The nearest class that all are below: what is known of the parameter of a multi-catch."""
    if not types or not all(isinstance(decl, ClassInfo) for decl, _, _ in types):
        return None
    for candidate in types[0][0].ancestors:
        if not candidate.is_interface and all(candidate in decl.ancestors for decl, _, _ in types):
            return candidate, (), 0
    return None
