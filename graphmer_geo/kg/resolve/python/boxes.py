"""Containers: one variable per constant key, one for unknown keys, one for all."""

from __future__ import annotations

from typing import Any

from graphmer_geo.kg.resolve.python.attributes import Attributes
from graphmer_geo.kg.resolve.python.objects import Kind
from graphmer_geo.kg.resolve.python.rounds import Mail
from graphmer_geo.kg.resolve.python.solver import Name
from graphmer_geo.kg.resolve.python.world import World

MAX_KEYS = 128  #: constant keys told apart


class Boxes(Attributes):
    """Adds containers. Each belongs to the file whose text makes it, and so do its elements."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.boxes: dict[int, dict[Any, int]] = {}  # box -> key -> variable; None: unknown keys
        self.everything: dict[int, int] = {}
        self.key_sets: dict[int, int] = {}
        self.merged: dict[int, dict[int, None]] = {}  # box -> boxes that get its elements
        self.fresh: list[tuple[int, Any, int]] = []  # elements on their way to those

    def box(self, container: str, file: int, what: str, place: int, length: int | None) -> int:
        """A container; what makes it, and which one of that kind, tell those of a file apart."""
        return self.object(Kind.BOX, (container, file, what, place), length)

    # -- of this file ------------------------------------------------------------------------------

    def slot(self, box: int, key: Any) -> int:
        """The variable of one key."""
        slots = self.boxes.setdefault(box, {})
        variable = slots.get(key)
        if variable is None:
            if key is not None and len(slots) >= MAX_KEYS:
                return self.slot(box, None)
            variable = slots[key] = self.new()
            if box in self.everything:
                self.link(variable, self.everything[box])
            if box in self.key_sets and isinstance(key, str | int):
                self.put(self.key_sets[box], self.object(Kind.VALUE, type(key).__name__, key))
            if box in self.merged:
                self.pass_on(box, key, variable)
        return variable

    def pass_on(self, box: int, key: Any, variable: int) -> None:
        """Boxes that get the elements of this one get a new one too, and so on, however long the chain."""
        self.fresh.append((box, key, variable))
        if len(self.fresh) == 1:
            for source, name, element in self.fresh:  # it grows meanwhile
                for other in self.merged.get(source, ()):
                    self.link(element, self.slot_target(other, name))
            self.fresh.clear()

    def named(self, name: Name) -> int:
        """The variable of this file with a name that is no number."""
        kind = name[1]
        if kind == "slot":
            return self.slot(name[2], name[3])
        if kind == "every":
            return self.every(name[2])
        if kind == "keys":
            return self.keys(name[2])
        if kind == "own":
            return self.own_field(name[2], name[3])
        return self.field(*name[1:])

    def merge(self, box: int, into: int) -> None:
        """The elements of a container go to another one; known keys stay apart."""
        merged = self.merged.setdefault(box, {})
        if into not in merged:
            merged[into] = None
            for key, variable in list(self.boxes.get(box, {}).items()):
                self.link(variable, self.slot_target(into, key))

    # -- of any file -------------------------------------------------------------------------------

    def slot_source(self, box: int, key: Any) -> int:
        """The variable of one key, to read from."""
        file = self.table[box][1][1]
        return self.slot(box, key) if file == self.at.file else self.inlet((file, "slot", box, key))

    def slot_target(self, box: int, key: Any) -> int:
        """The variable of one key, to put something into."""
        file = self.table[box][1][1]
        return self.slot(box, key) if file == self.at.file else self.outlet((file, "slot", box, key))

    def every(self, box: int) -> int:
        """The variable that receives every element, to read from."""
        file = self.table[box][1][1]
        if file != self.at.file:
            return self.inlet((file, "every", box))
        variable = self.everything.get(box)
        if variable is None:
            variable = self.everything[box] = self.new()
            for held in list(self.boxes.get(box, {}).values()):
                self.link(held, variable)
        return variable

    def keys(self, box: int) -> int:
        """The variable that receives every constant key, to read from."""
        file = self.table[box][1][1]
        if file != self.at.file:
            return self.inlet((file, "keys", box))
        variable = self.key_sets.get(box)
        if variable is None:
            variable = self.key_sets[box] = self.new()
            for key in self.boxes.get(box, {}):
                if isinstance(key, str | int):
                    self.put(variable, self.object(Kind.VALUE, type(key).__name__, key))
        return variable

    def merge_boxes(self, box: int, into: int) -> None:
        """The elements of a container of any file go to another one."""
        file = self.table[box][1][1]
        if file == self.at.file:
            self.merge(box, into)
        else:
            self.send(file, (Mail.MERGE, (file, "merge", box), into))

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
        self.link(self.slot_source(box, key), target)
        self.link(self.slot_source(box, None), target)
