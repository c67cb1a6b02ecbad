"""Words of code and of sentences, as numbers: what a query and a function may have in common.

A word is a sub-token (``getHTTPResponse`` is get, http, response), lower-case, hashed into a bucket. No list
of words is kept, so one that was never seen still equals itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.metrics.lexical import last_component, sub_tokens

IntArray = NDArray[np.int64]

#: Numbers of :data:`graphmer_geo.nn.search.FIELDS`.
NAME, CODE, LEAF = range(3)


def words_of(text: str, buckets: int) -> list[int]:
    """Buckets of the words of a text, in order."""
    return [crc32(word.encode()) % buckets for word in sub_tokens(text)]


@dataclass(frozen=True, slots=True)
class WordTable:
    """Words of many texts, back to back: text ``i`` has ``word[ptr[i]:ptr[i + 1]]``."""

    ptr: IntArray
    word: IntArray
    field: IntArray
    count: IntArray

    @classmethod
    def of(cls, texts: Iterable[Sequence[tuple[int, str]]], buckets: int) -> Self:
        """From the parts of each text: what field they are of, and what is written there."""
        ptr, word, field, count = [0], [], [], []
        for parts in texts:
            found: Counter[tuple[int, int]] = Counter()
            for number, text in parts:
                found.update((number, bucket) for bucket in words_of(text, buckets))
            for (number, bucket), times in found.items():
                field.append(number)
                word.append(bucket)
                count.append(times)
            ptr.append(len(word))
        return cls(*(np.array(column, np.int64) for column in (ptr, word, field, count)))

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def take(self, rows: Sequence[int]) -> Self:
        """The texts at ``rows``, in that order."""
        parts = [np.arange(self.ptr[row], self.ptr[row + 1]) for row in rows]
        at = np.concatenate([np.zeros(0, np.int64), *parts])
        ptr = np.cumsum([0, *(len(part) for part in parts)])
        return type(self)(ptr, self.word[at], self.field[at], self.count[at])

    def joined(self, other: WordTable) -> Self:
        """Each text with the words of the text of the same number in ``other``."""
        row = np.concatenate([self.row, other.row])
        order = np.argsort(row, kind="stable")
        columns = (np.concatenate([getattr(t, name) for t in (self, other)]) for name in _COLUMNS)
        return type(self)(self.ptr + other.ptr, *(column[order] for column in columns))

    @property
    def row(self) -> IntArray:
        """The text of each word, ascending."""
        return np.repeat(np.arange(len(self)), np.diff(self.ptr))

    def tensors(self, side: str) -> dict[str, Tensor]:
        """As entries of a batch: ``<side>_row``, ``_word``, ``_field``, ``_count`` (a float)."""
        columns = {"row": self.row} | {name: getattr(self, name) for name in _COLUMNS}
        tensors = {f"{side}_{name}": torch.from_numpy(column) for name, column in columns.items()}
        tensors[f"{side}_count"] = tensors[f"{side}_count"].float()
        return tensors


_COLUMNS = ("word", "field", "count")


def function_texts(name: str, code: str) -> list[tuple[int, str]]:
    """The parts of a function: its simple name, and all of its code (the name once more included)."""
    return [(NAME, last_component(name)), (CODE, code)]
