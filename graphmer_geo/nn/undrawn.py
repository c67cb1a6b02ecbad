"""Modules whose parameters are allocated and left for their owner to draw."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def undrawn(module: type[Module], *args: Any, **kwargs: Any) -> Module:
    """``module(*args, **kwargs)`` without the random numbers that its constructor would draw.

    For an owner whose ``reset_parameters`` draws them. Drawn twice, weights would cost twice the time, and
    ``reset_parameters`` under a seed would not give what construction under that seed gave. Buffers are left
    empty too.
    """
    with torch.device("meta"):
        empty = module(*args, **kwargs)
    return empty.to_empty(device=torch.get_default_device())
