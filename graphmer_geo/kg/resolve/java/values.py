"""What an operation's value may be besides a static type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.model import Scope, Type

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.frames import Frame


class TypeName:
    """A name that stands for a type, before a dot."""

    __slots__ = ("decl", "type")

    def __init__(self, decl: Any, type_: Type | None = None) -> None:
        self.decl = decl
        self.type: Type = type_ if type_ is not None else (decl, (), 0)


class PackageName:
    """A name that may be the beginning of a package's; nothing visible has it."""

    __slots__ = ("name", "start")

    def __init__(self, name: str, start: int) -> None:
        self.name = name
        self.start = start

    @property
    def is_plausible(self) -> bool:
        """Whether it looks like a package: several parts, all lower-case."""
        return "." in self.name and self.name.islower()


class FunctionValue:
    """A lambda or method reference. Its code is linked once the type that is wanted is known."""

    __slots__ = ("frame", "is_done", "op", "result", "scope")

    def __init__(self, op: o.Op, frame: Frame, scope: Scope) -> None:
        self.op = op
        self.frame = frame
        self.scope = scope
        self.is_done = False
        self.result: Type | None = None  # what its body or method returns

    @property
    def is_lambda(self) -> bool:
        """Whether it is a lambda, not a method reference."""
        return bool(self.op[0] == o.LAMBDA)
