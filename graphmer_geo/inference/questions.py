"""Ranking queries of a split: which tails are hidden, in which batches a model is asked for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from graphmer_geo.data import ChainConfig, LeafyChainDataset, plan_batches
from graphmer_geo.data.collate import collate
from graphmer_geo.data.dataset import Transform
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.metrics import Queries
from graphmer_geo.transforms import EvalQueries, MaskTokens

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Questions:
    """Queries, and the chains they are asked in, grouped into batches. Row order is batch order."""

    queries: Queries
    dataset: LeafyChainDataset
    batches: list[list[int]] = field(repr=False)  # chunks of each batch

    def __iter__(self) -> Iterator[tuple[Batch, np.ndarray]]:
        """Batches, and the rows of ``queries`` that each holds."""
        row = 0
        for indices in self.batches:
            batch = collate([self.dataset[i] for i in indices], self.dataset.limits)
            count = batch["rank_rel"].numel()
            yield batch, np.arange(row, row + count)
            row += count


def ask(
    folder: DataFolder,
    split: str,
    chain: ChainConfig,
    *,
    per_chain: int,
    seed: int,
    limit: int | None = None,
    batch_tokens: int = 8192,
) -> Questions:
    """Hide up to ``per_chain`` tails in each chunk of a split.

    Args:
        folder: prepared data.
        split: whose chunks to ask about; only facts asserted in that split are hidden.
        chain: which triples ride along.
        per_chain: most queries in one chunk.
        seed: of all draws.
        limit: at most about this many queries, from chunks drawn with the seed; all chunks if not given.
        batch_tokens: nodes in a batch.

    Raises:
        UserError: the split has no fact to ask for.
    """
    masks = (EvalQueries(folder.tokenizer.table, per_chain),)
    dataset = LeafyChainDataset(folder, split, config=chain, seed=seed, transforms=masks)
    chosen = _chunks_with_queries(dataset, seed, limit)
    if not chosen:
        raise UserError(f"the {split} split has no fact to ask for; prepare data from a larger graph")
    plan = plan_batches(dataset.lengths[chosen], batch_tokens, shuffle=False)
    batches = [[chosen[i] for i in batch] for batch in plan]
    return Questions(_collect(folder, dataset, batches), dataset, batches)


def _chunks_with_queries(dataset: LeafyChainDataset, seed: int, limit: int | None) -> list[int]:
    order = np.random.default_rng((seed, 0xA5)).permutation(len(dataset)).tolist()
    chosen, count = [], 0
    for index in order:
        if limit is not None and count >= limit:
            break
        asked = dataset[index]["rank_rel"].numel()
        if asked:
            chosen.append(index)
            count += asked
    return sorted(chosen)


def _collect(folder: DataFolder, dataset: LeafyChainDataset, batches: list[list[int]]) -> Queries:
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("rel", "head", "tail", "visible")}
    chunk: list[np.ndarray] = []
    text: list[str] = []
    for index in (i for batch in batches for i in batch):
        data = dataset[index]
        for name, values in columns.items():
            values.append(data[f"rank_{name}"].numpy())
        chunk.append(np.full(data["rank_rel"].numel(), len(text)))
        text.append(folder.tokenizer.decode(dataset.root_tokens(index).tolist()))
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    rows = np.concatenate(chunk)
    return Queries(
        relation=joined["rel"], head=joined["head"], tail=joined["tail"], visible=joined["visible"],
        chunk=rows, text=text, row=np.arange(len(rows)),
    )  # fmt: skip


def masked_batches(
    folder: DataFolder,
    split: str,
    chain: ChainConfig,
    *,
    seed: int,
    limit: int | None,
    batch_tokens: int = 8192,
    then: Sequence[Transform] = (),
) -> Iterator[Batch]:
    """Chunks of a split with 15 % of their root tokens masked, every one of them by ``<mask>``.

    Which chunks and which tokens depends on the split and the seed alone, not on what leaves there are.

    Args:
        folder: prepared data.
        split: whose chunks.
        chain: which triples ride along.
        seed: of all draws.
        limit: at most this many chunks, drawn with the seed.
        batch_tokens: nodes in a batch.
        then: transforms of the masked chains.

    Yields:
        Batches, with ``chunk`` ``[B]``: the row of each graph in the split's chunks.
    """
    masks: tuple[Transform, ...] = (MaskTokens(folder.tokenizer.table, all_mask=True), *then)
    dataset = LeafyChainDataset(folder, split, config=chain, seed=seed, transforms=masks)
    order = np.random.default_rng((seed, 0x3A)).permutation(len(dataset))
    chosen = np.sort(order[:limit])
    for batch in plan_batches(dataset.lengths[chosen], batch_tokens, shuffle=False):
        rows = chosen[batch]
        yield collate([dataset[i] for i in rows.tolist()], dataset.limits) | {"chunk": torch.from_numpy(rows)}
