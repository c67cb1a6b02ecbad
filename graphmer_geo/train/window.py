"""What is logged of the steps between two lines of the log."""

from __future__ import annotations

import resource
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from graphmer_geo.models import TARGETS, GraphMEROutput
from graphmer_geo.train.distributed import summed, world


class LogWindow:
    """Sums over batches, of which :meth:`close` makes means over all processes.

    Args:
        relations: name of each relation, by id.
    """

    def __init__(self, relations: Sequence[str]) -> None:
        self.relations = relations
        self._reset()

    def add(self, output: GraphMEROutput, batch: Mapping[str, Tensor]) -> None:
        """Note the outcome of one batch."""
        for name, value in (output.losses | output.metrics).items():
            weight = output.counts[name.split("_")[0]]
            self._sums[name] = self._sums[name] + value.detach().double() * weight
            self._weights[name] += weight
        if "mnm" in output.hits:
            self._by_relation += self._met_by_relation(output.hits["mnm"], batch)
        self._tokens += batch["tok"].numel()
        self._chains += batch["ptr"].numel() - 1
        self._batches += 1

    def waited(self, seconds: float) -> None:
        """Note time spent waiting for data."""
        self._waited += seconds

    def close(self, steps: int) -> dict[str, Any]:
        """Means since the last call, and speed; ``steps`` optimiser steps were made."""
        elapsed = max(time.monotonic() - self._since, 1e-9)
        names = [name for objective in TARGETS for name in (objective, f"{objective}_acc")]
        pairs = [[float(self._sums[name]), float(self._weights[name])] for name in names]
        counts = [float(self._tokens), float(self._chains), float(self._batches), self._waited]
        total = summed(torch.tensor([*(x for pair in pairs for x in pair), *counts], dtype=torch.float64))
        met, asked = summed(self._by_relation.cpu()).unbind(1)
        line: dict[str, Any] = {}
        for name, (value, weight) in zip(names, total[:-4].view(-1, 2).tolist(), strict=True):
            if weight:
                line[name] = round(value / weight, 6)
        tokens, chains, batches, waited = total[-4:].tolist()
        line["tokens"] = int(tokens)
        line["tokens_per_second"] = round(tokens / elapsed, 1)
        line["steps_per_second"] = round(steps / elapsed, 4)
        line["chains_per_batch"] = round(chains / max(batches, 1.0), 2)
        line["data_wait"] = round(waited / elapsed / world(), 4)
        line["memory_mib"] = round(peak_memory_mib(), 1)
        line["mnm_by_relation"] = {
            name: round(float(met[index] / asked[index]), 4)
            for index, name in enumerate(self.relations)
            if asked[index]
        }
        self._reset()
        return line

    def _met_by_relation(self, hits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Masked leaves predicted, and masked leaves, per relation; ``[R, 2]``."""
        leaf = torch.searchsorted(batch["leaf_index"], batch["mnm_index"])
        relation = batch["triple_rel"][batch["leaf_triple"][leaf]]
        counts = self._by_relation.new_zeros(self._by_relation.shape, device=relation.device)
        counts[:, 0].index_add_(0, relation, hits.to(counts.dtype))
        counts[:, 1].index_add_(0, relation, torch.ones_like(hits, dtype=counts.dtype))
        return counts.to(self._by_relation.device)

    def _reset(self) -> None:
        self._sums: dict[str, Tensor | float] = defaultdict(float)
        self._weights: dict[str, int] = defaultdict(int)
        self._by_relation = torch.zeros(len(self.relations), 2)
        self._tokens = self._chains = self._batches = 0
        self._waited, self._since = 0.0, time.monotonic()


def peak_memory_mib() -> float:
    """Most memory in use so far: of the card if something was computed there, else of this process."""
    if torch.cuda.is_available() and (most := torch.cuda.max_memory_allocated()):
        return most / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
