"""What happens around the training loop: a log file, a progress bar, a clean stop."""

from __future__ import annotations

import json
import logging
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from graphmer_geo.train.budget import Budget
from graphmer_geo.train.stream import TokenBudgetStream

logger = logging.getLogger(__name__)


class SeekStream(TrainerCallback):
    """Places the stream at the first batch of the step that training starts from."""

    def __init__(self, stream: TokenBudgetStream) -> None:
        self.stream = stream

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The step is known now, and no batch has been read."""
        self.stream.start = state.global_step * args.gradient_accumulation_steps


class JsonlLog(TrainerCallback):
    """Appends every logged line to a JSONL file; a resume first drops lines past its checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep what the run had logged up to the step it starts from."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in lines if json.loads(line)["step"] <= state.global_step and state.global_step]
        self.path.write_text("".join(f"{line}\n" for line in kept))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write one line."""
        if logs and "loss" in logs:
            record = {"step": state.global_step} | {k: v for k, v in logs.items() if k != "epoch"}
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")
            logger.info("%s", " ".join(f"{k}={v:.4g}" for k, v in record.items()))


class ProgressBar(TrainerCallback):
    """A bar over the budget with the latest losses; nothing at all where output is not a terminal."""

    def __init__(self, budget: Budget) -> None:
        console = Console(stderr=True)
        self.budget = budget
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=not console.is_terminal,
        )
        self.task: TaskID | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Show the bar."""
        self.task = self.bar.add_task("", total=1.0)
        self.bar.start()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Move the bar."""
        if self.task is not None:
            self.bar.update(self.task, completed=min(self.budget.progress(state.global_step), 1.0))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show the losses."""
        if self.task is not None and logs:
            shown = {k: logs[k] for k in ("mlm", "mnm", "rank", "tokens_per_second") if k in logs}
            text = " ".join(f"{k} {v:.3g}" for k, v in shown.items())
            self.bar.update(self.task, description=f"step {state.global_step} {text}")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave the bar as it is."""
        self.bar.stop()


class GracefulStop(TrainerCallback):
    """Turns the first Ctrl-C into "finish this step, save, stop"; the second one interrupts at once.

    A context manager. Signals reach only the main thread; elsewhere it does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> GracefulStop:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        logger.warning("stopping after this step; interrupt again to stop without a checkpoint")
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Save and stop if asked to."""
        if self.requested:
            control.should_save = True
            control.should_training_stop = True
