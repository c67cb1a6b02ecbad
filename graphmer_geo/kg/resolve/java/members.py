"""Members of a type: its own, inherited ones, and those of its supertypes that nothing overrides."""

from __future__ import annotations

from typing import Any

from graphmer_geo.kg.resolve.java.model import (
    PRIMITIVES,
    ClassInfo,
    FieldInfo,
    MethodInfo,
    Type,
    TypeVar,
    substitute,
)

#: Of every object, also where ``java.lang.Object`` itself is not known.
OBJECT_METHODS = frozenset(
    {"clone", "equals", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"}
)


def erasure(type_: Type | None) -> Any:
    """What two parameter types must have in common to be the same to the virtual machine."""
    if type_ is None:
        return None
    decl, _, dims = type_
    depth = 0
    while isinstance(decl, TypeVar) and depth < 8:
        bound = decl.bounds[0] if decl.bounds else None
        if bound is None:
            return "java.lang.Object", dims
        decl, dims, depth = bound[0], dims + bound[2], depth + 1
    return getattr(decl, "qualified", None) or decl.name, dims


def find_field(cls: ClassInfo, name: str) -> FieldInfo | None:
    """The field that a name means in a class."""
    key = "." + name
    if key in cls.member_cache:
        cached: FieldInfo | None = cls.member_cache[key]
        return cached
    found = None
    for ancestor in cls.ancestors:
        field = ancestor.fields.get(name)
        if field is not None and (ancestor is cls or not field.decl.is_private):
            found = field
            break
    cls.member_cache[key] = found
    return found


def find_methods(cls: ClassInfo, name: str) -> list[MethodInfo]:
    """All methods of a name that a class has, overridden ones left out; nearest first."""
    cached: list[MethodInfo] | None = cls.member_cache.get(name)
    if cached is not None:
        return cached
    found: list[MethodInfo] = []
    signatures: set[Any] = set()
    several = False
    for ancestor, args in cls.ancestors.items():
        declared = ancestor.methods.get(name)
        if not declared:
            continue
        if not found:  # the usual case: one class declares all overloads
            found = [m for m in declared if ancestor is cls or _is_inherited(m, cls)]
            first, first_args = ancestor, args
            continue
        if not several:
            signatures.update(_signature(m, first, first_args) for m in found)
            several = True
        for method in declared:
            if _is_inherited(method, cls):
                signature = _signature(method, ancestor, args)
                if signature not in signatures:
                    signatures.add(signature)
                    found.append(method)
    cls.member_cache[name] = found
    return found


def _is_inherited(method: MethodInfo, cls: ClassInfo) -> bool:
    if method.decl.is_private:
        return outermost(method.owner) is outermost(cls)
    return not (method.decl.is_static and method.owner.is_interface)


def accessible(methods: list[MethodInfo], cls: ClassInfo) -> list[MethodInfo]:
    """Those methods that code in a class may name; all of them if it may name none."""
    if len(methods) == 1 or not any(m.decl.is_private for m in methods):
        return methods
    top = outermost(cls)
    return [m for m in methods if not m.decl.is_private or outermost(m.owner) is top] or methods


def outermost(cls: ClassInfo) -> ClassInfo:
    """The top-level class around a class."""
    while cls.outer is not None:
        cls = cls.outer
    return cls


def _signature(method: MethodInfo, owner: ClassInfo, args: tuple[Any, ...]) -> Any:
    mapping = dict(zip(owner.type_vars, args, strict=False)) if args else {}
    return tuple(erasure(substitute(parameter, mapping)) for parameter in method.parameters)


def signature_in(method: MethodInfo, cls: ClassInfo) -> Any:
    """The erased parameter types of a method as a class below its own sees them."""
    return _signature(method, method.owner, cls.ancestors.get(method.owner, ()))


def _have_related_results(method: MethodInfo, other: MethodInfo) -> bool:
    """Whether one may override the other (JLS 8.4.5): two primitive results, or void, have to be the same."""
    mine, theirs = method.decl.returns, other.decl.returns
    if mine is None or theirs is None:
        return True
    names = [ref[0][0][0] if len(ref[0]) == 1 and not ref[2] else "" for ref in (mine, theirs)]
    return names[0] == names[1] or not any(name in PRIMITIVES for name in names)


def overridden(method: MethodInfo) -> list[MethodInfo]:
    """The nearest methods that a method overrides: one on each way up."""
    if method.decl.is_static or method.decl.is_private or method.name == "<init>":
        return []
    cls, name, arity = method.owner, method.name, method.arity
    above = cls.ancestors
    own = None
    found: list[MethodInfo] = []
    seen: set[ClassInfo] = set()
    stack = [decl for decl, _, _ in reversed(cls.supers)]
    while stack:
        upper = stack.pop()
        if upper in seen:
            continue
        seen.add(upper)
        match: MethodInfo | None = None
        for other in upper.methods.get(name, ()):
            if other.arity != arity or other.decl.is_static or other.decl.is_private:
                continue
            if not _have_related_results(method, other):
                continue
            own = own if own is not None else _signature(method, cls, ())
            if own == _signature(other, upper, above.get(upper, ())) or own == _signature(other, upper, ()):
                match = other
                break
        if match is not None:
            found.append(match)
        else:
            stack.extend(decl for decl, _, _ in reversed(upper.supers))
    return found


def functional_method(cls: ClassInfo) -> MethodInfo | None:
    """The one abstract method of a functional interface, or None."""
    if "<sam>" in cls.member_cache:
        cached: MethodInfo | None = cls.member_cache["<sam>"]
        return cached
    found: MethodInfo | None = None
    count = 0
    if cls.is_interface:
        names = dict.fromkeys(n for a in cls.ancestors if a.is_interface for n in a.methods)
        for name in names:
            for method in find_methods(cls, name):
                if method.decl.is_abstract and not _is_object_method(method):
                    found = method
                    count += 1
    result = found if count == 1 else None
    cls.member_cache["<sam>"] = result
    return result


def _is_object_method(method: MethodInfo) -> bool:
    return (method.name, method.arity) in (("equals", 1), ("hashCode", 0), ("toString", 0))


def type_arguments(type_: Type, ancestor: ClassInfo) -> dict[Any, Any]:
    """What the type parameters of an ancestor are, seen from a type."""
    decl, args, _ = type_
    if not isinstance(decl, ClassInfo) or not ancestor.type_vars:
        return {}
    bound = decl.ancestors.get(ancestor)
    if bound is None:
        return {}
    own = decl.type_vars
    if decl is ancestor:
        same: dict[Any, Any] = dict.fromkeys(own)
        same.update(zip(own, args, strict=False))
        return same
    if own:
        mapping = dict(zip(own, args, strict=False)) if args else dict.fromkeys(own)
        for var in own:
            mapping.setdefault(var, None)
        bound = tuple(substitute(arg, mapping) for arg in bound)
    if len(bound) != len(ancestor.type_vars):
        return dict.fromkeys(ancestor.type_vars)
    return dict(zip(ancestor.type_vars, bound, strict=True))


def upper_class(type_: Type | None) -> Type | None:
    """A type whose members can be looked up: a type variable becomes its first bound that is known."""
    depth = 0
    while type_ is not None and isinstance(type_[0], TypeVar) and not type_[2] and depth < 8:
        type_ = next((bound for bound in type_[0].bounds if bound is not None), None)
        depth += 1
    return type_
