"""What functions, methods and attributes of the standard library give.

``returns.txt`` is made from typeshed's stubs by ``generate.py``.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

MAX_CHAIN = 12  #: bases and re-exports followed
_MEMBER = re.compile(r"(\w+)([=:])(\S+)")


@cache
def _holders() -> dict[str, tuple[str, str, str]]:
    """Module or class -> which of the two, its bases and its members, not parsed yet."""
    text = files(__package__).joinpath("returns.txt").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {name: (sort, bases, members) for sort, name, bases, members in rows}


@cache
def _members(holder: str) -> dict[str, tuple[str, str]]:
    """Member -> ("=" for a function, ":" for an attribute; its types as written)."""
    return {name: (sign, types) for name, sign, types in _MEMBER.findall(_holders()[holder][2])}


@cache
def is_class(name: str) -> bool:
    """Whether this is a class that the stubs know."""
    known = _known_as(name)
    return bool(known) and _holders()[known][0] == "class"


def _known_as(name: str, depth: int = 0) -> str:
    """The holder that a name of a class or module stands for, re-exports followed; empty if there is none."""
    if name in _holders():
        return name
    owner, _, last = name.rpartition(".")
    if owner not in _holders() or depth > MAX_CHAIN:
        return ""
    types = _members(owner).get(last, ("", ""))[1]
    return _known_as(types[1:], depth + 1) if types.startswith("@") else ""


def results(name: str) -> tuple[str, ...]:
    """The classes of which a call of this function or method gives an instance."""
    return _types(name, "=")


def attribute_types(name: str) -> tuple[str, ...]:
    """The classes of which this attribute or property is an instance."""
    return _types(name, ":")


@cache
def _types(name: str, wanted: str, depth: int = 0) -> tuple[str, ...]:
    """The types of a member if it is of the wanted sort, along bases and re-exports."""
    given, _, last = name.rpartition(".")
    owner = _known_as(given)
    if not owner or depth > MAX_CHAIN:
        return ()
    sign, types = _members(owner).get(last, ("", ""))
    if types.startswith("@"):
        return _types(types[1:], wanted, depth + 1)
    if types:
        return tuple(_spelled(t, given) for t in types.split("|")) if sign == wanted else ()
    for base in _holders()[owner][1].split():
        found = _types(f"{base}.{last}", wanted, depth + 1)
        if found:
            return tuple(given if t == base else t for t in found)
    return ()


def _spelled(short: str, owner: str) -> str:
    """A type in full: ``int`` is ``builtins.int``, ``.`` the class whose member it is."""
    if short == ".":
        return owner
    return "types.NoneType" if short == "None" else short if "." in short else f"builtins.{short}"
