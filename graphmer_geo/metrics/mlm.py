"""Masked-token accuracy and the count-based predictors it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class MaskedTokens(NamedTuple):
    """K masked positions, with what still stands on either side (the mask id where that is masked too)."""

    label: np.ndarray  # [K] the hidden tokens
    left: np.ndarray  # [K]
    right: np.ndarray  # [K]


def masked_tokens(tok: np.ndarray, is_root: np.ndarray, index: np.ndarray, label: np.ndarray) -> MaskedTokens:
    """Neighbours of masked root tokens in a batch of flat graphs.

    Args:
        tok: ``[n]`` token ids, roots of a graph consecutive and in order.
        is_root: ``[n]`` bool.
        index: ``[K]`` masked nodes; never first or last of their graph's roots (those are special tokens).
        label: ``[K]`` the tokens that were there.
    """
    keep = is_root[index]
    index, label = index[keep], label[keep]
    return MaskedTokens(label=label, left=tok[index - 1], right=tok[index + 1])


class _Best:
    """The most frequent value of each key; ties go to the smallest value."""

    def __init__(self, keys: np.ndarray, values: np.ndarray, vocab_size: int) -> None:
        pairs, counts = np.unique(keys * vocab_size + values, return_counts=True)
        keys, values = pairs // vocab_size, pairs % vocab_size
        order = np.lexsort((values, -counts, keys))
        self.keys, first = np.unique(keys[order], return_index=True)
        self.values = values[order][first]

    def lookup(self, keys: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
        if not len(self.keys):
            return otherwise
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.values[at], otherwise)


class NGramBaseline:
    """Predicts a masked token from its two neighbours, backing off to one neighbour and then to the unigram.

    Args:
        sequences: token ids of train chunks, special tokens included.
        vocab_size: number of token ids.
        special: ids never predicted.
    """

    def __init__(self, sequences: Sequence[np.ndarray], vocab_size: int, special: Sequence[int]) -> None:
        flat = np.concatenate([np.asarray(s, dtype=np.int64) for s in sequences])
        left, centre, right = flat[:-2], flat[1:-1], flat[2:]
        inner = ~np.isin(centre, special)  # so no triple of tokens crosses a chunk
        left, centre, right = left[inner], centre[inner], right[inner]
        self.vocab_size = vocab_size
        self.unigram = int(np.bincount(centre, minlength=vocab_size).argmax())
        self._left = _Best(left, centre, vocab_size)
        self._right = _Best(right, centre, vocab_size)
        self._both = _Best(left * vocab_size + right, centre, vocab_size)

    def predict(self, masked: MaskedTokens) -> np.ndarray:
        """``[K]`` predicted tokens."""
        guess = np.full(len(masked.label), self.unigram, dtype=np.int64)
        guess = self._right.lookup(masked.right, guess)
        guess = self._left.lookup(masked.left, guess)
        return self._both.lookup(masked.left * self.vocab_size + masked.right, guess)

    def accuracy(self, masked: MaskedTokens) -> dict[str, float]:
        """Top-1 accuracy of the unigram and of the whole n-gram predictor, and how many tokens."""
        count = len(masked.label)
        if not count:
            return {"count": 0}
        return {
            "unigram": float((masked.label == self.unigram).mean()),
            "n-gram": float((masked.label == self.predict(masked)).mean()),
            "count": count,
        }
