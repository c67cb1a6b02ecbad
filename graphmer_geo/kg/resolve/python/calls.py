"""Calls: arguments flow to parameters, results back."""

from __future__ import annotations

from typing import Any, NamedTuple

from graphmer_geo.kg.resolve.python.attributes import Attributes
from graphmer_geo.kg.resolve.python.objects import Kind
from graphmer_geo.kg.resolve.python.world import World

_BY_POSITION = ("positionalOnly", "positionalOrKeyword")
_RECORD = "typing.NamedTuple"
MAX_POSITION = 32  #: elements of ``*args`` told apart


class Call(NamedTuple):
    """One call in one place; variables are global numbers."""

    number: int
    result: int
    positional: tuple[tuple[int, bool], ...]  # (variable, starred)
    named: tuple[tuple[str | None, int], ...]  # None: ``**``
    caller: int  # global entity
    written: bool  # False: implied by other syntax (``for``, ``with``, operators, ``map``)


class Boxes(Attributes):
    """Adds containers: one variable per constant key, one for unknown keys, one for all."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.boxes: dict[int, dict[Any, int]] = {}  # box -> key -> variable; None: unknown keys
        self.everything: dict[int, int] = {}
        self.key_sets: dict[int, int] = {}

    def slot(self, box: int, key: Any) -> int:
        """The variable of one key."""
        slots = self.boxes.setdefault(box, {})
        variable = slots.get(key)
        if variable is None:
            if key is not None and len(slots) >= 128:
                return self.slot(box, None)
            variable = slots[key] = self.new()
            if box in self.everything:
                self.link(variable, self.everything[box])
            if box in self.key_sets and isinstance(key, str | int):
                self.put(self.key_sets[box], self.object(Kind.VALUE, type(key).__name__, key))
        return variable

    def every(self, box: int) -> int:
        """The variable that receives every element."""
        variable = self.everything.get(box)
        if variable is None:
            variable = self.everything[box] = self.new()
            for held in list(self.boxes.get(box, {}).values()):
                self.link(held, variable)
        return variable

    def keys(self, box: int) -> int:
        """The variable that receives every constant key."""
        variable = self.key_sets.get(box)
        if variable is None:
            variable = self.key_sets[box] = self.new()
            for key in self.boxes.get(box, {}):
                if isinstance(key, str | int):
                    self.put(variable, self.object(Kind.VALUE, type(key).__name__, key))
        return variable

    def take(self, box: int, key: Any, target: int) -> None:
        """``box[key]`` flows to ``target``; ``key`` None means unknown."""
        if key is None:
            self.link(self.every(box), target)
            return
        length = self.table[box][2]
        if isinstance(key, int) and key < 0:
            if length is None or length < 0:
                self.link(self.every(box), target)
                return
            key += length
        self.link(self.slot(box, key), target)
        self.link(self.slot(box, None), target)


class Calls(Boxes):
    """Adds calls of functions, methods and classes."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.stored = set()
        self.calls = 0
        self.bound: set[tuple[int, int, int]] = set()
        self.invoked: set[tuple[int, int]] = set()  # (call, instance): ``__call__`` may lead back to it
        self.implied: dict[tuple[int, int], None] = {}  # (caller entity, function): calls that no name states
        self.made: dict[tuple[int, int], None] = {}  # (caller entity, class): the same for instances

    def make_call(
        self,
        result: int,
        positional: tuple[tuple[int, bool], ...],
        named: tuple[tuple[str | None, int], ...],
        caller: int,
        written: bool = False,
    ) -> Call:
        """A call with a fresh number."""
        self.calls += 1
        return Call(self.calls, result, positional, named, caller, written)

    def simple_call(self, result: int, arguments: tuple[int, ...], caller: int) -> Call:
        """A call that no text states, with positional arguments only."""
        return self.make_call(result, tuple((a, False) for a in arguments), (), caller)

    def call(self, obj: int, call: Call) -> None:
        """``obj`` is called."""
        kind, first, second = self.table[obj]
        if kind is Kind.FUNCTION:
            self.enter(first, call, 0)
        elif kind is Kind.BOUND:
            info, base = self.info(first)
            if info.params and info.params[0].kind in _BY_POSITION:
                self.put(base + info.params[0].variable, second)
            self.enter(first, call, 1)
            if 0 in info.passed:
                self.put(call.result, second)
        elif kind is Kind.CLASS:
            self.instantiate(obj, first, call)
        elif kind is Kind.INSTANCE and (call.number, obj) not in self.invoked:
            self.invoked.add((call.number, obj))
            method = self.new()
            self.load_instance(obj, first, method, "__call__")
            self.use(method, self.call, call._replace(written=False))
        elif kind is Kind.EXTERNAL:
            self.call_external(first, call)
        elif kind is Kind.METHOD:
            self.call_container(first, second, call)
        elif kind is Kind.PARTIAL:
            self.call_partial(first, second, call)

    def call_partial(self, obj: int, given: int, call: Call) -> None:
        """What ``functools.partial`` made is called."""
        kind, first, _ = self.table[obj]
        if kind is Kind.FUNCTION:
            self.enter(first, call, given)
        elif kind is Kind.BOUND:
            self.enter(first, call, given + 1)
        else:
            self.call(obj, call)

    def preset(self, obj: int, call: Call) -> None:
        """The arguments that ``functools.partial`` gives flow to the parameters; nothing is called yet."""
        kind, first, second = self.table[obj]
        if kind not in (Kind.FUNCTION, Kind.BOUND):
            self.put(call.result, obj)
            return
        given = [variable for variable, starred in call.positional[1:] if not starred]
        shift = int(kind is Kind.BOUND)
        info, base = self.info(first)
        if shift and info.params:
            self.put(base + info.params[0].variable, second)
        for place, variable in enumerate(given, shift):
            self.pass_position(first, place, variable, 0)
        for name, variable in call.named:
            if name is not None and variable:
                self.pass_name(first, name, variable, 0)
        self.put(call.result, self.object(Kind.PARTIAL, obj, len(given)))

    def instantiate(self, obj: int, klass: int, call: Call) -> None:
        """A class is called."""
        order = self.order(klass)
        instance = self.object(Kind.INSTANCE, klass)
        if not call.written:
            self.made[(call.caller, klass)] = None
        self.put(call.result, instance)
        for name in ("__init__", "__new__"):
            found = self.find(order, name)
            if isinstance(found, tuple):
                self.use(found[1], self.construct, instance if name == "__init__" else obj, call)
            elif name == "__init__" and found in (None, _RECORD) and (call.positional or call.named):
                self.fill_fields(instance, klass, call)

    def fill_fields(self, instance: int, klass: int, call: Call) -> None:
        """Arguments but no constructor: one is made from the fields (data classes, named tuples)."""
        entries = [entry for entry in reversed(self.order(klass)) if isinstance(entry, int)]
        names = list(dict.fromkeys(n for entry in entries for n in self.world.classes[entry].fields))
        pairs = [(n, v) for n, (v, star) in zip(names, call.positional, strict=False) if not star]
        for name, variable in [*pairs, *call.named]:
            if variable and name is not None and name in names:
                self.store(instance, variable, name)

    def construct(self, member: int, receiver: int, call: Call) -> None:
        """``__init__(instance, …)`` or ``__new__(class, …)``."""
        kind, first, _ = self.table[member]
        if kind is not Kind.FUNCTION:
            return
        info, base = self.info(first)
        if info.params and info.params[0].kind in _BY_POSITION:
            self.put(base + info.params[0].variable, receiver)
        result = call.result if info.name == "__new__" else 0
        self.enter(first, call._replace(result=result), 1, implied=not call.written)

    def enter(self, function: int, call: Call, shift: int, implied: bool | None = None) -> None:
        """Arguments to parameters, once for each call and function."""
        if not call.written if implied is None else implied:
            self.implied[(call.caller, function)] = None
        key = (call.number, function, shift)
        if key in self.bound:
            return
        self.bound.add(key)
        info, base = self.info(function)
        if call.result:
            if info.is_generator:
                self.put(call.result, self.object(Kind.GENERATOR, function))
            else:
                self.link(base + info.returned, call.result)
        place = shift
        for variable, starred in call.positional:
            if starred:
                self.use(variable, self.spread, function, place, call.result)
            else:
                self.pass_position(function, place, variable, call.result)
                place += 1
        for name, variable in call.named:
            if name is None:
                self.use(variable, self.spread_named, function, call.result)
            elif variable:
                self.pass_name(function, name, variable, call.result)

    def pass_position(self, function: int, place: int, variable: int, result: int) -> None:
        """One positional argument to its parameter."""
        if not variable:
            return
        info, base = self.info(function)
        for index, param in enumerate(info.params):
            if param.kind in _BY_POSITION:
                if index == place:
                    self.link(variable, base + param.variable)
                    if index in info.passed:
                        self.link(variable, result)
                    return
            elif param.kind == "varPositional":
                box = self.object(Kind.BOX, ("tuple", ("*", function)), None)
                self.put(base + param.variable, box)
                extra = place - index
                self.link(variable, self.slot(box, extra if extra < MAX_POSITION else None))
                return
            else:
                return

    def pass_name(self, function: int, name: str, variable: int, result: int) -> None:
        """One keyword argument to its parameter."""
        info, base = self.info(function)
        for index, param in enumerate(info.params):
            if param.name == name and param.kind in ("positionalOrKeyword", "keywordOnly"):
                self.link(variable, base + param.variable)
                if index in info.passed:
                    self.link(variable, result)
                return
            if param.kind == "varKeyword":
                box = self.object(Kind.BOX, ("dict", ("**", function)), None)
                self.put(base + param.variable, box)
                self.link(variable, self.slot(box, name))

    def spread(self, obj: int, function: int, place: int, result: int) -> None:
        """``*obj`` from position ``place`` on."""
        if self.table[obj][0] is not Kind.BOX:
            return
        info, _ = self.info(function)
        count = sum(p.kind in _BY_POSITION for p in info.params)
        for index in range(place, min(count, MAX_POSITION)):
            element = self.new()
            self.take(obj, index - place, element)
            self.pass_position(function, index, element, result)
        if any(p.kind == "varPositional" for p in info.params):
            rest = self.new()
            self.take(obj, None, rest)
            self.pass_position(function, count + MAX_POSITION, rest, result)

    def spread_named(self, obj: int, function: int, result: int) -> None:
        """``**obj``."""
        if self.table[obj][0] is not Kind.BOX:
            return
        for param in self.info(function)[0].params:
            if param.kind in ("positionalOrKeyword", "keywordOnly"):
                element = self.new()
                self.take(obj, param.name, element)
                self.pass_name(function, param.name, element, result)
            elif param.kind == "varKeyword":
                base = self.info(function)[1]
                self.put(base + param.variable, obj)

    def method(self, obj: int, name: str, arguments: tuple[int, ...], result: int, caller: int) -> None:
        """An implied call of a method of an instance of a corpus class (``__iter__``, ``__add__``, …)."""
        klass = self.table[obj][1]
        found = self.find(self.order(klass), name)
        if isinstance(found, tuple):
            member = self.new()
            self.use(found[1], self.bind_member, member, obj)
            self.use(member, self.call, self.simple_call(result, arguments, caller))

    def call_external(self, name: str, call: Call) -> None:
        """Something outside the corpus is called; see :mod:`models`."""
        raise NotImplementedError

    def call_container(self, name: str, box: int, call: Call) -> None:
        """A method of a list, dict, … is called; see :mod:`models`."""
        raise NotImplementedError
