"""What the methods of lists, dictionaries, … do with what they are given."""

from __future__ import annotations

from graphmer_geo.kg.resolve.python.calls import Call
from graphmer_geo.kg.resolve.python.objects import NONE, Kind
from graphmer_geo.kg.resolve.python.protocols import Protocols
from graphmer_geo.kg.resolve.python.typeshed import results


class Containers(Protocols):
    """Adds calls of containers' methods."""

    def call_container(self, name: str, box: int, call: Call) -> None:
        """Apply the model of a method of a list, dict, …."""
        arguments = [variable for variable, starred in call.positional if not starred]
        method = name.rpartition(".")[2]
        is_dict = self.table[box][1][0] == "dict"
        if method in ("append", "add", "insert", "appendleft"):
            self.link(arguments[-1] if arguments else 0, self.slot_target(box, None))
        elif method in ("extend", "update", "extendleft"):
            for argument in arguments[:1]:
                self.use(argument, self.merge_box if is_dict else self.extend_box, box, call.caller)
            for keyword, variable in call.named:
                self.link(variable, self.slot_target(box, keyword))
        elif method in ("get", "pop", "setdefault", "popleft") and is_dict:
            key = arguments[0] if arguments else 0
            self.item(box, call.result, key, call.caller)
            for default in arguments[1:2]:
                self.link(default, call.result)
                if method == "setdefault":
                    self.set_item(box, key, default, call.caller)
        elif method in ("pop", "popleft", "__next__", "send"):
            self.link(self.every(box), call.result)
        elif method in ("values", "union", "difference", "intersection"):
            self.fill(call, "list" if method == "values" else "set", self.every(box))
        elif method == "keys":
            self.fill(call, "list", self.keys(box))
        elif method == "items":
            self.items(box, call)
        elif method in ("copy", "__iter__"):
            self.put(call.result, box)
        elif method == "sort":
            for _, variable in call.named:
                self.use(variable, self.callback, self.simple_call(0, (self.every(box),), call.caller))
        else:
            self.give(name, call.result)

    def merge_box(self, obj: int, box: int, caller: int) -> None:
        """``box.update(obj)``: known keys stay apart."""
        kind, first, _ = self.table[obj]
        if kind == Kind.BOX and first[0] == "dict":
            self.merge_boxes(obj, box)
        else:
            self.extend_box(obj, box, caller)

    def items(self, box: int, call: Call) -> None:
        """``dict.items``."""
        pair = self.box("tuple", self.at.file, "pair", call.number, 2)
        self.link(self.keys(box), self.slot(pair, 0))
        self.link(self.every(box), self.slot(pair, 1))
        element = self.new()
        self.put(element, pair)
        self.fill(call, "list", element)

    # -- helpers -----------------------------------------------------------------------------------

    def element(self, variable: int, call: Call) -> int:
        """A variable for what iterating over ``variable`` gives."""
        target = self.new()
        self.use(variable, self.iterate, target, call.caller)
        return target

    def fill(self, call: Call, container: str, element: int) -> None:
        """The result is a container of these elements."""
        box = self.box(container, self.at.file, "call", call.number, -1)
        self.link(element, self.slot(box, None))
        self.put(call.result, box)

    def callback(self, obj: int, call: Call) -> None:
        """Call what is a function; ignore everything else."""
        if self.table[obj][0] in (Kind.FUNCTION, Kind.BOUND):
            self.call(obj, call)

    def give(self, name: str, result: int) -> None:
        """What the stubs say that a function gives; that one gives nothing is not worth a value."""
        types = results(name)
        if types != (NONE,):
            for given in types:
                self.put(result, self.object(Kind.FOREIGN, given))
