"""Which functions have a word, for all words: what they share with a query is added up from a few lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

#: Rows, words and weights of some functions; 12 bytes for each of their different words.
Part = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]

_FILES = ("ptr", "row", "weight")


@dataclass(frozen=True)
class Postings:
    """Rows and weights by word: word ``w`` has ``row[ptr[w]:ptr[w + 1]]``."""

    ptr: NDArray[np.int64]
    row: NDArray[np.int32]
    weight: NDArray[np.float32]

    @classmethod
    def collect(cls, parts: Iterable[Part], buckets: int) -> Self:
        """From rows, words and weights in any order."""
        columns: tuple[list[Any], list[Any], list[Any]] = ([np.zeros(0, np.int32)], [], [])
        for part in parts:
            for column, values in zip(columns, part, strict=True):
                column.append(values)
        word = np.concatenate([np.zeros(0, np.int32), *columns[1]])
        order = np.argsort(word, kind="stable")
        ptr = np.append(0, np.cumsum(np.bincount(word, minlength=buckets)))
        weight = np.concatenate([np.zeros(0, np.float32), *columns[2]])
        return cls(ptr, np.concatenate(columns[0])[order], weight[order])

    def scores(self, word: NDArray[np.int64], weight: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
        """What each of ``rows`` functions shares with a query of these (different) words; ``[rows]``."""
        found = np.zeros(rows, np.float32)
        for w, value in zip(word.tolist(), weight.tolist(), strict=True):
            lists = slice(self.ptr[w], self.ptr[w + 1])
            found[self.row[lists]] += value * self.weight[lists]  # a function is in a list once
        return found

    def save(self, folder: Path) -> None:
        """Write ``words-*.npy``."""
        for name in _FILES:
            np.save(folder / f"words-{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what :meth:`save` wrote into memory; only the lists that a query needs are read."""
        return cls(*(np.load(folder / f"words-{name}.npy", mmap_mode="r") for name in _FILES))
