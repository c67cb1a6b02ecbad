"""Which methods a virtual call may run besides the one that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmer_geo.kg.resolve.java.headers import is_instance_method, super_names
from graphmer_geo.kg.resolve.java.members import find_methods, signature_in
from graphmer_geo.kg.resolve.java.model import ClassInfo, MethodInfo

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.files import FileScope
    from graphmer_geo.kg.resolve.java.world import World

#: A call with more possible targets than this names none of them: `x.toString()` may run anything, and that
#: says nothing about the caller.
MOST_TARGETS = 8
#: Classes below the static type that are looked at; more of them would exceed MOST_TARGETS anyway.
MOST_SUBCLASSES = 64


class Dispatch:
    """Class hierarchy analysis over the corpus, by need and remembered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._by_super: dict[str, list[tuple[FileScope, int]]] = {}  # last name of a supertype -> classes
        self._by_method: dict[tuple[str, int], list[tuple[FileScope, int]]] = {}
        self._below: dict[ClassInfo, list[ClassInfo]] = {}
        self._declaring: dict[tuple[str, int], list[MethodInfo]] = {}
        self._possible: dict[tuple[ClassInfo, MethodInfo], tuple[MethodInfo, ...]] = {}

    def selected(self, cls: ClassInfo, method: MethodInfo) -> MethodInfo | None:
        """The method that runs when a method is called on an object of exactly this class."""
        wanted = signature_in(method, cls)
        for other in find_methods(cls, method.name):
            if other is method or (other.arity == method.arity and signature_in(other, cls) == wanted):
                return other
        return None

    def is_sole(self, cls: ClassInfo, method: MethodInfo) -> bool:
        """Whether the one possible method is the only implementation that there is."""
        return (
            method.decl.is_abstract and bool(self._subclasses(cls)) and len(self.possible(cls, method)) == 1
        )

    def possible(self, cls: ClassInfo, method: MethodInfo) -> tuple[MethodInfo, ...]:
        """Methods of the corpus other than the named one that a call through a static type may run."""
        key = cls, method
        found = self._possible.get(key)
        if found is None:
            found = self._possible[key] = self._find(cls, method)
        return found

    def _find(self, cls: ClassInfo, method: MethodInfo) -> tuple[MethodInfo, ...]:
        if cls is self.world.object:
            self._index()
            if len(self._by_method.get((method.name, method.arity), ())) > MOST_TARGETS:
                return ()  # each of these classes has one: no need to look at them
            candidates = self._declared(method.name, method.arity)
            return tuple(candidates) if len(candidates) <= MOST_TARGETS else ()
        found: dict[MethodInfo, None] = {}
        seen = {cls: None}
        stack = [cls]
        while stack:
            for lower in self._subclasses(stack.pop()):
                if lower in seen:
                    continue
                seen[lower] = None
                stack.append(lower)
                target = self._run_by(lower, method)
                if target is not None and target is not method and not target.owner.external:
                    found[target] = None
            if len(seen) > MOST_SUBCLASSES or len(found) > MOST_TARGETS:
                return ()
        if len(seen) == 1 and cls.is_interface and not cls.external and method.decl.is_abstract:
            return self._by_signature(cls, method)
        return tuple(found)

    def _run_by(self, cls: ClassInfo, method: MethodInfo) -> MethodInfo | None:
        if _is_local(cls):
            return next((m for m in cls.methods.get(method.name, ()) if m.arity == method.arity), None)
        target = self.selected(cls, method)
        return None if target is None or target.decl.is_abstract else target

    def _by_signature(self, interface: ClassInfo, method: MethodInfo) -> tuple[MethodInfo, ...]:
        """Methods that become an implementation when somebody else's class inherits both.

        Of an interface that nothing in the corpus implements: a library's, whose callers are elsewhere.
        """
        wanted = signature_in(method, interface)
        found = [
            other
            for other in self._declared(method.name, method.arity)
            if not other.owner.is_interface
            and self._can_be_inherited(other)
            and _can_meet(interface, other.owner)
            and signature_in(other, other.owner) == wanted
        ]
        return tuple(found) if len(found) <= MOST_TARGETS else ()

    @staticmethod
    def _can_be_inherited(method: MethodInfo) -> bool:
        owner = method.owner
        if method.decl.is_abstract or owner.decl is None or _is_local(owner) or owner.kind != "Class":
            return False
        constructors = owner.methods.get("<init>", ())
        if constructors and all(c.decl.is_private for c in constructors):
            return False
        entities = owner.file.facts.entities
        literals = entities[method.decl.entity].literals
        final = "final" in entities[owner.decl.entity].literals.get("modifier", ())
        return literals.get("visibility") == "public" and not final

    def _subclasses(self, cls: ClassInfo) -> list[ClassInfo]:
        """Direct subclasses, in the order of the corpus."""
        found = self._below.get(cls)
        if found is None:
            self._index()
            found = self._below[cls] = []
            for file, index in self._by_super.get(cls.name, ()):
                lower = file.classes[index]
                if cls in self._uppers(lower):
                    found.append(lower)
        return found

    def _declared(self, name: str, arity: int) -> list[MethodInfo]:
        """The corpus' instance methods of a name that have a body, in the order of the corpus."""
        key = name, arity
        found = self._declaring.get(key)
        if found is None:
            self._index()
            found = self._declaring[key] = [
                method
                for file, index in self._by_method.get(key, ())
                for method in file.classes[index].methods[name]
                if method.arity == arity and not _is_bodiless_or_bound(method)
            ]
        return found

    def _index(self) -> None:
        """Which classes may be below one: a supertype is written with its own name in the last place."""
        if self._by_super or self._by_method:
            return
        for file in self.world.files:
            for index, row in enumerate(file.header.classes):
                place = file, index
                for name in sorted({*super_names(row)}):
                    self._by_super.setdefault(name, []).append(place)
                for key in {(m.name, len(m.parameters)): None for m in row.methods if is_instance_method(m)}:
                    self._by_method.setdefault(key, []).append(place)

    def _uppers(self, cls: ClassInfo) -> list[ClassInfo]:
        decl = cls.decl
        if decl is None or not _is_local(cls):
            return [upper for upper, _, _ in cls.supers]
        around = cls.outer
        while around is not None and _is_local(around):
            around = around.outer
        scope = around.body_scope if around is not None else cls.file.scope
        refs = [*((decl.base,) if decl.base is not None else ()), *decl.extends, *decl.implements]
        found = (self.world.resolve(ref, scope) for ref in refs)
        return [type_[0] for type_ in found if type_ is not None and isinstance(type_[0], ClassInfo)]


def _is_bodiless_or_bound(method: MethodInfo) -> bool:
    decl = method.decl
    return decl.is_static or decl.is_abstract or decl.is_private


def _is_local(cls: ClassInfo) -> bool:
    """Whether a class stands in a block, or in a class that does.

    Until that block is linked, nothing may ask such a class for its supertypes: it would remember them, and
    they may be declared in the block.
    """
    around: ClassInfo | None = cls
    while around is not None:
        if around.decl is not None and around.decl.is_local:
            return True
        around = around.outer
    return False


def _can_meet(interface: ClassInfo, cls: ClassInfo) -> bool:
    """Whether one class may extend the one and implement the other: both are visible from one package."""
    if interface.file.package == cls.file.package:
        return True
    return _is_public(interface) or _is_public(cls)


def _is_public(cls: ClassInfo) -> bool:
    decl = cls.decl
    return decl is not None and cls.file.facts.entities[decl.entity].literals.get("visibility") == "public"
