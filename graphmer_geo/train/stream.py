"""Training data as one endless, seekable sequence of batches.

The chunks lie in shards, and no more than :data:`LANES` of these are open at a time. In every epoch the
shards come in another order; the turn of one shard in one epoch is a batch plan of its own (which chains go
together, and in which order), a pure function of the seed and the number of the turn. Turns are dealt to
lanes, and batches are taken from the lanes one after the other: so batches that follow each other are of
different shards, and readers that share a run (processes, loader workers) read different shards, as far as
their number and that of the lanes have common factors.

The sequence does not depend on who reads it, and the draws of batch k depend on the seed and k alone. So
batch k can be made without the ones before it: a resumed run starts at the batch it stopped at, also with
another number of processes or workers, and ragged epochs of different lengths need no bookkeeping. Finding
the place means counting the batches of the turns before it; no chain is made for that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from graphmer_geo.data.check import Limits
from graphmer_geo.data.collate import collate, plan_batches
from graphmer_geo.data.leafy_chain import LeafyChainData
from graphmer_geo.errors import UserError

Batch = dict[str, Tensor]

#: Most shards that one reader has open.
LANES = 8


class ChainSource(Protocol):
    """What the stream needs of a dataset: chains that depend on (seed, epoch, index) only."""

    @property
    def shards(self) -> Sequence[range]:
        """The examples of each shard."""
        ...

    def shard_lengths(self, shard: int) -> NDArray[np.int64]:
        """Number of nodes of each example of a shard, or an estimate."""
        ...

    def release(self, shard: int) -> None:
        """A shard is not needed for a while."""
        ...

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the following draws."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LeafyChainData: ...


class SeekableStream(IterableDataset[Batch]):
    """Batches ``start``, ``start + 1``, … of an endless run, shared by processes and loader workers.

    Args:
        rank: this process of ``world``; processes take turns.
        world: number of processes.

    Attributes:
        start: the first batch to deliver, counted per process; set before iterating.
    """

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank, self.world = rank, world
        self.start = 0

    def batch(self, index: int) -> Batch:
        """Batch ``index`` of the whole run."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Batch]:
        """From ``start`` on, for ever. Loader workers take turns too."""
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for local in count(self.start + first, step):
            yield self.batch(local * self.world + self.rank)


class TokenBudgetStream(SeekableStream):
    """A run over one dataset, again and again: every chain once per epoch.

    Args:
        dataset: the chains.
        batch_tokens: budget of one batch, see :func:`graphmer_geo.data.plan_batches`.
        seed: of the run.
        finish: turns a collated batch into the final one (candidates), with the generator of that batch.
        rank: see :class:`SeekableStream`.
        world: see there.
        limits: what ids in a batch must stay below; checked once per batch.
    """

    def __init__(
        self,
        dataset: ChainSource,
        batch_tokens: int,
        seed: int,
        finish: Callable[[Batch, np.random.Generator], Batch],
        rank: int = 0,
        world: int = 1,
        limits: Limits | None = None,
    ) -> None:
        if not len(dataset):
            raise UserError("the train split has no chunks; prepare data from a larger graph")
        self.dataset, self.batch_tokens, self.seed, self.finish = dataset, batch_tokens, seed, finish
        self.limits = limits
        super().__init__(rank, world)
        lanes = min(LANES, len(dataset.shards))
        self._ends: list[list[int]] = [[] for _ in range(lanes)]  # batches of each lane up to its turn t
        self._plans: list[tuple[int, list[list[int]]]] = [(-1, []) for _ in range(lanes)]

    def place(self, turn: int) -> tuple[int, int]:
        """Epoch and shard of a turn."""
        epoch, at = divmod(turn, len(self.dataset.shards))
        order = np.random.default_rng((self.seed, 0x5A4D, epoch)).permutation(len(self.dataset.shards))
        return epoch, int(order[at])

    def plan(self, turn: int) -> list[list[int]]:
        """The batches of one turn, as indices of chains."""
        lane = turn % len(self._plans)
        if self._plans[lane][0] != turn:
            shard = self.place(turn)[1]
            lengths, examples = self.dataset.shard_lengths(shard), self.dataset.shards[shard]
            plan = plan_batches(lengths, self.batch_tokens, self.seed, turn)
            self._take(lane, turn, [[examples[i] for i in batch] for batch in plan])
        return self._plans[lane][1]

    def _take(self, lane: int, turn: int, plan: list[list[int]]) -> None:
        """A lane goes on to another turn; the shard of its last one is closed if no other lane has it."""
        before = self._plans[lane][0]
        self._plans[lane] = (turn, plan)
        used = {self.place(held)[1] for held, _ in self._plans if held >= 0}
        if before >= 0 and (shard := self.place(before)[1]) not in used:
            self.dataset.release(shard)

    def locate(self, batch: int) -> tuple[int, int]:
        """Turn that a batch is of, and its position there."""
        at, lane = divmod(batch, len(self._ends))
        ends = self._ends[lane]
        while not ends or ends[-1] <= at:
            turn = lane + len(ends) * len(self._ends)
            ends.append((ends[-1] if ends else 0) + len(self.plan(turn)))
        number = bisect_right(ends, at)
        return lane + number * len(self._ends), at - (ends[number - 1] if number else 0)

    def examples(self, batch: int) -> list[int]:
        """The chains of a batch."""
        turn, position = self.locate(batch)
        return self.plan(turn)[position]

    def batch(self, index: int) -> Batch:
        """Batch ``index`` of the whole run."""
        examples = self.examples(index)
        self.dataset.set_epoch(self.place(self.locate(index)[0])[0])
        chains = [self.dataset[i] for i in examples]
        return self.finish(collate(chains, self.limits), np.random.default_rng((self.seed, 0xCA9D, index)))
