"""Words of code and of sentences, as numbers: what a query and a function may have in common.

A word is a sub-token (``getHTTPResponse`` is get, http, response), lower-case, hashed into a bucket. No list
of words is kept, so one that was never seen still equals itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.leafy_chain import LeafyChainData
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
    times: IntArray

    @classmethod
    def of(cls, texts: Iterable[Sequence[tuple[int, str]]], buckets: int) -> Self:
        """From the parts of each text: what field they are of, and what is written there."""
        ptr, word, field, times = [0], [], [], []
        for parts in texts:
            found: Counter[tuple[int, int]] = Counter()
            for number, text in parts:
                found.update((number, bucket) for bucket in words_of(text, buckets))
            for (number, bucket), n in found.items():
                field.append(number)
                word.append(bucket)
                times.append(n)
            ptr.append(len(word))
        return cls(*(np.array(column, np.int64) for column in (ptr, word, field, times)))

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def take(self, rows: Sequence[int]) -> Self:
        """The texts at ``rows``, in that order."""
        parts = [np.arange(self.ptr[row], self.ptr[row + 1]) for row in rows]
        at = np.concatenate([np.zeros(0, np.int64), *parts])
        ptr = np.cumsum([0, *(len(part) for part in parts)])
        return type(self)(ptr, self.word[at], self.field[at], self.times[at])

    def joined(self, other: WordTable) -> Self:
        """Each text with the words of the text of the same number in ``other``."""
        row = np.concatenate([self.row, other.row])
        order = np.argsort(row, kind="stable")
        columns = (np.concatenate([getattr(t, name) for t in (self, other)]) for name in _COLUMNS)
        return type(self)(self.ptr + other.ptr, *(column[order] for column in columns))

    def followed_by(self, other: WordTable) -> Self:
        """These texts, then those of ``other``."""
        columns = (np.concatenate([getattr(t, name) for t in (self, other)]) for name in _COLUMNS)
        return type(self)(np.concatenate([self.ptr, self.ptr[-1] + other.ptr[1:]]), *columns)

    def merged(self, starts: Sequence[int]) -> Self:
        """Neighbours as one: from each of ``starts`` to the next. What follows the last is left out."""
        ptr, end = self.ptr[np.asarray(starts)], self.ptr[starts[-1]]
        return type(self)(ptr, self.word[:end], self.field[:end], self.times[:end])

    @property
    def row(self) -> IntArray:
        """The text of each word, ascending."""
        return np.repeat(np.arange(len(self)), np.diff(self.ptr))

    def tensors(self, side: str) -> dict[str, Tensor]:
        """As entries of a batch: ``<side>_row``, ``_word``, ``_field``, ``_times`` (a float)."""
        columns = {"row": self.row} | {name: getattr(self, name) for name in _COLUMNS}
        tensors = {f"{side}_{name}": torch.from_numpy(column) for name, column in columns.items()}
        tensors[f"{side}_times"] = tensors[f"{side}_times"].float()
        return tensors


_COLUMNS = ("word", "field", "times")


def function_texts(name: str, code: str) -> list[tuple[int, str]]:
    """The parts of a function: its simple name, and all of its code (the name once more included)."""
    return [(NAME, last_component(name)), (CODE, code)]


class LeafWords:
    """The words of what hangs on a chain.

    Args:
        folder: prepared data, whose labels are the leaves.
        buckets: of words.
    """

    def __init__(self, folder: DataFolder, buckets: int) -> None:
        labels = folder.entities["label"].to_pylist()
        self.table = WordTable.of(([(LEAF, label)] for label in labels), buckets)

    def of(self, chains: Sequence[LeafyChainData]) -> WordTable:
        """The words of the tails of each chain."""
        tails = [chain["triple_tail"].numpy() for chain in chains]
        found = self.table.take(np.concatenate([np.zeros(0, np.int64), *tails]).tolist())
        ends = np.cumsum([0, *(len(tail) for tail in tails)])
        return replace(found, ptr=found.ptr[ends])
