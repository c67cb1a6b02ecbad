"""Calls: arguments flow to parameters, results back."""

from __future__ import annotations

from typing import NamedTuple

from graphmer_geo.kg.resolve.python.boxes import Boxes
from graphmer_geo.kg.resolve.python.objects import Kind

_BY_POSITION = ("positionalOnly", "positionalOrKeyword")
_RECORD = "typing.NamedTuple"
MAX_POSITION = 32  #: elements of ``*args`` told apart


class Call(NamedTuple):
    """One call in one place; variables are global numbers, of the file that calls."""

    number: int  # among the calls of its file
    result: int
    positional: tuple[tuple[int, bool], ...]  # (variable, starred)
    named: tuple[tuple[str | None, int], ...]  # None: ``**``
    caller: int  # global entity
    written: bool  # False: implied by other syntax (``for``, ``with``, operators, ``map``)


class Calls(Boxes):
    """Adds calls of functions, methods and classes."""

    def make_call(
        self,
        result: int,
        positional: tuple[tuple[int, bool], ...],
        named: tuple[tuple[str | None, int], ...],
        caller: int,
        written: bool = False,
    ) -> Call:
        """A call with a fresh number."""
        self.at.calls += 1
        return Call(self.at.calls, result, positional, named, caller, written)

    def simple_call(self, result: int, arguments: tuple[int, ...], caller: int) -> Call:
        """A call that no text states, with positional arguments only."""
        return self.make_call(result, tuple((a, False) for a in arguments), (), caller)

    def call(self, obj: int, call: Call) -> None:
        """``obj`` is called."""
        kind, first, second = self.table[obj]
        if kind == Kind.FUNCTION:
            self.enter(first, call, 0)
        elif kind == Kind.BOUND:
            info, file = self.info(first)
            if info.params and info.params[0].kind in _BY_POSITION:
                self.put(self.target(file, info.params[0].variable), second)
            self.enter(first, call, 1)
            if 0 in info.passed:
                self.put(call.result, second)
        elif kind == Kind.CLASS:
            self.instantiate(obj, first, call)
        elif kind == Kind.INSTANCE and (call.number, obj) not in self.at.invoked:
            self.at.invoked.add((call.number, obj))
            method = self.new()
            self.load_instance(obj, first, method, "__call__")
            self.use(method, self.call, call._replace(written=False))
        elif kind == Kind.EXTERNAL:
            self.call_external(first, call)
        elif kind == Kind.METHOD:
            self.call_container(first, second, call)
        elif kind == Kind.PARTIAL:
            self.call_partial(first, second, call)

    def call_partial(self, obj: int, given: int, call: Call) -> None:
        """What ``functools.partial`` made is called."""
        kind, first, _ = self.table[obj]
        if kind == Kind.FUNCTION:
            self.enter(first, call, given)
        elif kind == Kind.BOUND:
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
        shift = int(kind == Kind.BOUND)
        info, file = self.info(first)
        if shift and info.params:
            self.put(self.target(file, info.params[0].variable), second)
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
            self.at.made[(call.caller, klass)] = None
        self.put(call.result, instance)
        for name in ("__init__", "__new__"):
            receiver = instance if name == "__init__" else obj
            for variable in self.added(order, name):
                self.use(variable, self.construct, receiver, call)
            found = self.find(order, name)
            if isinstance(found, tuple):
                self.use(self.member(found), self.construct, receiver, call)
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
        if kind != Kind.FUNCTION:
            return
        info, file = self.info(first)
        if info.params and info.params[0].kind in _BY_POSITION:
            self.put(self.target(file, info.params[0].variable), receiver)
        result = call.result if info.name == "__new__" else 0
        self.enter(first, call._replace(result=result), 1, implied=not call.written)

    def enter(self, function: int, call: Call, shift: int, implied: bool | None = None) -> None:
        """Arguments to parameters, once for each call and function."""
        if not call.written if implied is None else implied:
            self.at.implied[(call.caller, function)] = None
        key = (call.number, function, shift)
        if key in self.at.bound:
            return
        self.at.bound.add(key)
        info, file = self.info(function)
        if call.result:
            if info.is_generator:
                self.put(call.result, self.object(Kind.GENERATOR, function))
            else:
                self.link(self.source(file, info.returned), call.result)
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
        info, file = self.info(function)
        for index, param in enumerate(info.params):
            if param.kind in _BY_POSITION:
                if index == place:
                    self.link(variable, self.target(file, param.variable))
                    if index in info.passed:
                        self.link(variable, result)
                    return
            elif param.kind == "varPositional":
                box = self.box("tuple", file, "*", function, None)
                self.put(self.target(file, param.variable), box)
                extra = place - index
                self.link(variable, self.slot_target(box, extra if extra < MAX_POSITION else None))
                return
            else:
                return

    def pass_name(self, function: int, name: str, variable: int, result: int) -> None:
        """One keyword argument to its parameter."""
        info, file = self.info(function)
        for index, param in enumerate(info.params):
            if param.name == name and param.kind in ("positionalOrKeyword", "keywordOnly"):
                self.link(variable, self.target(file, param.variable))
                if index in info.passed:
                    self.link(variable, result)
                return
            if param.kind == "varKeyword":
                box = self.box("dict", file, "**", function, None)
                self.put(self.target(file, param.variable), box)
                self.link(variable, self.slot_target(box, name))

    def spread(self, obj: int, function: int, place: int, result: int) -> None:
        """``*obj`` from position ``place`` on."""
        if self.table[obj][0] != Kind.BOX:
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
        if self.table[obj][0] != Kind.BOX:
            return
        info, file = self.info(function)
        for param in info.params:
            if param.kind in ("positionalOrKeyword", "keywordOnly"):
                element = self.new()
                self.take(obj, param.name, element)
                self.pass_name(function, param.name, element, result)
            elif param.kind == "varKeyword":
                self.put(self.target(file, param.variable), obj)

    def method(self, obj: int, name: str, arguments: tuple[int, ...], result: int, caller: int) -> None:
        """An implied call of a method of an instance of a corpus class (``__iter__``, ``__add__``, …)."""
        order = self.order(self.table[obj][1])
        found = self.find(order, name)
        variables = [*self.added(order, name), *([self.member(found)] if isinstance(found, tuple) else ())]
        if variables:
            member = self.new()
            for variable in variables:
                self.use(variable, self.bind_member, member, obj)
            self.use(member, self.call, self.simple_call(result, arguments, caller))

    def call_external(self, name: str, call: Call) -> None:
        """Something outside the corpus is called; see :mod:`models`."""
        raise NotImplementedError

    def call_container(self, name: str, box: int, call: Call) -> None:
        """A method of a list, dict, … is called; see :mod:`models`."""
        raise NotImplementedError
