"""Lexical scopes with one variable per reaching definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

ScopeKind = Literal["module", "class", "function", "comprehension"]


@dataclass(slots=True)
class Frame:
    """A stretch of control flow: what it changed (old values); for loops, what it read at its head."""

    saved: dict[str, int | None] = field(default_factory=dict)
    loop: bool = False
    heads: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Scope:
    """One namespace.

    ``current`` maps a name (or a path such as ``self.x`` or ``d['a']``) to the variable that holds it *here*;
    ``versions`` lists every variable a name was ever bound to, ``merged`` one variable for all of them.
    """

    kind: ScopeKind
    parent: Scope | None
    entity: int  # the entity that this scope is the body of
    caller: int  # the callable or module that runs it
    klass: int = -1  # class index for a class body
    function: Any = None  # FunctionInfo for a function body
    current: dict[str, int] = field(default_factory=dict)
    versions: dict[str, list[int]] = field(default_factory=dict)
    merged: dict[str, int] = field(default_factory=dict)
    free: dict[str, int] = field(default_factory=dict)  # read before (or without) being bound here
    outer: dict[str, str] = field(default_factory=dict)  # name -> "global" or "nonlocal"
    paths: dict[str, set[str]] = field(default_factory=dict)  # root name -> paths held in current
    frames: list[Frame] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # definitions per name, for disambiguators
    lambdas: int = 0
    loops: int = 0
    dead: bool = False  # control does not reach this point

    def outwards(self) -> Iterator[Scope]:
        """The scopes around this one, nearest first."""
        scope = self.parent
        while scope is not None:
            yield scope
            scope = scope.parent

    def set(self, key: str, variable: int) -> None:
        """Bind ``key`` to ``variable`` from here on."""
        if self.frames:
            saved = self.frames[-1].saved
            if key not in saved:
                saved[key] = self.current.get(key)
        self.current[key] = variable

    def forget(self, key: str) -> None:
        """From here on nothing is known about ``key``."""
        if key in self.current:
            if self.frames and key not in self.frames[-1].saved:
                self.frames[-1].saved[key] = self.current[key]
            del self.current[key]

    def forget_paths(self, root: str, prefix: str) -> None:
        """Drop the paths that start with ``prefix`` after an assignment to it."""
        held = self.paths.get(root)
        if held:
            for path in sorted(held):
                if path.startswith(prefix) and path != prefix:
                    held.discard(path)
                    self.forget(path)

    def push(self, loop: bool = False) -> Frame:
        """Start a branch or a loop body."""
        frame = Frame(loop=loop)
        self.frames.append(frame)
        return frame

    def pop(self) -> dict[str, int | None]:
        """End it: restore the state before, and give what the branch left behind (None: forgotten)."""
        frame = self.frames.pop()
        left: dict[str, int | None] = {}
        for key, old in frame.saved.items():
            left[key] = self.current.get(key)
            if old is None:
                self.current.pop(key, None)
            else:
                self.current[key] = old
        return left
