"""Collects the entities of one file: unique descriptors, qualified names, lines."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphmer_geo.kg.facts import Entity

DEFAULT_PACKAGE = "<default>"


def newline_offsets(source: bytes) -> array[int]:
    """The offsets of all line ends."""
    offsets = array("q")
    ends = np.flatnonzero(np.frombuffer(source, dtype=np.uint8) == 10)
    offsets.frombytes(ends.astype(np.int64).tobytes())
    return offsets


def lines_of(newlines: array[int], offsets: Sequence[int]) -> list[int]:
    """The 1-based lines of many offsets."""
    if not newlines:
        return [1] * len(offsets)
    ends = np.frombuffer(newlines, dtype=np.int64)
    found: list[int] = (np.searchsorted(ends, np.asarray(offsets, dtype=np.int64)) + 1).tolist()
    return found


class Entities:
    """A growing list of entities. Index 0 is the package."""

    def __init__(self, package: str, newlines: array[int], size: int) -> None:
        self.package = package
        self.newlines = newlines
        name = package or DEFAULT_PACKAGE
        last = self.line(max(size - 1, 0))
        self.list: list[Entity] = [Entity("Package", name, "", name, -1, 0, size, 0, 0, 1, last)]
        self._descriptors = {""}
        self._lambdas: dict[int, int] = {}
        self._qualified = [package]

    def line(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect_left(self.newlines, offset) + 1

    def add(
        self,
        kind: str,
        name: str,
        suffix: tuple[str, str],
        parent: int,
        span: tuple[int, int],
        name_span: tuple[int, int],
        literals: dict[str, Any] | None = None,
        owner: int | None = None,
    ) -> int:
        """Adds an entity and returns its index.

        Args:
            kind: Ontology class.
            name: Simple name.
            suffix: The two halves of the last descriptor between which a disambiguator may stand:
                ``("f(int)", ".")`` becomes ``f(int).`` or, where that is taken, ``f(int)(+1).``;
                ``("f()", ".")`` becomes ``f(+1).``.
            parent: Index of the parent.
            span: Byte span.
            name_span: Byte span of the name.
            literals: Further datatype properties.
            owner: The entity whose descriptor and qualified name are extended; the parent by default.
        """
        owner = parent if owner is None else owner
        prefix = self.list[owner].descriptor
        descriptor = prefix + suffix[0] + suffix[1]
        repeat = 0
        while descriptor in self._descriptors:
            repeat += 1
            descriptor = f"{prefix}{suffix[0].removesuffix('()')}(+{repeat}){suffix[1]}"
        self._descriptors.add(descriptor)
        scope = self._qualified[owner]
        qualified = f"{scope}.{name}" if scope else name
        self._qualified.append(qualified)
        start, end = span
        self.list.append(
            Entity(
                kind,
                name,
                descriptor,
                qualified,
                parent,
                start,
                end,
                name_span[0],
                name_span[1],
                self.line(start),
                self.line(max(end - 1, start)),
                literals or {},
            )
        )
        return len(self.list) - 1

    def discard_last(self) -> None:
        """Takes the last entity back; nothing may refer to it yet."""
        self._descriptors.discard(self.list.pop().descriptor)
        self._qualified.pop()

    def add_lambda(self, scope: int, start: int, end: int) -> int:
        """Adds the next lambda of its enclosing scope."""
        number = self._lambdas[scope] = self._lambdas.get(scope, 0) + 1
        name = f"<lambda{number}>"
        return self.add("Lambda", name, (f"{name}()", "."), scope, (start, end), (start, start))
