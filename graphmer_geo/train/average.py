"""A moving average of the weights, which is often better than the weights themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from graphmer_geo.errors import UserError
from graphmer_geo.train import sharding
from graphmer_geo.train.distributed import rank

FILE = "average.safetensors"


class WeightAverage(TrainerCallback):
    r"""Keeps :math:`\bar\theta \leftarrow \beta \bar\theta + (1 - \beta) \theta` after each step.

    Args:
        model: whose weights.
        decay: :math:`\beta`.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.parameters = dict(model.named_parameters())
        self.values = {name: p.detach().clone() for name, p in self.parameters.items()}

    @torch.no_grad()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Move the average."""
        for name, parameter in self.parameters.items():
            self.values[name] = self.values[name].to(parameter.device).lerp_(parameter, 1.0 - self.decay)

    def save(self, folder: Path) -> None:
        """Write beside a checkpoint's weights; all processes must call it, the first one writes."""
        values = sharding.gathered(self.values)
        if rank() == 0:
            save_file({name: value.contiguous() for name, value in values.items()}, folder / FILE)

    def load(self, folder: Path) -> None:
        """Read what :meth:`save` wrote.

        Raises:
            UserError: there is none.
        """
        if not (folder / FILE).is_file():
            raise UserError(f"no {FILE} in {folder}; resume with the ema_decay the run began with")
        values = load_file(folder / FILE)
        self.values = {name: sharding.part(values[name], like) for name, like in self.parameters.items()}

    def state_dict(self, model: nn.Module) -> Mapping[str, Tensor]:
        """The model's state with averaged parameters."""
        return model.state_dict() | self.values
