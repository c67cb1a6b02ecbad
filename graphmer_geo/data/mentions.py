"""Where entities are mentioned in source files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from graphmer_geo.data.text_columns import coded

#: Columns of :mod:`graphmer_geo.kg.occurrences` that are needed.
COLUMNS = ("file", "start", "end", "entity", "role")


@dataclass(frozen=True, slots=True)
class Mentions:
    """The resolved occurrences of one file, by position; bytes."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    entity: NDArray[np.int64]
    role: list[str]

    def inside(self, start: int, end: int) -> Mentions:
        """Those wholly within the bytes ``start`` … ``end``, each (place, entity) once."""
        rows = range(*np.searchsorted(self.start, [start, end]).tolist())
        unique: dict[tuple[int, int, int], int] = {}
        for row in rows:
            if self.start[row] < self.end[row] <= end:
                unique.setdefault((int(self.start[row]), int(self.end[row]), int(self.entity[row])), row)
        kept = np.array(list(unique.values()), np.int64)
        return Mentions(self.start[kept], self.end[kept], self.entity[kept], [self.role[k] for k in kept])


#: Of code that mentions nothing.
NONE = Mentions(*(np.zeros(0, np.int64),) * 3, [])


@dataclass(frozen=True)
class MentionIndex:
    """Those of all files, as small as they get: 13 bytes each."""

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    entity: NDArray[np.int32]
    role: NDArray[np.int8]  # number in ``roles``
    roles: list[str]
    files: dict[str, tuple[int, int]]  # first row and row after the last

    @classmethod
    def read(cls, parts: Iterable[pa.Table], ids: Mapping[str, int]) -> Self:
        """From tables of whole files. Unresolved names are left out.

        Args:
            parts: See :meth:`KnowledgeGraph.occurrence_parts`, with :data:`COLUMNS`.
            ids: Id of every entity, by IRI.
        """
        columns: list[list[NDArray[Any]]] = [[], [], [], []]
        roles: dict[str, int] = {}
        files: dict[str, tuple[int, int]] = {}
        total = 0
        for part in parts:
            entity = coded(part["entity"], ids)
            kept = np.flatnonzero(entity >= 0)
            names = list(dict.fromkeys(part["file"].to_pylist()))
            file = coded(part["file"], {name: number for number, name in enumerate(names)})[kept]
            start, end = (part[name].to_numpy()[kept] for name in ("start", "end"))
            for role in part["role"].unique().to_pylist():
                roles.setdefault(role, len(roles))
            order = np.lexsort((end, start, file))
            values = (start, end, entity[kept], coded(part["role"], roles)[kept])
            types = (np.int32, np.int32, np.int32, np.int8)
            for column, value, kind in zip(columns, values, types, strict=True):
                column.append(value[order].astype(kind))
            ends = total + np.searchsorted(file[order], np.arange(len(names) + 1))
            spans = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
            files |= {name: span for name, span in zip(names, spans, strict=True) if span[0] < span[1]}
            total += len(kept)
        empty = np.zeros(0, np.int8)
        rows: list[NDArray[Any]] = [np.concatenate([empty, *column]) for column in columns]
        return cls(rows[0], rows[1], rows[2], rows[3], list(roles), files)

    def of(self, file: str) -> Mentions:
        """Those of one file."""
        if file not in self.files:
            return NONE
        rows = slice(*self.files[file])
        start, end, entity = (c[rows].astype(np.int64) for c in (self.start, self.end, self.entity))
        return Mentions(start, end, entity, [self.roles[number] for number in self.role[rows]])
