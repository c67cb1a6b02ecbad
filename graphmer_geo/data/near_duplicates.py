"""Functions that are nearly those of an earlier split: copies that somebody edited.

Two texts are compared by their sets of token 5-grams. MinHash with locality-sensitive hashing proposes pairs,
so the work grows with the number of functions and not with that of pairs; the exact share of 5-grams in
common decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

SHINGLE = 5  #: tokens in a row
#: Bands and rows: 99.99 % of the pairs that share 0.8 are proposed, half of those that share 0.5.
_BANDS, _ROWS = 24, 5
_TOKEN = re.compile(rb"\w+|[^\w\s]")

Shingles = NDArray[np.uint32]  # distinct, ascending


def shingles(text: bytes) -> Shingles:
    """Hashes of the token 5-grams of a text; of all its tokens, if it has fewer than five."""
    tokens = np.array([crc32(token) for token in _TOKEN.findall(text)], np.uint64)
    length = min(SHINGLE, len(tokens))
    if not length:
        return np.zeros(0, np.uint32)
    rows = np.lib.stride_tricks.sliding_window_view(tokens, length)
    mixed = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def jaccard(one: Shingles, other: Shingles) -> float:
    """Share of the 5-grams of both that both have."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    total = len(one) + len(other) - common
    return common / total if total else 0.0


def near_duplicates(splits: Sequence[Iterable[bytes]], threshold: float) -> list[set[int]]:
    """Which texts of each split share at least ``threshold`` of their 5-grams with a text of an earlier one.

    Args:
        splits: The texts of each split, the first is kept whole. Only those of the others are held in memory,
            as hashes.
        threshold: Between 0.7 and 1; below that pairs would be missed.

    Returns:
        Positions of the copies in each split.
    """
    later = [[shingles(text) for text in texts] for texts in splits[1:]]
    index = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    with index.insertion_session() as session:
        for number, texts in enumerate(later, 1):
            for row, (found, signature) in enumerate(_with_signatures(texts)):
                if len(found):
                    session.insert((number, row), signature)
    copies: list[set[int]] = [set() for _ in splits]
    for number in range(len(splits) - 1):
        earlier: Iterable[Shingles] = later[number - 1] if number else map(shingles, splits[0])
        for row, (found, signature) in enumerate(_with_signatures(earlier)):
            if row in copies[number]:
                continue
            for other, place in index.query(signature) if len(found) else ():
                if other > number and place not in copies[other]:
                    if jaccard(found, later[other - 1][place]) >= threshold:
                        copies[other].add(place)
    return copies


def _with_signatures(texts: Iterable[Shingles]) -> Iterator[tuple[Shingles, MinHash]]:
    empty = MinHash(num_perm=_BANDS * _ROWS, hashfunc=int)
    for found in texts:
        signature = empty.copy()
        signature.update_batch(found.tolist())
        yield found, signature
