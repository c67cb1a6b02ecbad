"""The Hugging Face Trainer, made to train on graph batches from a seekable stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME
from transformers.trainer_callback import ProgressCallback
from transformers.trainer_utils import rotate_checkpoints

from graphmer_geo.errors import UserError
from graphmer_geo.models import TARGETS, GraphMER, GraphMERConfig
from graphmer_geo.train import saving, sharding
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.average import WeightAverage
from graphmer_geo.train.budget import Budget
from graphmer_geo.train.callbacks import AnnouncePhases, SeekStream
from graphmer_geo.train.curriculum import CurriculumStream
from graphmer_geo.train.device import device_of, refuse_what_does_not_fit
from graphmer_geo.train.distributed import rank, summed, wait, world
from graphmer_geo.train.stream import Batch, SeekableStream
from graphmer_geo.train.window import LogWindow

#: Stands for "until the time is up"; the Trainer wants a number.
ENDLESS = 10**9


def training_arguments(args: TrainArgs, out: Path) -> TrainingArguments:
    """Our arguments in the Trainer's words.

    Raises:
        UserError: the arguments do not fit this machine or number of processes.
    """
    refuse_what_does_not_fit(args)
    on_cpu = device_of(args) == "cpu"
    arguments = TrainingArguments(
        output_dir=str(out / "checkpoints"),
        max_steps=args.max_steps or ENDLESS,
        learning_rate=args.learning_rate,
        weight_decay=args.weight_decay,
        max_grad_norm=args.max_grad_norm,
        gradient_accumulation_steps=args.accumulation // world(),
        per_device_train_batch_size=1,
        bf16=args.precision == "bf16",
        fp16=args.precision == "fp16",
        use_cpu=on_cpu,
        ddp_find_unused_parameters=False,  # an objective without targets gives zeros, not nothing
        ddp_broadcast_buffers=False,  # counted before training, the same everywhere
        seed=args.seed,
        dataloader_num_workers=args.workers,
        dataloader_pin_memory=torch.cuda.is_available() and not on_cpu,
        logging_steps=args.log_steps,
        logging_nan_inf_filter=False,
        save_steps=args.save_steps,
        save_total_limit=args.keep_checkpoints,
        ignore_data_skip=True,  # the stream seeks instead
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # several GPUs are for torchrun; batches of graphs are not to be split
    return arguments


class LeafyChainTrainer(Trainer):
    """Trains a :class:`~graphmer_geo.models.GraphMER` on a :class:`SeekableStream`.

    Differences from its base class: batches are dicts that the model takes whole; the stream is sought to
    the step a run starts from, and what is drawn while a batch is computed depends on its number alone; each
    loss is a mean over the targets of the whole step, however many batches and processes share it; the
    learning rate follows the :class:`Budget`; checkpoints appear complete or not at all; weights are saved
    and loaded by the model, strictly and with their config; with ``parallel=fsdp`` the model is sharded here,
    on every device alike (the base class would do so on accelerators only, and silently not on CPUs).
    """

    model: Any  # the base class allows for having none yet
    lr_scheduler: Any

    def __init__(
        self, model: GraphMER, args: TrainArgs, out: Path, stream: SeekableStream, **kwargs: Any
    ) -> None:
        self.stream, self.budget, self.out = stream, Budget(args), out
        config = model.__dict__.pop("config")  # frozen, and the base class would write `use_cache` into it
        super().__init__(model=model, args=training_arguments(args, out), train_dataset=stream, **kwargs)
        model.config = config
        self.sharded = args.parallel == "fsdp"
        if self.sharded:
            sharding.shard(model)
            self.is_distributed_loading_by_transformers = True  # has its own communication: not to be wrapped
        for callback in (PrinterCallback, ProgressCallback):
            self.remove_callback(callback)
        self.add_callback(self.budget)
        self.add_callback(SeekStream(stream))
        if isinstance(stream, CurriculumStream):
            self.add_callback(AnnouncePhases(stream))
        self.average = WeightAverage(model, args.ema_decay) if args.ema_decay else None
        if self.average:
            self.add_callback(self.average)
        self.loss_is_scaled_for_ga = True  # by the number of targets, not of batches
        self._totals: dict[str, Tensor] = {}
        self._losses: list[Tensor] = []  # of the batches of this step
        self._batches: list[Batch] = []
        self._logged = 0
        self.window = LogWindow(_relation_names(config))
        model.encoder.kernel = args.kernel
        if args.gradient_checkpointing:
            for layer in model.encoder.layers:
                layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
        if args.compile != "off":
            model.encoder.compile(backend=args.compile, dynamic=True)

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

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Matrices decay, vectors and scalars do not. Scalars are apart: they are not sharded."""
        if self.optimizer is None:
            parameters = [p for p in (model or self.model).parameters() if p.requires_grad]
            groups = [[p for p in parameters if min(p.dim(), 2) == dim] for dim in (2, 1, 0)]
            decays = (self.args.weight_decay, 0.0, 0.0)
            make, options = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            named = [
                {"params": group, "weight_decay": decay}
                for group, decay in zip(groups, decays, strict=True)
                if group
            ]
            self.optimizer = make(named, **options)
        return self.optimizer

    def get_batch_samples(
        self, epoch_iterator: Iterator[Batch], num_batches: int, device: torch.device
    ) -> tuple[list[Batch], None]:
        """The batches of one step; counts their targets over all processes, and the time it took to wait."""
        if self.state.global_step == self._initial_global_step:  # what came before is no part of training
            self.window = LogWindow(self.window.relations)
        started = time.monotonic()
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        self.window.waited(time.monotonic() - started)
        counts = [[batch[key].numel() for key in TARGETS.values() if key in batch] for batch in batches]
        totals = summed(torch.tensor(counts).sum(0))
        present = [name for name, key in TARGETS.items() if key in batches[0]]
        self._totals = {name: total.to(device) for name, total in zip(present, totals, strict=True)}
        self._losses, self._batches = [], batches
        return batches, None

    def training_step(self, model: nn.Module, inputs: Batch, num_items_in_batch: Any = None) -> Tensor:
        """One batch, with a generator of its own.

        Raises:
            UserError: the loss of a batch of this step is not finite; no weight has been changed by it.
        """
        local = self.state.global_step * self.args.gradient_accumulation_steps + len(self._losses)
        torch.manual_seed(_mixed(self.args.seed, local * world() + rank()))
        loss = super().training_step(model, inputs, num_items_in_batch)
        self._losses.append(loss)
        if len(self._losses) == len(self._batches):
            self._refuse_non_finite()
            if self.sharded:
                sharding.average_gradients_of_whole(self.model)
        return loss

    def compute_loss(
        self, model: nn.Module, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """This batch's share in the weighted sum of the mean losses; notes each of them for the log."""
        output = model(inputs, self._totals)
        self.window.add(output, inputs)
        loss = output.loss * world()  # the mean over processes is taken of gradients and of the logged loss
        return (loss, output) if return_outputs else loss

    @contextmanager
    def _defer_fsdp_gradient_reduction(self) -> Iterator[None]:
        """For all batches of a step but the last: gradients are shared once per step."""
        self.model.set_requires_gradient_sync(False)
        try:
            yield
        finally:
            self.model.set_requires_gradient_sync(True)

    def _sync_replicated_trainable_parameters(self, model: nn.Module) -> None:
        """What is not sharded began the same everywhere, and :meth:`training_step` averages its gradients."""

    def _clip_grad_norm(self, model: nn.Module) -> Tensor:
        norm: Tensor = sharding.whole(super()._clip_grad_norm(model))
        return norm

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the separate losses, accuracies and speed since the last line."""
        if "loss" in logs:
            since = max(self._logged, self._initial_global_step)
            logs |= self.window.close(self.state.global_step - since)
            logs["seconds"] = round(self.budget.elapsed(), 3)
            self._logged = self.state.global_step
        super().log(logs, start_time)

    def _refuse_non_finite(self) -> None:
        finite = torch.stack(self._losses).isfinite()
        if finite.all():
            return
        bad = int((~finite).nonzero()[0])
        step = self.state.global_step + 1
        path = self.out / f"nonfinite-step{step}-process{rank()}.safetensors"
        with saving.writing("the batch without a finite loss", self.out):
            saving.save_batch(self._batches[bad], path)
        raise UserError(
            f"the loss of batch {bad} of step {step} is {float(self._losses[bad])}; the batch is in {path}. "
            f"Lower the learning rate ({self.args.learning_rate}) or use precision fp32, and continue from "
            f"the last checkpoint with resume=true or start anew"
        )

    # ------------------------------------------------------------------ checkpoints

    def _get_output_dir(self, trial: Any) -> str:
        """Where the base class writes a checkpoint; it is given its name when it is complete."""
        return str(self.out / "checkpoints" / saving.UNFINISHED)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        name = f"checkpoint-{self.state.global_step}"
        folder = self.out / "checkpoints"
        with saving.writing(name, self.out):
            super()._save_checkpoint(model, trial)
            wait()
            if self.args.should_save:
                saving.publish(folder / saving.UNFINISHED / name, folder / name)
                rotate_checkpoints(str(folder), self.args.save_total_limit)
            wait()

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.out)
        model = self.whole_model()
        if self.args.should_save:
            model.save_pretrained(folder)
        if self.average:
            self.average.save(folder)

    def whole_model(self, averaged: bool = False) -> GraphMER:
        """The model in one piece; all processes must ask for it. If it is sharded, only the first gets it."""
        model: GraphMER = self.accelerator.unwrap_model(self.model)
        state = self.average.state_dict(model) if averaged and self.average else model.state_dict()
        if self.sharded:
            state = sharding.gathered(state)
            model = GraphMER(model.config)
        if state and (self.sharded or averaged):
            model.load_state_dict(state)
        return model

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.sharded:
            super()._save_optimizer_and_scheduler(output_dir)
            return
        state = sharding.gathered_optimizer(self.optimizer)
        if self.args.should_save:
            torch.save(state, Path(output_dir) / OPTIMIZER_NAME)
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER_NAME)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if not self.sharded or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        files = (Path(checkpoint) / name for name in (OPTIMIZER_NAME, SCHEDULER_NAME))
        optimizer, scheduler = (torch.load(file, map_location="cpu", weights_only=True) for file in files)
        sharding.load_optimizer(self.optimizer, optimizer)
        self.lr_scheduler.load_state_dict(scheduler)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        saved = GraphMER.from_pretrained(resume_from_checkpoint)
        target = self.accelerator.unwrap_model(self.model if model is None else model)
        if saved.config != target.config:
            raise UserError(
                f"{resume_from_checkpoint} holds a model of another configuration; resume with that one, "
                "or train into another folder"
            )
        sharding.load_weights(target, saved.state_dict())
        if self.average:
            self.average.load(Path(resume_from_checkpoint))


def _relation_names(config: GraphMERConfig) -> list[str]:
    names = {index: name for name, index in config.relation_map.items()}
    return [names.get(index, str(index)) for index in range(config.num_relations)]


def _mixed(seed: int, batch: int) -> int:
    """A seed for each batch, far from those of its neighbours."""
    return (seed * 0x9E3779B97F4A7C15 + batch * 0xBF58476D1CE4E5B9 + 1) % 2**63
