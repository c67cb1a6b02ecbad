"""Each process holds a part of every weight, of its gradient and of the optimiser's state (FSDP2).

Files never show it: what is saved is whole, in the layout of a run that is not sharded, so that a run can go
on with other processes, or with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from graphmer_geo.models import GraphMER
from graphmer_geo.train.distributed import rank, world


def shard(model: GraphMER) -> None:
    """Split all parameters but scalars, in place; those of a layer are whole only while it computes."""
    mesh = init_device_mesh(next(model.parameters()).device.type, (world(),))
    scalars = {parameter for parameter in model.parameters() if parameter.dim() == 0}
    for layer in model.encoder.layers:
        fully_shard(layer, mesh=mesh, ignored_params=scalars)
    fully_shard(model, mesh=mesh, ignored_params=scalars)


def average_gradients_of_whole(model: GraphMER) -> None:
    """The mean over all processes of the gradients that are not split; all processes must call it."""
    for parameter in model.parameters():
        if parameter.grad is not None and not isinstance(parameter.grad, DTensor):
            dist.all_reduce(parameter.grad)
            parameter.grad /= world()


def whole(value: Any) -> Any:
    """A tensor in one piece; all processes must ask for it."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def gathered(values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Whole tensors in the memory of the first process; elsewhere nothing. All processes must call it."""
    found = {}
    for name, value in values.items():
        complete = whole(value)
        if rank() == 0:
            found[name] = complete.detach().cpu() if isinstance(complete, Tensor) else complete
    return found


def part(value: Tensor, like: Tensor) -> Tensor:
    """This process's part of a whole tensor, split as ``like`` is; needs no other process."""
    if not isinstance(like, DTensor):
        return value
    value = value.to(like.device, like.dtype)
    return distribute_tensor(value, like.device_mesh, like.placements, src_data_rank=None)


def load_weights(model: GraphMER, state: Mapping[str, Tensor]) -> None:
    """Load whole weights, all of them."""
    model.load_state_dict({name: part(state[name], like) for name, like in model.state_dict().items()})


def gathered_optimizer(optimizer: Any) -> dict[str, Any]:
    """The state of an optimiser as it would be in one process; all processes must call it."""
    split = optimizer.state_dict()
    return {**split, "state": {index: gathered(values) for index, values in split["state"].items()}}


def load_optimizer(optimizer: Any, state: Mapping[str, Any]) -> None:
    """Load what :func:`gathered_optimizer` gave, or an optimiser that was never split."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    split = {
        index: {
            name: part(value, parameters[index])
            if isinstance(value, torch.Tensor) and value.shape == parameters[index].shape
            else value
            for name, value in values.items()
        }
        for index, values in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": split})
