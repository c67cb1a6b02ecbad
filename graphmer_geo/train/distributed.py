"""Several processes that train one model, as ``torchrun`` starts them. With one, nothing happens here."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from graphmer_geo.errors import UserError

Result = TypeVar("Result")


def rank() -> int:
    """Number of this process."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """Number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def process_group() -> Iterator[None]:
    """Joins the others for the time of a block, unless that was done before."""
    if world() == 1 or dist.is_initialized():
        yield
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        gc.collect()  # models that still hold the group: freed after it, they wait for its threads for ever
        dist.destroy_process_group()


def on_first(work: Callable[[], Result]) -> Result:
    """What ``work`` returns on the first process, on every process.

    Raises:
        UserError: on every process, if the first raised it.
    """
    if world() == 1:
        return work()
    outcome: list[Any] = [None, None]
    if rank() == 0:
        try:
            outcome = [work(), None]
        except UserError as error:
            outcome = [None, str(error)]
    dist.broadcast_object_list(outcome, src=0)
    if outcome[1] is not None:
        raise UserError(outcome[1])
    result: Result = outcome[0]
    return result


def summed(values: Tensor) -> Tensor:
    """The sum over all processes."""
    if world() > 1:
        dist.all_reduce(values)
    return values


def from_first(value: float) -> float:
    """The first process's value: clocks differ, decisions must not."""
    if world() == 1:
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(shared, src=0)
    return float(shared)


def any_process(flag: bool) -> bool:
    """Whether it is so on any process."""
    return float(summed(torch.tensor([float(flag)]))) > 0


def wait() -> None:
    """Until all processes are here."""
    if world() > 1:
        dist.barrier()
