"""Methods that run because an attribute is accessed or a class is defined: no text names them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphmer_geo.kg.resolve.python.objects import BUILTIN_MEMBERS, Kind
from graphmer_geo.kg.resolve.python.world import Target

if TYPE_CHECKING:
    from graphmer_geo.kg.languages.python.ir import Site
    from graphmer_geo.kg.resolve.python.classes import Member
    from graphmer_geo.kg.resolve.python.emit import Emitter

_CLASSES = ("Class", "Interface", "Enum", "Record")
_METHODS = frozenset(
    "__getattribute__ __getattr__ __setattr__ __get__ __set__ __init_subclass__ __set_name__ __new__ __init__"
    " __call__".split()
)
_OWN = BUILTIN_MEMBERS["object"] | {"__dict__", "__weakref__"}  #: what every object has


class Hooks:
    """Finds them for one file after the other."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        self.flow, self.world = emitter.flow, emitter.world
        self.file = -1
        self.known: dict[tuple[int, str, bool], tuple[Target, ...]] = {}
        #: those that some class of the corpus has: most projects have few, and need no search
        self.used = self.world.used(_METHODS)

    def accessed(self, site: Site) -> dict[Target, None]:
        """What reading or writing ``base.name`` runs, by the objects that the base may be."""
        flow = self.flow
        if site.role == "read" and not site.variable:
            return {}  # `del base.name`
        if self.file != self.emitter.file:  # what a file sees of the values of others depends on the file
            self.file = self.emitter.file
            self.known.clear()
        found: dict[Target, None] = {}
        for obj in flow.values(self.world.variable_base[self.file] + site.base):
            kind, first, _ = flow.table[obj]
            if kind == Kind.INSTANCE:
                key = (first, site.name, site.role == "write")
                if key not in self.known:
                    self.known[key] = tuple(self._of_instance(*key))
                found.update(dict.fromkeys(self.known[key]))
        return found

    def _of_instance(self, klass: int, name: str, is_write: bool) -> Iterator[Target]:
        order = self.flow.order(klass)
        member = self.flow.find(order, name)
        yield from self.methods(klass, "__setattr__" if is_write else "__getattribute__")
        if isinstance(member, tuple):
            for obj in self._held(member):
                kind, first, _ = self.flow.table[obj]
                if kind == Kind.INSTANCE:
                    yield from self.methods(first, "__set__" if is_write else "__get__")
                elif kind == Kind.PROPERTY and not is_write:
                    yield Target(self.world.function_entity(first), "")
        elif not (is_write or member or name in _OWN or self.flow.has_field(order, name)):
            yield from self.methods(klass, "__getattr__")

    def defined(self, klass: int) -> Iterator[Target]:
        """What the definition of a class of this file runs."""
        world, flow = self.world, self.flow
        info, base = world.classes[klass], world.variable_base[self.emitter.file]
        if "__init_subclass__" in self.used:
            yield from self._first(flow.order(klass)[1:], "__init_subclass__")
        if "__set_name__" in self.used:
            for local in info.attributes.values():
                for obj in flow.values(base + local):
                    if flow.table[obj][0] == Kind.INSTANCE:
                        yield from self.methods(flow.table[obj][1], "__set_name__")
        for meta in self.metaclass(klass):
            yield from (*self.methods(meta, "__new__"), *self.methods(meta, "__init__"))

    def metaclass(self, klass: int) -> Iterator[int]:
        """The metaclass of a class, if the corpus has it: its own or the first inherited one."""
        world = self.world
        for entry in self.flow.order(klass):
            if isinstance(entry, int) and world.classes[entry].metaclass:
                yield from world.metaclasses(entry)
                return

    def runs(self, klass: int) -> int:
        """The entity that runs the definition of a class: the nearest one around it that is no class."""
        entities = self.world.mine[self.emitter.file].entities
        entity = entities[self.world.classes[klass].entity].parent
        while entities[entity].kind in _CLASSES:
            entity = entities[entity].parent
        return entity

    def methods(self, klass: int, name: str) -> list[Target]:
        """The methods of a class of that name, as far as the corpus has them."""
        return self._first(self.flow.order(klass), name) if name in self.used else []

    def _first(self, order: list[int | str | None], name: str) -> list[Target]:
        found = self.emitter.class_members(order, name)
        return [target for target in found if self.world.function_of(target.entity) is not None]

    def _held(self, member: Member) -> list[int]:
        _, file, local = member
        self.flow.look(member)
        if file in self.world.mine:
            return self.flow.values(self.world.variable_base[file] + local)
        return self.flow.values(self.flow.at.inlets.get((file, local), 0))
