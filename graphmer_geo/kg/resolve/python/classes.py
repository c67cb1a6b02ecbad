"""Classes: bases, MRO, attributes in the body, fields of instances."""

from __future__ import annotations

from collections.abc import Iterator

from graphmer_geo.kg.languages.python.ir import FunctionInfo
from graphmer_geo.kg.resolve.python import mro
from graphmer_geo.kg.resolve.python.objects import Kind
from graphmer_geo.kg.resolve.python.rounds import Rounds
from graphmer_geo.kg.resolve.python.world import Table, World

#: external bases that add nothing an attribute lookup could mean
_NO_MEMBERS = frozenset(("abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol"))

#: where an attribute of a class is: the class, its file, and the variable's local number
Member = tuple[int, int, int]


class ClassTable(Rounds):
    """Adds classes. What their bases are is settled after the first stage, and every file may know it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.bases: Table[list[mro.Entry]] = {}
        self.settled = False  # bases are known
        self._orders: dict[int, list[mro.Entry]] = {}
        self.fields: dict[tuple[str, int, str], int] = {}  # (kind, class, attribute) -> variable

    def own_bases(self) -> dict[int, list[mro.Entry]]:
        """The direct bases of the classes of the files that are linked here."""
        return {
            klass: self._bases(klass)
            for file, desk in self.desks.items()
            for klass in range(desk.classes, desk.classes + len(self.world.syntax[file].classes))
        }

    def settle(self, bases: Table[list[mro.Entry]]) -> None:
        """Fix the bases of all classes."""
        self.bases = bases
        self.settled = True

    def _bases(self, klass: int) -> list[mro.Entry]:
        """Direct bases, in order."""
        found: list[mro.Entry] = []
        base = self.world.variable_base[self.world.class_file[klass]]
        for local in self.world.classes[klass].bases:
            entry: mro.Entry = None
            for obj in self.values(base + local if local else 0):
                kind, first, _ = self.table[obj]
                if (kind == Kind.CLASS and first != klass) or kind == Kind.EXTERNAL:
                    entry = first
                    if kind == Kind.CLASS:
                        break
            if entry != "builtins.object" and (entry is None or entry not in found):
                found.append(entry)
        return found

    def order(self, klass: int) -> list[mro.Entry]:
        """The MRO, without ``object``."""
        found = self._orders.get(klass)
        if found is None:
            found = self._orders[klass] = mro.linearise(klass, self.bases.__getitem__)
        return found

    def attribute(self, klass: int, name: str) -> Member | None:
        """An attribute in the class's own body."""
        local = self.world.classes[klass].attributes.get(name)
        return (klass, self.world.class_file[klass], local) if local else None

    def find(self, order: list[mro.Entry], name: str) -> Member | str | None:
        """First match along an MRO: an attribute, an external class, or None."""
        outside: list[str] = []
        unknown = False
        for entry in order:
            if entry is None:
                unknown = True
            elif isinstance(entry, str):
                if entry not in _NO_MEMBERS:
                    outside.append(entry)
            else:
                local = self.world.classes[entry].attributes.get(name)
                if local:
                    return entry, self.world.class_file[entry], local
        return outside[0] if len(outside) == 1 and not unknown else None

    def member(self, found: Member) -> int:
        """The variable of an attribute that was found, to read from."""
        return self.source(found[1], found[2])

    def look(self, found: Member) -> None:
        """Note that what an attribute holds is shown, though no object has led there."""
        _, file, local = found
        if file != self.at.file and (file, local) not in self.at.inlets:
            self.at.looked[file, local] = None

    def after(self, receiver: int, klass: int) -> list[mro.Entry]:
        """The part of the receiver's MRO behind ``klass``; the class's own MRO if it is not in it."""
        kind, first, _ = self.table[receiver]
        order = self.order(first) if kind in (Kind.INSTANCE, Kind.CLASS) else []
        if klass not in order:
            order = self.order(klass)
        return order[order.index(klass) + 1 :] if klass in order else []

    def has_field(self, order: list[mro.Entry], name: str) -> bool:
        """Whether a method of one of these classes assigns ``self.name``."""
        return any(isinstance(entry, int) and name in self.world.classes[entry].fields for entry in order)

    def field(self, kind: str, klass: int, name: str) -> int:
        """The variable of an attribute that is assigned from anywhere, of a class of this file.

        The kind is "field" for one of its instances, "added" for one of the class itself.
        """
        key = (kind, klass, name)
        variable = self.fields.get(key)
        if variable is None:
            variable = self.fields[key] = self.new()
        return variable

    def field_source(self, kind: str, klass: int, name: str) -> int:
        """The same of any class, to read from."""
        file = self.world.class_file[klass]
        local = file == self.at.file
        return self.field(kind, klass, name) if local else self.inlet((file, kind, klass, name))

    def field_target(self, kind: str, klass: int, name: str) -> int:
        """The same of any class, to put something into."""
        file = self.world.class_file[klass]
        local = file == self.at.file
        return self.field(kind, klass, name) if local else self.outlet((file, kind, klass, name))

    def read_fields(self, order: list[mro.Entry], name: str, target: int) -> None:
        """The fields of an instance flow to ``target``, if there is any of that name."""
        if name in self.assigned:
            for entry in order:
                if isinstance(entry, int):
                    self.link(self.field_source("field", entry, name), target)
        else:
            self.at.unassigned.setdefault(name, []).append((order, target))
            self.waiting.setdefault(name, {})[self.at.file] = None

    def added(self, order: list[mro.Entry], name: str) -> Iterator[int]:
        """The variables of a class attribute that is assigned from outside, as far as no body hides them."""
        if name in self.outside:
            for entry in order:
                if isinstance(entry, int):
                    if name in self.world.classes[entry].attributes:
                        return
                    yield self.field_source("added", entry, name)

    def recall(self, name: str) -> None:
        """An attribute name that this file waits for is assigned somewhere."""
        for order, target in self.at.unassigned.pop(name, ()):
            self.read_fields(order, name, target)

    def info(self, function: int) -> tuple[FunctionInfo, int]:
        """A function and its file."""
        return self.world.functions[function], self.world.function_file[function]
