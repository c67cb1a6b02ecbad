"""Transforms that draw random numbers take them from a generator they are given."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from torch_geometric.transforms import BaseTransform

from graphmer_geo.data.leafy_chain import IntArray, LeafyChainData
from graphmer_geo.data.token_table import TokenTable


class SeededTransform(BaseTransform):
    """A transform of one chain.

    Called with a generator (as :class:`~graphmer_geo.data.LeafyChainDataset` does, one per seed, epoch and
    example) it is a pure function. Called without, it draws from its own generator, seeded at construction,
    so that it also works inside :class:`torch_geometric.transforms.Compose`.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def __call__(self, data: Any, rng: np.random.Generator | None = None) -> Any:
        """Transform a shallow copy of ``data`` with numbers from ``rng``."""
        return self.apply(copy.copy(data), self._rng if rng is None else rng)

    def forward(self, data: Any) -> Any:
        """Transform ``data`` with numbers from the transform's own generator."""
        return self.apply(data, self._rng)

    def apply(self, data: LeafyChainData, rng: np.random.Generator) -> LeafyChainData:
        """The transform itself. ``data`` is a shallow copy: replace its tensors, never write to them."""
        raise NotImplementedError


def corrupt(
    tok: IntArray, where: IntArray, vocab: TokenTable, rng: np.random.Generator, *, all_mask: bool = False
) -> IntArray:
    """A copy of ``tok`` with 80 % of the positions ``where`` masked, 10 % random and 10 % as they were.

    Random ids are never special ones. With ``all_mask`` every position is masked.
    """
    result = tok.copy()
    if all_mask:
        result[where] = vocab.mask_id
        return result
    fate = rng.random(len(where))
    result[where[fate < 0.8]] = vocab.mask_id
    random = where[(fate >= 0.8) & (fate < 0.9)]
    result[random] = vocab.ordinary[rng.integers(0, len(vocab.ordinary), len(random))]
    return result
