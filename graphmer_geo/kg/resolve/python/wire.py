"""How messages between files are written for another process, which numbers objects in its own way."""

from __future__ import annotations

from typing import Any

from graphmer_geo.kg.resolve.python.objects import Kind, Objects
from graphmer_geo.kg.resolve.python.rounds import Mail
from graphmer_geo.kg.resolve.python.solver import Message

_OF_SECOND = (Kind.BOUND, Kind.METHOD, Kind.SUPER)  # their second value is an object
_OF_FIRST = (Kind.PARTIAL, Kind.TYPED)  # their first one
_OF_BOX = ("slot", "every", "keys", "merge")  # names of variables of a container
_WITH_OBJECT = (Mail.HOLDS, Mail.PUT, Mail.MERGE)


class Wire:
    """Objects written as what they are; numbers of files, functions and classes are everywhere the same."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._written: dict[int, tuple[Any, ...]] = {}
        self._read: dict[tuple[Any, ...], int] = {}

    def write(self, message: Message) -> tuple[Any, ...]:
        """A message, without numbers of objects."""
        kind, name, value = message
        if name[1] in _OF_BOX:
            name = (*name[:2], self._write(name[2]), *name[3:])
        return kind, name, self._write(value) if kind in _WITH_OBJECT else 0

    def read(self, written: tuple[Any, ...]) -> Message:
        """A message that another process wrote."""
        kind, name, value = written
        if name[1] in _OF_BOX:
            name = (*name[:2], self._object(name[2]), *name[3:])
        return kind, name, self._object(value) if kind in _WITH_OBJECT else 0

    def _write(self, obj: int) -> tuple[Any, ...]:
        written = self._written.get(obj)
        if written is None:
            kind, first, second = self.objects.table[obj]
            if kind in _OF_SECOND:
                second = self._write(second)
            elif kind in _OF_FIRST:
                first = self._write(first)
            written = self._written[obj] = (kind, first, second)
        return written

    def _object(self, written: tuple[Any, ...]) -> int:
        obj = self._read.get(written)
        if obj is None:
            kind, first, second = written
            if kind in _OF_SECOND:
                second = self._object(second)
            elif kind in _OF_FIRST:
                first = self._object(first)
            obj = self._read[written] = self.objects.intern(kind, first, second)
        return obj
