"""Alternating runs and their medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Bench:
    """How to measure.

    ``clock`` is "wall", or "cpu" (CPU time of all threads: for a machine that others use, one thread).
    """

    repeats: int = 3
    clock: str = "wall"
    device: str = "cpu"
    seed: int = 0

    def seconds(self, call: Callable[[], Any]) -> float:
        """Time of one call, the device's work included."""
        clock = time.process_time if self.clock == "cpu" else time.perf_counter
        self._wait()
        started = clock()
        call()
        self._wait()
        return clock() - started

    def alternate(
        self, calls: Mapping[str, Callable[[int], Any]], repeats: int | None = None, warm: bool = True
    ) -> dict[str, list[float]]:
        """Times of several calls, run in turns; each gets the number of the round.

        The order turns around every round, so that no call always runs behind the same other one.
        """
        found: dict[str, list[float]] = {name: [] for name in calls}
        if warm:
            for call in calls.values():
                call(0)
        for number in range(repeats or self.repeats):
            names = list(calls) if number % 2 == 0 else list(reversed(calls))
            for name in names:
                found[name].append(self.seconds(lambda call=calls[name], k=number: call(k)))
        return found

    def _wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    """Median of each."""
    return {name: statistics.median(values) for name, values in times.items()}


def rounded(value: Any, digits: int = 5) -> Any:
    """Numbers of a nested result with so many significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, digits) for item in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def to_device(batch: Mapping[str, Tensor], device: str) -> dict[str, Tensor]:
    """The batch there."""
    return {key: value.to(device) for key, value in batch.items()}
