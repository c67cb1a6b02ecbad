"""What counts say of a masked token: the baseline with probabilities that a language model has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from graphmer_geo.errors import UserError

#: Tokens on either side that a context has.
REACH = 2


def token_contexts(tok: np.ndarray, where: np.ndarray, pad: int) -> np.ndarray:
    """The two tokens before and the two after each of some positions.

    Args:
        tok: ``[R]`` tokens of one chunk as they stand, masks included.
        where: ``[K]`` positions.
        pad: the token beyond either end.

    Returns:
        ``[K, 4]``, from left to right.
    """
    padded = np.pad(np.asarray(tok, np.int64), REACH, constant_values=pad)
    return padded[np.asarray(where)[:, None] + np.array([0, 1, 3, 4])]


class TokenNGrams:
    r"""Probabilities of a token between its neighbours, by counts of ever wider contexts.

    A context :math:`c` seen :math:`n(c)` times with :math:`t(c)` different tokens passes on to the next
    narrower one :math:`c'` what Witten and Bell would (1991, method C):

    .. math::
        p(w \mid c) = \frac{n(c, w) + t(c)\, p(w \mid c')}{n(c) + t(c)}.

    From narrow to wide: nothing, the token after, the one before, both, another one before, another one
    after. A masked neighbour was never seen, so its contexts say nothing.

    Args:
        sequences: token ids of train chunks, special tokens included.
        vocab_size: number of token ids.
        special: ids that are never predicted; the first stands beyond the ends of a chunk.
    """

    _COLUMNS: ClassVar[tuple[tuple[int, ...], ...]] = ((2,), (1,), (1, 2), (0, 1, 2), (0, 1, 2, 3))

    def __init__(self, sequences: Sequence[np.ndarray], vocab_size: int, special: Sequence[int]) -> None:
        if vocab_size ** (2 * REACH) > np.iinfo(np.int64).max:
            raise UserError(f"the vocabulary has {vocab_size} tokens; n-grams are counted of at most 55,108")
        self.vocab_size, self.special = vocab_size, list(special)
        gap = np.full(2 * REACH, special[0], np.int64)
        flat = np.concatenate([gap, *(part for s in sequences for part in (np.asarray(s, np.int64), gap))])
        centre = np.arange(REACH, len(flat) - REACH)
        centre = centre[~np.isin(flat[centre], self.special)]
        around = flat[centre[:, None] + np.array([-2, -1, 1, 2])]
        predicted = np.ones(vocab_size)
        predicted[self.special] = 0.0
        uniform = predicted / predicted.sum()
        count = np.bincount(flat[centre], minlength=vocab_size)
        kinds = np.count_nonzero(count)
        self.unigram = (count + kinds * uniform) / max(len(centre) + kinds, 1)
        self._tables = [
            _Table.of(self._key(around, columns), flat[centre], vocab_size) for columns in self._COLUMNS
        ]

    def probabilities(self, around: np.ndarray) -> np.ndarray:
        """``[K, vocab_size]`` of contexts ``[K, 4]`` (:func:`token_contexts`); give a few thousand."""
        p = np.repeat(self.unigram[None], len(around), axis=0)
        for columns, table in zip(self._COLUMNS, self._tables, strict=True):
            table.refine(p, self._key(around, columns))
        return p

    def _key(self, around: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
        key = np.zeros(len(around), np.int64)
        for column in columns:
            key = key * self.vocab_size + around[:, column]
        return key


@dataclass(frozen=True)
class _Table:
    """Which tokens were seen in each context, back to back in the order of the contexts' keys."""

    keys: np.ndarray  # [C] ascending
    start: np.ndarray  # [C + 1]
    token: np.ndarray  # [P]
    count: np.ndarray  # [P]
    total: np.ndarray  # [C]

    @classmethod
    def of(cls, keys: np.ndarray, tokens: np.ndarray, vocab_size: int) -> _Table:
        """Counts of pairs of context and token."""
        contexts, number = np.unique(keys, return_inverse=True)
        pairs, count = np.unique(number * vocab_size + tokens, return_counts=True)
        owner = pairs // vocab_size
        start = np.searchsorted(owner, np.arange(len(contexts) + 1))
        total = np.bincount(number, minlength=len(contexts))
        return cls(contexts, start, pairs % vocab_size, count.astype(np.float64), total)

    def refine(self, p: np.ndarray, keys: np.ndarray) -> None:
        """From the probabilities ``[K, V]`` of the narrower contexts to those of these, in place."""
        if not len(self.keys):
            return
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        row = np.flatnonzero(self.keys[at] == keys)
        at = at[row]
        first, kinds = self.start[at], self.start[at + 1] - self.start[at]
        p[row] *= kinds[:, None]
        pair = np.repeat(first - (np.cumsum(kinds) - kinds), kinds) + np.arange(kinds.sum())
        p[np.repeat(row, kinds), self.token[pair]] += self.count[pair]  # no context has a token twice
        p[row] /= (self.total[at] + kinds)[:, None]
