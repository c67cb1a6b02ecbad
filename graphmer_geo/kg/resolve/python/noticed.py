"""What other files may notice of a change in what a file declares, without being told by mail.

A name is looked up by files that write it, or have it from a value. A signature matters to files that have
met the function, a member to files that have met the class or one below it, and write its name; members that
the language asks for by itself matter to all of those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphmer_geo.kg.languages.python.ir import ClassInfo, FunctionInfo
from graphmer_geo.kg.resolve.python.headers import Header
from graphmer_geo.kg.resolve.python.texts import Names


@dataclass
class Noticed:
    """Changes of one file."""

    is_all: bool = False  #: anybody may notice
    names: set[str] = field(default_factory=set)  #: noticed by who looks one of them up
    functions: set[str] = field(default_factory=set)  #: noticed by who has met them
    members: set[tuple[str, str]] = field(default_factory=set)  #: (class, name); an empty name: any


def is_implicit(name: str) -> bool:
    """Whether an attribute may be looked up by who does not write its name."""
    return name.startswith("__") and name.endswith("__")


def class_name(key: str) -> str:
    """The name of a class, from that which tells it apart in its file."""
    return re.split(r"\W", key.partition("\n")[0].rstrip("#"))[-1]


def noticed(old: Header, new: Header) -> Noticed:
    """What others may notice."""
    found = Noticed()
    one, other = _View(old), _View(new)
    for what in ("source", "namespace", "stars"):
        found.is_all |= getattr(old, what) != getattr(new, what)
    found.is_all |= (old.all_names is None) != (new.all_names is None)
    found.names |= set(old.all_names or ()) ^ set(new.all_names or ())
    found.names |= _differing(one.exports(), other.exports())
    for key in one.names.function.keys() & other.names.function.keys():
        mine, theirs = one.function(key), other.function(key)
        if mine != theirs:
            found.functions.add(key)
            found.names.add(one.header.functions[one.names.function[key]].name)
    for key in one.names.klass.keys() & other.names.klass.keys():
        _of_class(key, one, other, found)
    return found


def _of_class(key: str, one: _View, other: _View, found: Noticed) -> None:
    mine, theirs = one.klass(key), other.klass(key)
    names = _differing(one.members(mine), other.members(theirs))
    has_constructor = all("__init__" in info.attributes for info in (mine, theirs))
    if list(mine.fields) != list(theirs.fields) and not has_constructor:
        names.add("__init__")  # the fields are what a constructor takes that nobody has written
    if one.kind(mine) != other.kind(theirs):
        names.add("__class__")
    for name in names:
        found.members.add((key, "" if is_implicit(name) else name))
        if is_implicit(name):
            found.names.add(class_name(key))


class _View:
    """A header, without numbers."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.names = Names(header)
        self._entities = {entity: (kind, descriptor) for entity, kind, descriptor in header.visible}

    def declared(self, variable: int) -> list[Any]:
        """What a variable stands for."""
        codes = self.header.declarations.get(variable, ())
        return [self._entities.get(code) if code >= 0 else self.header.imports[-1 - code] for code in codes]

    def exports(self) -> dict[str, Any]:
        """What the names of the module are."""
        return {name: self._held(variable) for name, variable in self.header.exports.items()}

    def function(self, key: str) -> list[Any]:
        """What a caller needs to know."""
        info: FunctionInfo = self.header.functions[self.names.function[key]]
        owner = self.names.classes[info.klass] if info.klass >= 0 else ""
        params = [(param.name, param.kind, self.names.symbol.get(param.variable)) for param in info.params]
        results = [self.names.symbol.get(variable) for variable in (info.returned, info.yielded)]
        kind = self._entities.get(info.entity)
        return [kind, info.name, owner, info.binding, params, results, info.is_generator, info.passed]

    def klass(self, key: str) -> ClassInfo:
        """A class by its name."""
        return self.header.classes[self.names.klass[key]]

    def kind(self, info: ClassInfo) -> Any:
        """What kind of class it is."""
        return self._entities.get(info.entity)

    def members(self, info: ClassInfo) -> dict[str, Any]:
        """What the attributes of a class are."""
        found: dict[str, Any] = {}
        for name, variable in info.attributes.items():
            found.setdefault(name, []).append(self._held(variable))
        for name, entity in info.fields.items():
            found.setdefault(name, []).append(self._entities.get(entity))
        for name, function in info.methods.items():
            found.setdefault(name, []).append(self.names.functions[function])
        if info.metaclass:
            found["__metaclass__"] = self.declared(info.metaclass)
        return found

    def _held(self, variable: int) -> Any:
        return self.names.symbol.get(variable), self.declared(variable)


def _differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {name for name in {**one, **other} if one.get(name) != other.get(name)}


def aliases(header: Header, name: str) -> Iterator[str]:
    """Other names under which a file passes on what it imports under this one."""
    pairs = [*header.exports.items(), *(p for c in header.classes for p in c.attributes.items())]
    for alias, variable in pairs:
        for code in header.declarations.get(variable, ()):
            if code < 0 and alias != name and header.imports[-1 - code].name == name:
                yield alias
