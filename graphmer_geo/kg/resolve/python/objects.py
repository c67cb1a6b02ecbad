"""Abstract objects: what a variable may hold, interned to small integers."""

from __future__ import annotations

import builtins
import io
from functools import lru_cache
from typing import Any, Final

from graphmer_geo.kg.resolve.python.typeshed import is_class


class Kind:
    """Kinds of abstract objects; the comment gives the two payload values.

    Plain numbers: they are compared millions of times, and enumerations are ten times as slow.
    """

    MODULE: Final = 0  # file index
    NAMESPACE: Final = 1  # dotted name of a package without a file
    FUNCTION: Final = 2  # function
    CLASS: Final = 3  # class
    INSTANCE: Final = 4  # class: any instance of it
    EXTERNAL: Final = 5  # qualified name of a symbol outside the corpus
    FOREIGN: Final = 6  # qualified name of a class outside the corpus: any instance of it
    BOUND: Final = 7  # function, receiver object
    BOX: Final = 8  # (container type, where it is made), number of elements or -1
    VALUE: Final = 9  # type name, value
    SUPER: Final = 10  # class, receiver object
    GENERATOR: Final = 11  # function
    PROPERTY: Final = 12  # function
    METHOD: Final = 13  # qualified name of a container's method, the container
    TYPED: Final = 15  # container that any instance of this type is
    PARTIAL: Final = 14  # object that is called, number of positional arguments that it already has


#: ``(kind, first, second)``
Object = tuple[int, Any, Any]


class Objects:
    """The interning table."""

    def __init__(self) -> None:
        self.table: list[Object] = [(Kind.EXTERNAL, "", None)]  # 0 stands for no object
        self._ids: dict[Object, int] = {}

    def intern(self, kind: int, first: Any, second: Any = None) -> int:
        """The number of an object."""
        key = (kind, first, second)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self.table)
            self.table.append(key)
        return found


BUILTIN_NAMES = frozenset(dir(builtins)) | {"WindowsError", "reveal_type"}

#: members of the built-in classes
BUILTIN_MEMBERS: dict[str, frozenset[str]] = {
    name: frozenset(dir(value)) for name, value in vars(builtins).items() if isinstance(value, type)
}
_IO_MEMBERS: dict[str, frozenset[str]] = {
    name: frozenset(dir(value)) for name, value in vars(io).items() if isinstance(value, type)
}
NONE = "types.NoneType"
_NONE_MEMBERS = frozenset(dir(None))
NUMBERS = ("bool", "int", "float", "complex")  #: the numeric tower, narrowest first
BOX_TYPES = {
    "list": "builtins.list",
    "tuple": "builtins.tuple",
    "dict": "builtins.dict",
    "set": "builtins.set",
}
BOX_TYPES["generator"] = "types.GeneratorType"


def box_type(made: tuple[str, int, str, int]) -> str:
    """The class of a container, by what makes it: an annotation names the class."""
    return made[2][6:] if made[2].startswith("typed:") else BOX_TYPES[made[0]]


def external_member(qualified_name: str, attribute: str) -> str | None:
    """Qualified name of a member of something external; None where its class is known not to have it."""
    package, _, rest = qualified_name.partition(".")
    if package == "builtins" and attribute not in BUILTIN_MEMBERS.get(rest, ()):
        return None
    if qualified_name == NONE and attribute not in _NONE_MEMBERS:
        return None
    if package in ("io", "_io") and attribute not in _IO_MEMBERS.get(rest, (attribute,)):
        return None
    return f"{qualified_name}.{attribute}"


@lru_cache(maxsize=1 << 16)
def is_supposed_class(qualified_name: str) -> bool:
    """Whether only its spelling says that this external symbol is a class."""
    is_known = qualified_name.startswith("builtins.") or is_class(qualified_name)
    return not is_known and looks_like_class(qualified_name)


def looks_like_class(qualified_name: str) -> bool:
    """Whether a call of this external symbol makes an instance of it.

    Classes of the standard library are known, others are told by the CapWords convention of PEP 8.
    """
    package, _, rest = qualified_name.partition(".")
    if package == "builtins":
        return rest in BUILTIN_MEMBERS
    last = qualified_name.rpartition(".")[2].lstrip("_")
    return (last[:1].isupper() and not last.isupper()) or is_class(qualified_name)
