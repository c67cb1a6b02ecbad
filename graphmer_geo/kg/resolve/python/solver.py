"""The assignment graph and its fix-point: which abstract objects each variable may hold.

Variables are nodes, copies are edges; every other operation is a *user* of a variable: a function called once
for each object that arrives there. Sets are bounded, so the time is linear in the size of the program.

Every variable belongs to a file, and only its file works on it. See :mod:`rounds` for how files exchange
objects.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphmer_geo.kg.resolve.python import mro
from graphmer_geo.kg.resolve.python.objects import Kind, Objects
from graphmer_geo.kg.resolve.python.world import World

MAX_OBJECTS = 12  #: objects that one variable may hold; more than 8 targets say nothing anyway
MAX_VALUES = 6  #: of which known strings and numbers, when they come from elsewhere
STEPS_PER_FILE = 100_000  #: bound on the work of one file,
STEPS_PER_OPERATION = 200  #: and for each of its operations

User = tuple[Callable[..., None], tuple[Any, ...]]
#: How one file names a variable of another: the file, then a local number, or what kind of variable it is and
#: which one.
Name = tuple[Any, ...]
Message = tuple[int, Name, Any]


@dataclass(slots=True)
class Desk:
    """What belongs to one file and to no other."""

    file: int
    variables: int  # what makes local numbers global
    functions: int
    classes: int
    entities: int
    limit: int
    steps: int = 0
    calls: int = 0
    inlets: dict[Name, int] = field(default_factory=dict)  # mirrors of variables of other files
    outlets: dict[Name, int] = field(default_factory=dict)  # what is on its way to variables of other files
    members: dict[tuple[int, str], int] = field(default_factory=dict)  # (instance, name) -> what it gives
    outbox: dict[int, list[Message]] = field(default_factory=dict)
    dynamic: list[tuple[Any, ...]] = field(default_factory=list)  # operations of the second stage
    postponed: list[tuple[int, int, str]] = field(default_factory=list)  # class attributes, before the bases
    unassigned: dict[str, list[tuple[list[mro.Entry], int]]] = field(default_factory=dict)
    open_items: list[tuple[int, int, int]] = field(default_factory=list)  # (box, key variable, target)
    annotations: list[tuple[int, int]] = field(default_factory=list)  # (variable, type variable)
    decorations: list[tuple[int, int, int]] = field(default_factory=list)  # (result, decorator, decorated)
    implied: dict[tuple[int, int], None] = field(default_factory=dict)  # (caller entity, function): unnamed
    made: dict[tuple[int, int], None] = field(default_factory=dict)  # (caller entity, class): the same
    bound: set[tuple[int, int, int]] = field(default_factory=set)  # (call, function, shift)
    invoked: set[tuple[int, int]] = field(default_factory=set)  # (call, instance): `__call__` may lead back
    asked: dict[str, None] = field(default_factory=dict)  # names of attributes that a value gave
    looked: dict[tuple[int, int], None] = field(default_factory=dict)  # what only the writer of links reads


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
        self.desks = {
            file: Desk(
                file,
                world.variable_base[file],
                world.function_base[file],
                world.class_base[file],
                world.entity_base[file],
                STEPS_PER_FILE + STEPS_PER_OPERATION * len(syntax.ops),
            )
            for file, syntax in world.syntax.items()
        }
        self.at: Desk  #: of the file that is worked on

    def new(self) -> int:
        """A variable that the file's text does not have."""
        self.held.append(0)
        self.edges.append(None)
        self.users.append(None)
        return len(self.held) - 1

    def object(self, kind: int, first: Any, second: Any = None) -> int:
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
            if len(held) >= MAX_VALUES and self.table[obj][0] == Kind.VALUE:
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
        if self.held[source]:
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
        if self.held[variable]:
            for obj in self.values(variable):
                function(obj, *arguments)

    def run(self) -> None:
        """Propagate in this file until nothing changes (or the work bound is reached)."""
        pending, all_held, all_edges, all_users = self.pending, self.held, self.edges, self.users
        table, steps, limit = self.table, self.at.steps, self.at.limit
        while pending:
            variable, obj = pending.popleft()
            edges = all_edges[variable]
            if edges:
                steps += len(edges)
                is_value = table[obj][0] == Kind.VALUE
                for target in edges:  # `put` in place: most time is spent here
                    held = all_held[target]
                    if isinstance(held, dict):
                        if obj in held or len(held) >= MAX_OBJECTS:
                            continue
                        if is_value and len(held) >= MAX_VALUES:
                            self.put(target, obj)
                            continue
                        held[obj] = None
                    elif held == 0:
                        all_held[target] = obj
                    elif held == obj:
                        continue
                    else:
                        all_held[target] = {held: None, obj: None}
                    if all_edges[target] or all_users[target]:
                        pending.append((target, obj))
            users = all_users[variable]
            if users:
                steps += len(users)
                for function, arguments in list(users):
                    function(obj, *arguments)
            if steps > limit:
                pending.clear()
        self.at.steps = steps

    def values(self, variable: int) -> list[int]:
        """What a variable holds, in order of arrival."""
        held = self.held[variable]
        if isinstance(held, int):
            return [held] if held else []
        return list(held)
