"""How much of a run is done, and what the learning rate is there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.distributed import from_first


def cosine_share(progress: float, warmup_share: float, min_share: float) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine down to ``min_share``."""
    progress = min(max(progress, 0.0), 1.0)
    if progress < warmup_share:
        return max(progress / warmup_share, 1e-3)
    falling = (progress - warmup_share) / max(1.0 - warmup_share, 1e-9)
    return min_share + (1.0 - min_share) * 0.5 * (1.0 + math.cos(math.pi * falling))


class Budget(TrainerCallback, ExportableState):
    """Ends a run at its step or time budget and tells how far it is. Time spent survives a resume."""

    def __init__(self, args: TrainArgs, clock: Callable[[], float] = time.monotonic) -> None:
        self.args, self.clock = args, clock
        self.spent = 0.0
        self._started: float | None = None

    def start(self) -> None:
        """Start the clock."""
        self._started = self.clock()

    def elapsed(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self.spent + (self.clock() - self._started if self._started is not None else 0.0)

    def progress(self, step: int) -> float:
        """Share of the budget used up after ``step`` optimiser steps, 0 to 1 and beyond."""
        by_step = step / self.args.max_steps if self.args.max_steps else 0.0
        by_time = from_first(self.elapsed()) / self.args.max_seconds if self.args.max_seconds else 0.0
        return max(by_step, by_time)

    def learning_rate_share(self, step: int) -> float:
        """See :func:`cosine_share`."""
        return cosine_share(self.progress(step), self.args.warmup_share, self.args.min_lr_share)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"args": {}, "attributes": {"spent": self.elapsed()}}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock, from where a resumed run had stopped it."""
        if state.global_step:
            saved: Any = state.stateful_callbacks  # read back as a dict, though declared a list
            self.spent = float(saved[type(self).__name__]["attributes"]["spent"])
        self.start()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop when the budget is used up; the last step is logged, whatever its number."""
        if self.progress(state.global_step) >= 1.0:
            control.should_training_stop = True
            control.should_log = True
