"""The assignment graph and its fix-point: which abstract objects each variable may hold.

Variables are nodes, copies are edges; every other operation is a *user* of a variable: a function called once
for each object that arrives there. Sets are bounded, so the time is linear in the size of the program.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from graphmer_geo.kg.languages.python.ir import FunctionInfo
from graphmer_geo.kg.resolve.python import mro
from graphmer_geo.kg.resolve.python.objects import Kind, Objects
from graphmer_geo.kg.resolve.python.world import World

MAX_OBJECTS = 12  #: objects that one variable may hold; more than 8 targets say nothing anyway
MAX_VALUES = 6  #: of which known strings and numbers, when they come from elsewhere
STEPS_PER_OPERATION = 60  #: bound on the work

#: external bases that add nothing an attribute lookup could mean
_NO_MEMBERS = frozenset(("abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol"))

User = tuple[Callable[..., None], tuple[Any, ...]]


class Solver:
    """State and propagation; the language's operations are in :mod:`flow`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.objects = Objects()
        self.table = self.objects.table
        size = world.variables + 1
        #: nothing (0), one object, or several: most hold one, and half a million dictionaries are slow
        self.held: list[int | dict[int, None]] = [0] * size
        self.edges: list[list[int] | None] = [None] * size
        self.users: list[list[User] | None] = [None] * size
        self.pending: deque[tuple[int, int]] = deque()
        self.linked: set[tuple[int, int]] = set()
        self.steps = 0
        self.limit = 1_000_000 + STEPS_PER_OPERATION * sum(len(s.ops) for s in world.syntax)

    # -- propagation -------------------------------------------------------------------------------

    def new(self) -> int:
        """A variable that no file has."""
        self.held.append(0)
        self.edges.append(None)
        self.users.append(None)
        return len(self.held) - 1

    def object(self, kind: Kind, first: Any, second: Any = None) -> int:
        """The number of an abstract object."""
        return self.objects.intern(kind, first, second)

    def put(self, variable: int, obj: int) -> None:
        """One object arrives at a variable."""
        if not variable:
            return
        held = self.held[variable]
        if held == 0:
            self.held[variable] = obj
        elif isinstance(held, int):
            if obj == held:
                return
            self.held[variable] = {held: None, obj: None}
        elif obj in held or len(held) >= MAX_OBJECTS:
            return
        else:
            if len(held) >= MAX_VALUES and self.table[obj][0] is Kind.VALUE:
                obj = self.object(Kind.FOREIGN, "builtins." + self.table[obj][1])
                if obj in held:
                    return
            held[obj] = None
        if self.edges[variable] or self.users[variable]:  # later ones look at what is held
            self.pending.append((variable, obj))

    def link(self, source: int, target: int) -> None:
        """Everything that arrives at ``source`` also arrives at ``target``."""
        if not source or not target or source == target:
            return
        key = (source, target)
        if key in self.linked:
            return
        self.linked.add(key)
        edges = self.edges[source]
        if edges is None:
            self.edges[source] = [target]
        else:
            edges.append(target)
        for obj in self.values(source):
            self.put(target, obj)

    def use(self, variable: int, function: Callable[..., None], *arguments: Any) -> None:
        """Call ``function(obj, *arguments)`` for every object that is or will be in ``variable``."""
        if not variable:
            return
        users = self.users[variable]
        if users is None:
            self.users[variable] = [(function, arguments)]
        else:
            users.append((function, arguments))
        for obj in self.values(variable):
            function(obj, *arguments)

    def run(self) -> None:
        """Propagate until nothing changes (or the work bound is reached)."""
        pending, all_held, all_edges, all_users = self.pending, self.held, self.edges, self.users
        while pending:
            variable, obj = pending.popleft()
            edges = all_edges[variable]
            if edges:
                self.steps += len(edges)
                for target in edges:  # `put` in place: most time is spent here
                    held = all_held[target]
                    if held == 0:
                        all_held[target] = obj
                        if all_edges[target] or all_users[target]:
                            pending.append((target, obj))
                    elif held != obj:
                        self.put(target, obj)
            users = all_users[variable]
            if users:
                self.steps += len(users)
                for function, arguments in list(users):
                    function(obj, *arguments)
            if self.steps > self.limit:
                pending.clear()

    def values(self, variable: int) -> list[int]:
        """What a variable holds, in order of arrival."""
        held = self.held[variable]
        if isinstance(held, int):
            return [held] if held else []
        return list(held)


class ClassTable(Solver):
    """Adds classes: bases, MRO, attributes."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.added: list[dict[str, int]] = [{} for _ in world.classes]  # attributes set from outside
        self.instance_fields: dict[tuple[int, str], int] = {}
        self._orders: dict[int, list[mro.Entry]] = {}
        self._bases: dict[int, list[mro.Entry]] = {}
        self.settled = False  # bases are known
        self.assigned: set[str] = set()  # attribute names that are assigned somewhere
        self.unassigned: dict[str, list[tuple[list[mro.Entry], int]]] = {}  # reads of other names

    def variable_of(self, file: int, local: int) -> int:
        """The global number of a local variable."""
        return self.world.variable_base[file] + local if local else 0

    def bases(self, klass: int) -> list[mro.Entry]:
        """Direct bases, in order."""
        if klass in self._bases:
            return self._bases[klass]
        found: list[mro.Entry] = []
        for local in self.world.classes[klass].bases:
            entry: mro.Entry = None
            for obj in self.values(self.variable_of(self.world.class_file[klass], local)):
                kind, first, _ = self.table[obj]
                if (kind is Kind.CLASS and first != klass) or kind is Kind.EXTERNAL:
                    entry = first
                    if kind is Kind.CLASS:
                        break
            if entry != "builtins.object" and (entry is None or entry not in found):
                found.append(entry)
        if self.settled:
            self._bases[klass] = found
        return found

    def order(self, klass: int) -> list[mro.Entry]:
        """The MRO, without ``object``."""
        found = self._orders.get(klass)
        if found is None:
            found = mro.linearise(klass, self.bases)
            if self.settled:
                self._orders[klass] = found
        return found

    def attribute(self, klass: int, name: str) -> int:
        """The variable of an attribute in the class's own body, 0 if it has none."""
        local = self.world.classes[klass].attributes.get(name)
        if local is not None:
            return self.variable_of(self.world.class_file[klass], local)
        return self.added[klass].get(name, 0)

    def find(self, order: list[mro.Entry], name: str) -> tuple[int, int] | str | None:
        """First match along an MRO: ``(class, variable)``, an external class, or None."""
        outside: list[str] = []
        unknown = False
        for entry in order:
            if entry is None:
                unknown = True
            elif isinstance(entry, str):
                if entry not in _NO_MEMBERS:
                    outside.append(entry)
            else:
                variable = self.attribute(entry, name)
                if variable:
                    return entry, variable
        return outside[0] if len(outside) == 1 and not unknown else None

    def after(self, receiver: int, klass: int) -> list[mro.Entry]:
        """The part of the receiver's MRO behind ``klass``; the class's own MRO if it is not in it."""
        kind, first, _ = self.table[receiver]
        order = self.order(first) if kind in (Kind.INSTANCE, Kind.CLASS) else []
        if klass not in order:
            order = self.order(klass)
        return order[order.index(klass) + 1 :] if klass in order else []

    def field(self, klass: int, name: str) -> int:
        """The variable of an instance attribute."""
        key = (klass, name)
        variable = self.instance_fields.get(key)
        if variable is None:
            variable = self.instance_fields[key] = self.new()
        return variable

    def read_fields(self, order: list[mro.Entry], name: str, target: int) -> None:
        """The fields of an instance flow to ``target``, if there is any of that name."""
        if name in self.assigned:
            for entry in order:
                if isinstance(entry, int):
                    self.link(self.field(entry, name), target)
        else:
            self.unassigned.setdefault(name, []).append((order, target))

    def assign_name(self, name: str) -> None:
        """An attribute of this name is assigned, though no statement says so (``setattr``)."""
        self.assigned.add(name)
        for order, target in self.unassigned.pop(name, ()):
            self.read_fields(order, name, target)

    def info(self, function: int) -> tuple[FunctionInfo, int]:
        """A function and the number that makes its local variables global."""
        return self.world.functions[function], self.world.variable_base[self.world.function_file[function]]
