"""Where code stands, and the values of its operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.model import ClassInfo, Scope, Type


def local_iri(frame: Frame, name: str, start: int) -> str:
    """What stands for a local variable in the occurrence table; the place tells namesakes apart."""
    return f"{frame.context.subject}{name if name.isascii() else quote(name)}@{start}"


@dataclass(slots=True)
class Context:
    """Where code stands: who runs it, and what it may name."""

    subject: str
    cls: ClassInfo
    scope: Scope
    returns: Type | None = None
    quiet: bool = False  # annotation arguments: nobody runs them, so they assert no triple


class Frame:
    """The values of one list of operations."""

    __slots__ = (
        "_assigned", "context", "exact", "inferred", "made", "ops", "result", "scope", "selectors", "values",
    )  # fmt: skip

    def __init__(self, context: Context, ops: o.Ops) -> None:
        size = len(ops)
        self.ops = ops
        self.context = context
        self.scope = context.scope
        self.values: list[Any] = [None] * size
        self.inferred = bytearray(size)
        self.selectors: list[Type | None] = []
        self.made: dict[int, tuple[str, int]] = {}  # `new X()`: the name X and where it stands
        self.exact: dict[int, ClassInfo] = {}  # operations whose value is an object of exactly this class
        self.result: Type | None = None  # of the last return statement, for lambdas
        self._assigned: frozenset[str] | None = None

    @property
    def assigned(self) -> frozenset[str]:
        """Names that are assigned after their declaration."""
        if self._assigned is None:
            self._assigned = frozenset(op[1] for op in self.ops if op[0] == o.NAME and op[3] != o.READ)
        return self._assigned

    def type_of(self, index: int) -> Type | None:
        """The static type of an operation's value; None if unknown or no value."""
        if index < 0:
            return None
        value = self.values[index]
        return value if type(value) is tuple else None
