"""Losses on packages that were held out, always under the same masks and among the same candidates."""

from __future__ import annotations

import numpy as np
import torch

from graphmer_geo.data import ChainConfig, LeafyChainDataset, collate, plan_batches
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.models import GraphMER
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import build_masks, build_sampler
from graphmer_geo.train.tables import Tables

#: Nodes in a batch.
BATCH_TOKENS = 4096


@torch.no_grad()
def held_out(
    network: GraphMER,
    folder: DataFolder,
    tables: Tables,
    args: TrainArgs,
    chain: ChainConfig | None = None,
    chunks: int = 256,
) -> dict[str, float]:
    """Mean loss and accuracy of each objective on about ``chunks`` validation chunks, and how many targets.

    The ranking loss is that among sampled candidates, as in training: it compares runs, and is no MRR.
    """
    dataset = LeafyChainDataset(
        folder, "validation", config=chain, seed=args.seed, transforms=build_masks(folder, args)
    )
    sampler = build_sampler(tables, args)
    taken = np.arange(0, len(dataset), max(1, len(dataset) // chunks))
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for number, batch in enumerate(plan_batches(dataset.lengths[taken], BATCH_TOKENS, shuffle=False)):
        chains = [dataset[int(taken[index])] for index in batch]
        made = sampler(collate(chains), np.random.default_rng((args.seed, number)))
        output = network({key: value.to(device) for key, value in made.items()})
        for key, value in (output.losses | output.metrics).items():
            count = output.counts[key.split("_")[0]]
            sums[key] = sums.get(key, 0.0) + float(value) * count
            counts[key] = counts.get(key, 0) + count
    network.train(was_training)
    means = {key: round(sums[key] / counts[key], 4) for key in sorted(sums)}
    return means | {f"{key}_targets": counts[key] for key in counts if not key.endswith("_acc")}
