"""Batches of a dataset's leafy chains, with nothing but PyTorch's own loader."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import Tensor
from torch.utils.data import DataLoader

from graphmer_geo.data.check import Limits
from graphmer_geo.data.collate import collate, plan_batches
from graphmer_geo.data.config import ChainConfig
from graphmer_geo.data.dataset import LeafyChainDataset, Transform
from graphmer_geo.data.folder import DataFolder


def chain_loader(
    data: DataFolder | str | Path,
    split: str,
    *,
    batch_tokens: int = 4096,
    config: ChainConfig | None = None,
    transforms: Sequence[Transform] = (),
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool | None = None,
    num_workers: int = 0,
    limits: Limits | None = None,
) -> DataLoader[dict[str, Tensor]]:
    """One epoch of a split's leafy chains, in batches of similar length.

    Args:
        data: Folder of ``graphmer data build`` (its ``data/``) or ``graphmer data prepare``.
        split: "train", "validation" or "test".
        batch_tokens: Most nodes of a batch: its longest chain times the number of its chains.
        config: Which triples ride along.
        transforms: Masks, see :mod:`graphmer_geo.transforms`.
        seed: Seed of all draws.
        epoch: Draws and order differ from epoch to epoch, and depend on nothing but the seed and this.
        shuffle: Whether batches come in random order (default: in training).
        num_workers: Processes that make batches.
        limits: What ids must stay below.

    Example::

        for batch in chain_loader("pypi-20/data", "train", transforms=[MaskTokens(table)]):
            ...
    """
    dataset = LeafyChainDataset(data, split, config=config, seed=seed, transforms=transforms)
    dataset.set_epoch(epoch)
    plan = plan_batches(
        dataset.lengths, batch_tokens, seed, epoch, shuffle=split == "train" if shuffle is None else shuffle
    )
    return DataLoader(
        dataset, batch_sampler=plan, collate_fn=partial(collate, limits=limits), num_workers=num_workers
    )
