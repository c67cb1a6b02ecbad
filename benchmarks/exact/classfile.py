"""Reads what a Java class file declares (JVMS 4): the compiler's own account of a source file.

Only what source text states is kept: names, flags, descriptors, superclass, interfaces, declared exceptions,
how classes are nested, and the first line of each method. :mod:`.javap` compares this reader with `javap`.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PUBLIC, PRIVATE, PROTECTED, STATIC = 0x1, 0x2, 0x4, 0x8
BRIDGE, INTERFACE, ABSTRACT, SYNTHETIC = 0x40, 0x200, 0x400, 0x1000
ANNOTATION, ENUM, MANDATED, MODULE = 0x2000, 0x4000, 0x8000, 0x8000

_PRIMITIVES = {
    "B": "byte", "C": "char", "D": "double", "F": "float", "I": "int", "J": "long", "S": "short",
    "Z": "boolean", "V": "void",
}  # fmt: skip
#: Bytes of a constant after its tag (JVMS 4.4); the text of tag 1 has a length of its own.
_SIZES = {
    3: 4,
    4: 4,
    5: 8,
    6: 8,
    7: 2,
    8: 2,
    9: 4,
    10: 4,
    11: 4,
    12: 4,
    15: 3,
    16: 2,
    17: 4,
    18: 4,
    19: 2,
    20: 2,
}


@dataclass(slots=True)
class Member:
    """A field or a method."""

    name: str
    descriptor: str
    flags: int
    exceptions: tuple[str, ...] = ()
    line: int = 0  # of the first instruction; 0: none is recorded


@dataclass(slots=True)
class ClassFile:
    """One class; names are binary ones (``java.util.Map$Entry``)."""

    name: str
    flags: int  # of a nested class: those that its declaration states
    superclass: str | None
    interfaces: list[str]
    source: str = ""  # name of the source file
    outer: str | None = None  # the class that a nested class is a member of, or a local one stands in
    simple_name: str | None = None  # of a nested class; None: anonymous
    is_local: bool = False  # local or anonymous
    fields: list[Member] = field(default_factory=list)
    methods: list[Member] = field(default_factory=list)

    @property
    def is_synthetic(self) -> bool:
        """Whether the compiler made it up."""
        return bool(self.flags & SYNTHETIC)


def read_jmod(path: Path) -> Iterator[ClassFile]:
    """All classes of a module, without ``module-info`` and ``package-info``."""
    with zipfile.ZipFile(path) as module:
        for name in sorted(module.namelist()):
            if name.endswith(".class") and not name.endswith(("module-info.class", "package-info.class")):
                yield parse(module.read(name))


def types_in(descriptor: str) -> list[str]:
    """The types of a descriptor as source text writes them: of a method its parameters, then its result."""
    found: list[str] = []
    at, dims = 0, 0
    while at < len(descriptor):
        char = descriptor[at]
        if char in "()":
            at += 1
            continue
        if char == "[":
            dims, at = dims + 1, at + 1
            continue
        if char == "L":
            end = descriptor.index(";", at)
            name = descriptor[at + 1 : end].replace("/", ".")
        else:
            end, name = at, _PRIMITIVES[char]
        found.append(name + "[]" * dims)
        at, dims = end + 1, 0
    return found


def parse(data: bytes) -> ClassFile:
    """Reads one class file.

    Raises:
        ValueError: If it is none.
    """
    return _Reader(data).read()


class _Reader:
    def __init__(self, data: bytes) -> None:
        if data[:4] != b"\xca\xfe\xba\xbe":
            raise ValueError("not a class file")
        self.data, self.at = data, 8
        self.pool: list[str | int | None] = [None]
        self._constants()

    def _u2(self) -> int:
        self.at += 2
        return int.from_bytes(self.data[self.at - 2 : self.at], "big")

    def _u4(self) -> int:
        self.at += 4
        return int.from_bytes(self.data[self.at - 4 : self.at], "big")

    def _constants(self) -> None:
        count = self._u2()
        while len(self.pool) < count:
            tag = self.data[self.at]
            self.at += 1
            if tag == 1:
                size = self._u2()
                raw = self.data[self.at : self.at + size]
                self.pool.append(raw.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass"))
                self.at += size
                continue
            self.pool.append(int.from_bytes(self.data[self.at : self.at + 2], "big") if tag == 7 else None)
            self.at += _SIZES[tag]
            if tag in (5, 6):  # long and double take two places
                self.pool.append(None)

    def _text(self, index: int) -> str:
        found = self.pool[index]
        return found if isinstance(found, str) else ""

    def _class(self, index: int) -> str | None:
        name = self.pool[index]
        return self._text(name).replace("/", ".") if isinstance(name, int) else None

    def _attributes(self) -> Iterator[tuple[str, int]]:
        """Name and end of each attribute; what is left unread of one is skipped."""
        for _ in range(self._u2()):
            name, size = self._text(self._u2()), self._u4()
            end = self.at + size
            yield name, end
            self.at = end

    def read(self) -> ClassFile:
        flags, name, above = self._u2(), self._class(self._u2()), self._class(self._u2())
        interfaces = [self._class(self._u2()) or "" for _ in range(self._u2())]
        found = ClassFile(name or "", flags, above, interfaces)
        found.fields = self._members()
        found.methods = self._members()
        for attribute, _ in self._attributes():
            if attribute == "SourceFile":
                found.source = self._text(self._u2())
            elif attribute == "InnerClasses":
                self._nesting(found)
            elif attribute == "EnclosingMethod":
                found.outer, found.is_local = self._class(self._u2()), True
        return found

    def _nesting(self, found: ClassFile) -> None:
        for _ in range(self._u2()):
            inner, outer = self._class(self._u2()), self._class(self._u2())
            name, flags = self._text(self._u2()), self._u2()
            if inner == found.name:
                found.flags = flags | found.flags & SYNTHETIC
                found.outer = outer or found.outer
                found.simple_name = name or None

    def _members(self) -> list[Member]:
        members: list[Member] = []
        for _ in range(self._u2()):
            flags = self._u2()
            member = Member(self._text(self._u2()), self._text(self._u2()), flags)
            for attribute, _ in self._attributes():
                if attribute == "Exceptions":
                    member.exceptions = tuple(self._class(self._u2()) or "" for _ in range(self._u2()))
                elif attribute == "Synthetic":
                    member.flags |= SYNTHETIC
                elif attribute == "Code":
                    member.line = self._first_line()
            members.append(member)
        return members

    def _first_line(self) -> int:
        self._u4()  # sizes of stack and locals
        size = self._u4()
        self.at += size
        handlers = self._u2()
        self.at += 8 * handlers
        lines = [0]
        for attribute, end in self._attributes():
            if attribute == "LineNumberTable" and end - self.at > 2:
                lines = [line for _, line in struct.iter_unpack(">HH", self.data[self.at + 2 : end])]
        return lines[0]
