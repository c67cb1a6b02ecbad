"""Where a run computes, and what cannot be computed there."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from graphmer_geo.errors import UserError
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.distributed import world


def device_of(args: TrainArgs) -> str:
    """``cpu``, ``cuda``, ``tpu``, or ``accelerator``: whichever torch finds.

    Raises:
        UserError: the device that was asked for is not here.
    """
    if args.device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device is cuda, but torch finds no CUDA device here; use a machine with a card and a torch with "
            "CUDA, or train on this one with --device cpu --precision bf16 (or fp32)"
        )
    if args.device == "tpu" and find_spec("torch_xla") is None:
        raise UserError(
            "device is tpu, but torch_xla is not installed; install it on a machine with TPUs (pip install "
            "torch_xla), or train here with --device auto"
        )
    if args.device == "auto":
        return "accelerator" if torch.accelerator.is_available() else "cpu"
    return args.device


def refuse_what_does_not_fit(args: TrainArgs) -> None:
    """Say at once what this machine or number of processes cannot do.

    Raises:
        UserError: naming the setting and what to use in its place.
    """
    on_cpu, processes = device_of(args) == "cpu", world()
    if args.precision == "fp16" and on_cpu:
        raise UserError("precision is fp16, which needs a GPU; use bf16 or fp32 here")
    if args.kernel == "flex" and (on_cpu or not torch.cuda.is_available()):
        raise UserError(
            "kernel=flex needs CUDA: torch has no gradients of FlexAttention elsewhere; use dense"
        )
    if args.accumulation % processes:
        raise UserError(
            f"accumulation is {args.accumulation}, which {processes} processes cannot share; "
            "make it a multiple"
        )
    if args.parallel == "fsdp" and processes == 1:
        raise UserError("parallel is fsdp, which needs several processes; start them with torchrun")
    if args.parallel == "fsdp" and args.compile != "off":
        raise UserError(f"compile is {args.compile}, which does not go with parallel=fsdp; use off")
    if args.parallel == "fsdp" and args.device == "tpu":
        raise UserError("parallel is fsdp, which shards on CPUs and GPUs; use ddp on TPUs")
