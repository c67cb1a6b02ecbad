"""Training data as one endless, seekable sequence of batches.

The plan of epoch e (which chains go together, and in which order) is a pure function of the seed and e,
and the draws of batch k depend on the seed and k alone. So batch k can be made without the ones before
it: a resumed run starts at the batch it stopped at, and ragged epochs of different lengths need no
bookkeeping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


class ChainSource(Protocol):
    """What the stream needs of a dataset: chains that depend on (seed, epoch, index) only."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of nodes of each example, or an estimate."""
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
    """A run over one dataset, again and again.

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
        self._ends: list[int] = []  # number of batches in epochs 0..e
        self._plan: tuple[int, list[list[int]]] = (-1, [])

    def plan(self, epoch: int) -> list[list[int]]:
        """The batches of one epoch, as indices of chains."""
        if self._plan[0] != epoch:
            batches = plan_batches(self.dataset.lengths, self.batch_tokens, self.seed, epoch)
            self._plan = (epoch, batches)
        return self._plan[1]

    def locate(self, batch: int) -> tuple[int, int]:
        """Epoch of a batch, and its position there."""
        while not self._ends or self._ends[-1] <= batch:
            epoch = len(self._ends)
            self._ends.append((self._ends[-1] if self._ends else 0) + len(self.plan(epoch)))
        epoch = int(np.searchsorted(self._ends, batch, side="right"))
        return epoch, batch - (self._ends[epoch - 1] if epoch else 0)

    def batch(self, index: int) -> Batch:
        """Batch ``index`` of the whole run."""
        epoch, position = self.locate(index)
        self.dataset.set_epoch(epoch)
        chains = [self.dataset[i] for i in self.plan(epoch)[position]]
        return self.finish(collate(chains, self.limits), np.random.default_rng((self.seed, 0xCA9D, index)))
