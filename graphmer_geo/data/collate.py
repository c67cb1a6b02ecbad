"""Chains to batches: plain dicts of tensors, and which chains go together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.data.check import Limits, check_batch
from graphmer_geo.data.leafy_chain import LeafyChainData, cat_dim, increment
from graphmer_geo.errors import UserError


def collate(chains: Sequence[LeafyChainData], limits: Limits | None = None) -> dict[str, Tensor]:
    """Concatenate chains into one batch, and check it once for all that will use it.

    Args:
        chains: The chains.
        limits: What ids must stay below; without it, only what a batch says of itself is checked.

    Returns:
        Every tensor attribute of :class:`LeafyChainData` batched as ``Batch.from_data_list`` does (a test
        holds the two equal), with ``batch`` ``[n]`` (graph of each node) and ``ptr`` ``[B+1]``, and beside
        these ``place_mask`` ``[B, N]``: which places hold nodes if chains are padded to the longest of N. A
        plain dict moves between devices and processes several times faster.

    Raises:
        UserError: No chains, chains with different attributes, or what
            :func:`~graphmer_geo.data.check.check_batch` finds.
    """
    if not chains:
        raise UserError("a batch needs at least one chain; got none")
    columns = [chain.to_dict() for chain in chains]
    keys = [key for key, value in columns[0].items() if isinstance(value, Tensor)]
    for number, column in enumerate(columns):
        if column.keys() != columns[0].keys():
            odd = sorted(column.keys() ^ columns[0].keys())
            raise UserError(
                f"chain {number} differs in {odd}; apply the same transforms to all chains of a batch"
            )
    sizes = torch.tensor([column["tok"].numel() for column in columns])
    before = [(0, 0)]  # nodes and triples in the chains before each
    for column in columns[:-1]:
        nodes, triples = before[-1]
        before.append((nodes + column["tok"].numel(), triples + column["triple_rel"].numel()))
    result = {}
    for key in keys:
        values = [column[key] for column in columns]
        if increment(key, 1, 1):
            values = [v + increment(key, *b) for v, b in zip(values, before, strict=True)]
        result[key] = torch.cat(values, dim=cat_dim(key))
    result["batch"] = torch.repeat_interleave(torch.arange(len(chains)), sizes)
    result["ptr"] = torch.cat([torch.zeros(1, dtype=torch.long), sizes.cumsum(0)])
    result["place_mask"] = torch.arange(int(sizes.max())) < sizes.unsqueeze(1)
    check_batch(result, limits)
    return result


def plan_batches(
    lengths: Sequence[int] | NDArray[np.int64],
    max_tokens: int,
    seed: int = 0,
    epoch: int = 0,
    *,
    shuffle: bool = True,
) -> list[list[int]]:
    """Partition examples into batches of similar lengths under a budget.

    The cost of a batch is its longest length times its size, which is what dense attention over it needs.
    Examples are shuffled, sorted by length within a small random jitter (so epochs differ), cut at the
    budget, and the batches are shuffled again. A pure function of its arguments.

    Args:
        lengths: Number of nodes of each example (an estimate will do).
        max_tokens: Budget of one batch; a longer example is a batch of its own.
        seed: Seed of the whole run.
        epoch: Makes the partition differ from epoch to epoch.
        shuffle: ``False`` sorts by length only, for evaluation.

    Raises:
        UserError: The budget is not positive.
    """
    if max_tokens < 1:
        raise UserError(f"max_tokens is {max_tokens}; it must be at least 1")
    sizes = np.asarray(lengths, np.int64)
    rng = np.random.default_rng((seed, epoch))
    jitter = rng.uniform(0.9, 1.1, len(sizes)) if shuffle else 1.0
    batches: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for index in np.argsort(sizes * jitter, kind="stable").tolist():
        grown = max(longest, int(sizes[index]))
        if current and grown * (len(current) + 1) > max_tokens:
            batches.append(current)
            current, grown = [], int(sizes[index])
        current.append(index)
        longest = grown
    if current:
        batches.append(current)
    if shuffle:
        batches = [batches[i] for i in rng.permutation(len(batches))]
    return batches
