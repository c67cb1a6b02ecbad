"""The triples that may hang on a split's chains, by head entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from graphmer_geo.data.config import INVERSE, ChainConfig
from graphmer_geo.data.folder import DataFolder

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of different lengths back to back: row ``i`` is ``value[ptr[i]:ptr[i+1]]``."""

    value: IntArray
    ptr: IntArray

    @property
    def length(self) -> IntArray:
        """Length of every row."""
        return np.diff(self.ptr)

    def __getitem__(self, row: int) -> IntArray:
        return self.value[self.ptr[row] : self.ptr[row + 1]]

    @classmethod
    def from_arrow(cls, table: object, column: str) -> Self:
        """From a list column of integers of a ``pyarrow.Table``."""
        lengths: list[IntArray] = []
        values: list[IntArray] = []
        for chunk in table[column].chunks:  # type: ignore[index]
            lengths.append(np.diff(chunk.offsets.to_numpy()).astype(np.int64))
            values.append(chunk.flatten().to_numpy(zero_copy_only=False).astype(np.int64))
        empty = np.zeros(0, np.int64)
        ptr = np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
        return cls(np.concatenate([empty, *values]), ptr)


@dataclass(frozen=True, slots=True)
class TripleIndex:
    """Triples sorted by head, those of a head as asserted before its inverse ones.

    Training chains see facts asserted in training files only. Validation and test chains also see their own
    split's, and only those are targets there.
    """

    head_ptr: IntArray  # [num_entities + 1]
    forward_end: IntArray  # [num_entities] where the inverse triples of each head begin
    rel: IntArray  # [T]
    tail: IntArray  # [T]
    target: NDArray[np.bool_]  # [T]
    tails_over_capacity: int  # triples left out because the tail has more tokens than a chain has leaves for

    @classmethod
    def build(cls, data: DataFolder, split: str, config: ChainConfig, label: Ragged) -> Self:
        """The index for chains of one split. ``label`` holds the tokens of every entity's label."""
        table, ids = data.triples, data.relations
        head, rel, tail = (table[name].to_numpy().astype(np.int64) for name in ("head", "relation", "tail"))
        splits = np.array(table["split"].to_pylist(), dtype=object)
        heuristic = table["heuristic"].to_numpy().astype(np.bool_)
        allowed = (splits == "train") | (splits == split)
        if not config.heuristic:
            allowed &= ~heuristic
        own = (splits == split) & ~heuristic & (head != tail)
        head, rel, tail, own = head[allowed], rel[allowed], tail[allowed], own[allowed]
        backward = np.zeros(len(head), np.bool_)
        if config.inverse:
            names = {index: name for name, index in ids.items()}
            inverse = np.array([ids.get(names[i] + INVERSE, 0) for i in range(len(ids))], np.int64)
            twin = np.flatnonzero(head != tail)
            head, tail = np.append(head, tail[twin]), np.append(tail, head[twin])
            rel, own = np.append(rel, inverse[rel[twin]]), np.append(own, own[twin])
            backward = np.append(backward, np.ones(len(twin), np.bool_))
        lengths = label.length[tail]
        fits = (lengths > 0) & (lengths <= config.max_leaves_per_tail)
        may_be_target = np.zeros(len(ids), np.bool_)
        may_be_target[[index for name, index in ids.items() if config.is_target(name)]] = True
        rows = np.flatnonzero(fits & (may_be_target[rel] & own if config.targets_only else True))
        rows = rows[np.lexsort((tail[rows], rel[rows], backward[rows], head[rows]))]
        num_entities = len(label.ptr) - 1
        head_ptr = np.append(0, np.cumsum(np.bincount(head[rows], minlength=num_entities)))
        return cls(
            head_ptr=head_ptr,
            forward_end=head_ptr[:-1] + np.bincount(head[rows][~backward[rows]], minlength=num_entities),
            rel=rel[rows],
            tail=tail[rows],
            target=own[rows] & may_be_target[rel[rows]],
            tails_over_capacity=int(np.count_nonzero(~fits)),
        )

    def ranges(self, heads: IntArray, inverse: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
        """First triple and number of triples of each head, with inverse ones where ``inverse``; ``[h]``."""
        start = self.head_ptr[heads]
        end = np.where(inverse, self.head_ptr[heads + 1], self.forward_end[heads])
        return start, end - start
