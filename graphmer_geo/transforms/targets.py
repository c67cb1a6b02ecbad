"""Which triples of a chain are hidden, and what else must go so that nothing tells their tails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from graphmer_geo.data.leafy_chain import (
    BoolArray,
    IntArray,
    LeafyChainData,
    TripleTable,
    assemble,
    root_tokens,
)

RANK_KEYS = ("rank_index", "rank_rel", "rank_head", "rank_tail", "rank_visible", "rank_triple")


def tail_keys(triples: TripleTable) -> np.ndarray:
    """A 64-bit fingerprint of each tail's tokens; shape ``[m]``."""
    if not len(triples):
        return np.zeros(0, np.uint64)
    slots = np.arange(len(triples.leaf_tok)) - triples.leaf_start[triples.leaf_triple]
    mixed = (triples.leaf_tok.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= (2 * slots + 1).astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)  # odd: order matters
    return np.add.reduceat(mixed, triples.leaf_start)


def giveaways(triples: TripleTable, row: int, keys: np.ndarray) -> BoolArray:
    """Which triples would tell the tail of ``row``, itself among them; shape ``[m]``.

    Those with the same tail entity or the same tail text, every triple between the two entities in either
    direction (its inverse, a twin), and those whose tail is declared by the hidden tail or declares it:
    ``calls C.__init__`` tells ``instantiates C``. The relation is symmetric.
    """
    head, tail, parent = triples.head[row], triples.tail[row], triples.tail_parent[row]
    told = keys == keys[row]
    if tail >= 0:
        told |= (triples.tail == tail) | (triples.tail_parent == tail)
    if parent >= 0:
        told |= triples.tail == parent
    if tail >= 0 and head >= 0:
        told |= (triples.head == tail) & (triples.tail == head)
    return told


def choose(
    triples: TripleTable, order: Sequence[int] | IntArray, limit: int | None = None
) -> tuple[IntArray, BoolArray]:
    """Take targets in the given order, skipping those an earlier one has ruled out.

    Returns:
        The chosen rows, and for each triple whether it may stay; shape ``[k]`` and ``[m]``.
    """
    keys = tail_keys(triples)
    stays = np.ones(len(triples), np.bool_)
    chosen: list[int] = []
    for row in np.asarray(order).tolist():
        if limit is not None and len(chosen) == limit:
            break
        if stays[row]:
            stays &= ~giveaways(triples, row, keys)
            stays[row] = True
            chosen.append(row)
    return np.array(chosen, np.int64), stays


def rebuild(data: LeafyChainData, triples: TripleTable) -> LeafyChainData:
    """The same roots (and what was computed about them) with other triples."""
    chain = assemble(root_tokens(data).numpy(), triples)
    rebuilt = set(chain.keys())
    for key, value in data.to_dict().items():
        if key not in rebuilt:
            chain[key] = value
    return chain


def set_rank_targets(chain: LeafyChainData, triples: TripleTable, rows: IntArray) -> None:
    """Write the ``rank_*`` attributes of the collapsed triples ``rows`` of a chain built from ``triples``."""
    num_roots = chain["tok"].numel() - len(triples.leaf_tok)
    values = (
        num_roots + triples.leaf_start[rows],
        triples.rel[rows],
        triples.head[rows],
        triples.tail[rows],
        triples.visible[rows],
        rows,
    )
    for key, value in zip(RANK_KEYS, values, strict=True):
        chain[key] = torch.from_numpy(value)
