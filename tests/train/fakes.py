"""A dataset, a stream and a model small enough to train in a test."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from graphmer_geo.data.fake import FAKE, fake_chains, fake_entities, fake_vocab
from graphmer_geo.data.leafy_chain import LeafyChainData
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.candidates import CandidateSampler
from graphmer_geo.train.distributed import rank, world
from graphmer_geo.train.places import Places
from graphmer_geo.train.stream import TokenBudgetStream
from graphmer_geo.train.trainer import LeafyChainTrainer
from graphmer_geo.transforms import MaskNodes, MaskTokens


class FakeSource:
    """A small dataset whose masks depend on (epoch, index) only."""

    def __init__(self, size: int = 7, shards: int = 1) -> None:
        self.chains = fake_chains(size)
        cuts = [size * n // shards for n in range(shards + 1)]
        self.shards = [range(*span) for span in pairwise(cuts)]
        self.open: set[int] = set()
        self.masks = (MaskTokens(fake_vocab()), MaskNodes(fake_vocab(), prob=0.6))
        self.epoch = 0

    def shard_lengths(self, shard: int) -> NDArray[np.int64]:
        self.open.add(shard)
        return np.array([self.chains[i].num_nodes for i in self.shards[shard]], dtype=np.int64)

    def release(self, shard: int) -> None:
        self.open.remove(shard)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.chains)

    def __getitem__(self, index: int) -> LeafyChainData:
        rng = np.random.default_rng((self.epoch, index))
        chain = self.chains[index]
        for mask in self.masks:
            chain = mask(chain, rng)
        return chain


def fake_sampler(size: int = 20) -> CandidateSampler:
    names = fake_entities()
    entities = np.arange(FAKE.num_entities)
    return CandidateSampler(
        kinds=entities % FAKE.num_kinds,
        names=(np.array([t for n in names for t in n]), np.cumsum([0, *map(len, names)])),
        eligible=np.ones(FAKE.num_entities, dtype=bool),
        triples=np.stack([entities, entities % 8 + 1, entities[::-1]], axis=1),
        allowed=np.ones((FAKE.num_relations, FAKE.num_kinds), dtype=bool),
        size=size,
        places=Places(entities // 5 * 5, entities // 10 * 10, entities // 20, entities > 50),
    )


def fake_stream(seed: int = 0, size: int = 7, budget: int = 130, shards: int = 1) -> TokenBudgetStream:
    return TokenBudgetStream(FakeSource(size, shards), budget, seed, fake_sampler(), rank(), world())


def tiny_trainer(out: Path, stream: TokenBudgetStream | None = None, **changes: Any) -> LeafyChainTrainer:
    settings: dict[str, Any] = {"max_steps": 6, "learning_rate": 1e-2, "log_steps": 1, "save_steps": 100}
    args = TrainArgs(**(settings | changes))
    torch.manual_seed(args.seed)
    config = GraphMERConfig(
        vocab_size=FAKE.vocab_size,
        num_relations=FAKE.num_relations,
        num_entity_kinds=FAKE.num_kinds,
        hidden_size=16,
        num_layers=1,
        num_heads=2,
        ffn_size=32,
        pad_id=1,
        mask_id=4,
        popularity_buckets=64,
    )
    return LeafyChainTrainer(GraphMER(config), args, out, stream or fake_stream(args.seed))


_CLEAN = multiprocessing.get_context("forkserver")
_CLEAN.set_forkserver_preload([__name__])


def started(
    work: Callable[..., object], *arguments: object, environment: dict[str, str] | None = None
) -> BaseProcess:
    """Start a process that has everything imported already.

    It is forked from a server that has no threads: a fork of this process would wait for ever for locks that
    other tests' threads held.
    """
    child = _CLEAN.Process(target=_run, args=(environment or {}, work, *arguments))
    child.start()
    return child


def _run(environment: dict[str, str], work: Callable[..., object], *arguments: object) -> None:
    os.environ.update(environment)
    work(*arguments)


def together(work: Callable[..., object], *arguments: object) -> list[int | None]:
    """Exit statuses of two processes that train one model, as torchrun would start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    ranks = [{"RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    return [
        ended(child) for child in [started(work, *arguments, environment=place | own) for own in ranks]
    ]


def ended(child: BaseProcess, seconds: float = 300.0) -> int | None:
    """Exit status of a child; negative: the signal that killed it; None: it did not end in time."""
    child.join(seconds)
    status = child.exitcode
    child.kill()
    return status
