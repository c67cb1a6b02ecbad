"""The Hugging Face Trainer, made to train on graph batches from a seekable stream."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.trainer_callback import ProgressCallback

from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.budget import Budget
from graphmer_geo.train.callbacks import SeekStream
from graphmer_geo.train.stream import Batch, TokenBudgetStream

#: Stands for "until the time is up"; the Trainer wants a number.
ENDLESS = 10**9


def training_arguments(args: TrainArgs, out: Path) -> TrainingArguments:
    """Our arguments in the Trainer's words."""
    return TrainingArguments(
        output_dir=str(out / "checkpoints"),
        max_steps=args.max_steps or ENDLESS,
        learning_rate=args.learning_rate,
        weight_decay=args.weight_decay,
        max_grad_norm=args.max_grad_norm,
        gradient_accumulation_steps=args.accumulation,
        per_device_train_batch_size=1,
        bf16=args.bf16,
        use_cpu=not torch.accelerator.is_available(),
        seed=args.seed,
        dataloader_num_workers=args.workers,
        dataloader_pin_memory=torch.cuda.is_available(),
        logging_steps=args.log_steps,
        logging_nan_inf_filter=False,
        save_steps=args.save_steps,
        save_total_limit=args.keep_checkpoints,
        ignore_data_skip=True,  # the stream seeks instead
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
    )


class LeafyChainTrainer(Trainer):
    """Trains a :class:`~graphmer_geo.models.GraphMER` on a :class:`TokenBudgetStream`.

    Differences from its base class: batches are dicts that the model takes whole; the stream is sought to
    the step a run starts from; each loss is a mean of its own and logged beside the others; the learning
    rate follows the :class:`Budget`; weights are saved and loaded by the model, strictly and with their
    config.
    """

    def __init__(
        self, model: GraphMER, args: TrainArgs, out: Path, stream: TokenBudgetStream, **kwargs: Any
    ) -> None:
        self.stream, self.budget = stream, Budget(args)
        config = model.__dict__.pop("config")  # frozen, and the base class would write `use_cache` into it
        super().__init__(model=model, args=training_arguments(args, out), train_dataset=stream, **kwargs)
        model.config = config
        for callback in (PrinterCallback, ProgressCallback):
            self.remove_callback(callback)
        self.add_callback(self.budget)
        self.add_callback(SeekStream(stream))
        self.model_accepts_loss_kwargs = False  # losses are means per batch: the base class averages batches
        self._reset_window()

    def get_train_dataloader(self) -> DataLoader[Batch]:
        """The stream. :class:`SeekStream` has placed it by the time it is read."""
        return DataLoader(
            self.stream,
            batch_size=None,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
            generator=torch.Generator().manual_seed(self.args.seed),  # leaves the global generator alone
        )

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Learning rate as a function of the budget."""
        if self.lr_scheduler is None:
            wrapped: Any = optimizer or self.optimizer
            self.lr_scheduler = LambdaLR(wrapped, self.budget.learning_rate_share)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """Matrices decay, vectors and scalars do not."""
        return [name for name, parameter in model.named_parameters() if parameter.dim() >= 2]

    def compute_loss(
        self, model: nn.Module, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Weighted sum of the mean losses; notes each of them for the log."""
        output = model(inputs)
        for name, value in (output.losses | output.metrics).items():
            weight = output.counts[name.split("_")[0]]
            self._sums[name] = self._sums[name] + value.detach().float() * weight
            self._weights[name] = self._weights[name] + weight
        self._tokens += inputs["tok"].numel()
        return (output.loss, output) if return_outputs else output.loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the separate losses, accuracies and speed since the last line.

        Raises:
            UserError: the loss is no longer finite.
        """
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                raise UserError(
                    f"the loss is {logs['loss']} at step {self.state.global_step}; lower the learning rate "
                    f"({self.args.learning_rate}) or switch bf16 off"
                )
            means = {name: self._sums[name] / self._weights[name] for name in sorted(self._sums)}
            logs |= {name: round(float(mean), 6) for name, mean in means.items()}
            logs["seconds"] = round(self.budget.elapsed(), 3)
            logs["tokens_per_second"] = round(self._tokens / max(time.monotonic() - self._since, 1e-9), 1)
            self._reset_window()
        super().log(logs, start_time)

    def _reset_window(self) -> None:
        self._sums: dict[str, Any] = defaultdict(float)
        self._weights: dict[str, Any] = defaultdict(float)
        self._tokens, self._since = 0, time.monotonic()

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        if self.args.should_save:
            self.accelerator.unwrap_model(self.model).save_pretrained(output_dir or self.args.output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        saved = GraphMER.from_pretrained(resume_from_checkpoint)
        target = self.accelerator.unwrap_model(self.model if model is None else model)
        if saved.config != target.config:
            raise UserError(
                f"{resume_from_checkpoint} holds a model of another configuration; resume with that one, "
                "or train into another folder"
            )
        target.load_state_dict(saved.state_dict())
