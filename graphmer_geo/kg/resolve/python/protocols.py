"""Syntax that calls methods without naming them: loops, subscripts, operators, ``with``, unpacking."""

from __future__ import annotations

from graphmer_geo.kg.resolve.python.calls import Calls
from graphmer_geo.kg.resolve.python.objects import NUMBERS, Kind
from graphmer_geo.kg.resolve.python.typeshed import results

_BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow"}
_BINARY |= {"@": "matmul", "&": "and", "|": "or", "^": "xor", "<<": "lshift", ">>": "rshift"}
_COMPARE = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_MIRROR = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}
_UNARY = {"unary-": "__neg__", "unary+": "__pos__", "unary~": "__invert__"}
_ELEMENTS = dict.fromkeys(("builtins.range", "builtins.bytes", "builtins.bytearray"), "builtins.int")
MAX_STRING = 60  #: strings built from known strings are known up to this length


class Protocols(Calls):
    """Adds implied calls."""

    # -- iteration ---------------------------------------------------------------------------------

    def iterate(self, obj: int, target: int, caller: int) -> None:
        """The elements of ``obj`` flow to ``target``."""
        kind, first, _ = self.table[obj]
        if kind == Kind.BOX:
            self.link(self.keys(obj) if first[0] == "dict" else self.every(obj), target)
        elif kind == Kind.INSTANCE:
            order = self.order(first)
            if isinstance(self.find(order, "__iter__"), tuple):
                iterator = self.new()
                self.method(obj, "__iter__", (), iterator, caller)
                self.use(iterator, self.advance, target, caller)
            elif isinstance(self.find(order, "__aiter__"), tuple):
                iterator = self.new()
                self.method(obj, "__aiter__", (), iterator, caller)
                self.use(iterator, self.advance, target, caller)
            else:
                self.method(obj, "__getitem__", (), target, caller)
        elif kind == Kind.GENERATOR:
            self.advance(obj, target, caller)
        elif kind in (Kind.FOREIGN, Kind.VALUE) and first in ("builtins.str", "str"):
            self.put(target, self.object(Kind.FOREIGN, "builtins.str"))
        elif kind == Kind.FOREIGN:
            for given in (_ELEMENTS[first],) if first in _ELEMENTS else results(f"{first}.__next__"):
                self.put(target, self.object(Kind.FOREIGN, given))

    def advance(self, obj: int, target: int, caller: int) -> None:
        """``next(obj)`` flows to ``target``."""
        kind, first, _ = self.table[obj]
        if kind == Kind.GENERATOR:
            info, file = self.info(first)
            self.link(self.source(file, info.yielded), target)
        elif kind == Kind.BOX:
            self.link(self.every(obj), target)
        elif kind == Kind.INSTANCE:
            name = "__next__" if isinstance(self.find(self.order(first), "__next__"), tuple) else "__anext__"
            self.method(obj, name, (), target, caller)

    # -- subscripts --------------------------------------------------------------------------------

    def item(self, obj: int, target: int, key: int, caller: int) -> None:
        """``obj[key]`` flows to ``target``."""
        kind, first, _ = self.table[obj]
        if kind == Kind.BOX:
            if key:
                self.at.open_items.append((obj, key, target))
                self.use(key, self.item_at, obj, target)
            else:
                self.take(obj, None, target)
        elif kind == Kind.INSTANCE:
            self.method(obj, "__getitem__", (key,), target, caller)
        elif kind == Kind.CLASS:
            self.put(target, obj)  # C[int]
        elif kind in (Kind.FOREIGN, Kind.VALUE) and first in ("builtins.str", "str"):
            self.put(target, self.object(Kind.FOREIGN, "builtins.str"))
        elif kind == Kind.EXTERNAL and first.rpartition(".")[2] in ("list", "dict", "set", "tuple", "type"):
            self.put(target, obj)

    def item_at(self, key: int, box: int, target: int) -> None:
        """An element at a key that became known."""
        kind, _, value = self.table[key]
        if kind == Kind.VALUE:
            self.take(box, value, target)

    def close_items(self) -> None:
        """Subscripts whose key stayed unknown may give any element."""
        waiting, self.at.open_items = self.at.open_items, []
        for box, key, target in waiting:
            if not any(self.table[obj][0] == Kind.VALUE for obj in self.values(key)):
                self.take(box, None, target)

    def set_item(self, obj: int, key: int, source: int, caller: int) -> None:
        """``obj[key] = source``."""
        kind = self.table[obj][0]
        if kind == Kind.BOX:
            if key:
                self.use(key, self.set_item_at, obj, source)
                if not self.values(key):
                    self.link(source, self.slot_target(obj, None))
            else:
                self.link(source, self.slot_target(obj, None))
        elif kind == Kind.INSTANCE:
            self.method(obj, "__setitem__", (key, source), 0, caller)

    def set_item_at(self, key: int, box: int, source: int) -> None:
        """Store at a key that became known."""
        kind, _, value = self.table[key]
        self.link(source, self.slot_target(box, value if kind == Kind.VALUE else None))

    def part(self, obj: int, target: int, low: int | None, high: int | None) -> None:
        """``obj[low:high]``; a negative or zero ``high`` counts from the end."""
        kind, first, length = self.table[obj]
        if kind != Kind.BOX or first[0] == "dict":
            if kind != Kind.BOX:
                self.put(target, obj)
            return
        size = length if length is not None else -1
        if low is None or size < 0:
            box = self.box(first[0], self.at.file, "part", target - self.at.variables, -1)
            self.link(self.every(obj), self.slot(box, None))
        else:
            end = size if high is None else min(high, size) if high > 0 else size + high
            box = self.box(first[0], self.at.file, "part", target - self.at.variables, max(0, end - low))
            for index in range(low, end):
                self.take(obj, index, self.slot(box, index - low))
        self.put(target, box)

    def unpack(self, obj: int, target: int, index: int, stop: int | None, caller: int) -> None:
        """One target of an unpacking assignment."""
        kind, first, length = self.table[obj]
        if kind != Kind.BOX or first[0] in ("dict", "set"):
            if stop is None:
                self.iterate(obj, target, caller)
        elif stop is None:
            self.take(obj, index, target)
        elif length is None or length < 0:
            self.part(obj, target, None, None)
        else:
            size = max(0, length + stop - index)
            box = self.box("list", self.at.file, "part", target - self.at.variables, size)
            for place in range(index, length + stop):
                self.take(obj, place, self.slot(box, place - index))
            self.put(target, box)

    # -- questions ---------------------------------------------------------------------------------

    def ask(self, obj: int, methods: tuple[str, ...], caller: int) -> None:
        """``len(obj)``, ``if obj:`` and the like call the first of these methods that there is."""
        kind, first, _ = self.table[obj]
        if kind == Kind.INSTANCE:
            order = self.order(first)
            for name in methods:
                if isinstance(self.find(order, name), tuple):
                    self.method(obj, name, (), 0, caller)
                    return

    # -- with and operators ------------------------------------------------------------------------

    def enter_context(self, obj: int, target: int, caller: int) -> None:
        """What ``with obj as target`` binds."""
        kind, _first, _ = self.table[obj]
        if kind == Kind.INSTANCE:
            for name in ("__enter__", "__aenter__"):
                self.method(obj, name, (), target, caller)
            for name in ("__exit__", "__aexit__"):
                self.method(obj, name, (), 0, caller)
        elif kind == Kind.GENERATOR:
            self.advance(obj, target, caller)
        elif kind == Kind.FOREIGN:
            self.put(target, obj)

    def operate_left(self, obj: int, target: int, right: int, operator: str, caller: int) -> None:
        """The left operand may implement the operator."""
        kind, first, second = self.table[obj]
        if kind == Kind.INSTANCE:
            for name in self.operator_methods(operator):
                if isinstance(self.find(self.order(first), name), tuple):
                    self.method(obj, name, (right,) if right else (), target, caller)
                    return
        elif kind == Kind.VALUE and first == "str" and operator == "+":
            self.use(right, self.concatenate, target, second)
        elif kind in (Kind.VALUE, Kind.FOREIGN) and first in ("str", "builtins.str") and operator in "+%*":
            self.put(target, self.object(Kind.FOREIGN, "builtins.str"))
        elif kind in (Kind.VALUE, Kind.FOREIGN) and first.removeprefix("builtins.") in NUMBERS:
            if operator in _UNARY:
                self.put(target, self.object(Kind.FOREIGN, f"builtins.{first.removeprefix('builtins.')}"))
            else:
                self.use(right, self.calculate, target, first.removeprefix("builtins."), operator)
        elif kind == Kind.BOX and operator in ("+", "*", "|", "+=", "|="):
            self.put(target, obj)
            if operator.rstrip("=") in ("+", "|"):
                self.use(right, self.join_box, target)
                if operator == "+=":
                    self.use(right, self.extend_box, obj, caller)

    def calculate(self, obj: int, target: int, left: str, operator: str) -> None:
        """Arithmetic of two numbers gives the wider type; a quotient is no integer."""
        kind, first, _ = self.table[obj]
        right = first.removeprefix("builtins.") if kind in (Kind.VALUE, Kind.FOREIGN) else ""
        if right not in NUMBERS or operator.removesuffix("=") not in _BINARY:
            return
        wider = max(NUMBERS.index(left), NUMBERS.index(right))
        logical = wider == 0 and operator.removesuffix("=") in ("&", "|", "^")
        least = 0 if logical else 2 if operator in ("/", "/=") else 1
        self.put(target, self.object(Kind.FOREIGN, f"builtins.{NUMBERS[max(wider, least)]}"))

    def join_box(self, obj: int, target: int) -> None:
        """The right container is part of the result."""
        if self.table[obj][0] == Kind.BOX:
            self.put(target, obj)

    def extend_box(self, obj: int, box: int, caller: int) -> None:
        """The elements of ``obj`` are added to ``box``."""
        if (
            self.table[obj][0] == Kind.BOX
            and self.table[obj][1][0] == "dict"
            and self.table[box][1][0] == "dict"
        ):
            self.link(self.every(obj), self.slot_target(box, None))
        else:
            self.iterate(obj, self.slot_target(box, None), caller)

    def concatenate(self, obj: int, target: int, left: str) -> None:
        """The sum of two strings."""
        kind, first, value = self.table[obj]
        if kind == Kind.VALUE and first == "str" and len(left) + len(value) <= MAX_STRING:
            self.put(target, self.object(Kind.VALUE, "str", left + value))
        else:
            self.put(target, self.object(Kind.FOREIGN, "builtins.str"))

    @staticmethod
    def operator_methods(operator: str) -> tuple[str, ...]:
        """Methods that the left operand may implement an operator with, in order of preference."""
        if operator in _UNARY:
            return (_UNARY[operator],)
        if operator in _COMPARE:
            name = f"__{_COMPARE[operator]}__"
            return (name, "__eq__") if operator == "!=" else (name,)
        if operator in _BINARY:
            return (f"__{_BINARY[operator]}__",)
        if operator.endswith("=") and operator[:-1] in _BINARY:
            name = _BINARY[operator[:-1]]
            return (f"__i{name}__", f"__{name}__")
        return ()

    def operate_right(self, obj: int, target: int, left: int, operator: str, caller: int) -> None:
        """Membership, and reflected operators where the left operand is no instance of a corpus class."""
        kind, _first, _ = self.table[obj]
        if kind != Kind.INSTANCE:
            return
        if operator in ("in", "not in"):
            self.method(obj, "__contains__", (left,), 0, caller)
        elif not any(self.table[o][0] == Kind.INSTANCE for o in self.values(left)):
            name = ""
            if operator.rstrip("=") in _BINARY:
                name = f"__r{_BINARY[operator.rstrip('=')]}__"
            elif operator in _COMPARE:
                name = f"__{_MIRROR[_COMPARE[operator]]}__"
            if name and self.values(left):
                self.method(obj, name, (left,), target, caller)
