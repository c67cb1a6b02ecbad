"""What happens around the training loop: a log file, a progress bar, a clean stop."""

from __future__ import annotations

import json
import logging
import math
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from graphmer_geo.files import complete_lines, write_text
from graphmer_geo.train.budget import Budget
from graphmer_geo.train.curriculum import CurriculumStream, Phase
from graphmer_geo.train.distributed import any_process, rank
from graphmer_geo.train.saving import writing
from graphmer_geo.train.stream import SeekableStream

logger = logging.getLogger(__name__)


class SeekStream(TrainerCallback):
    """Places the stream at the first batch of the step that training starts from."""

    def __init__(self, stream: SeekableStream) -> None:
        self.stream = stream

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The step is known now, and no batch has been read."""
        self.stream.start = state.global_step * args.gradient_accumulation_steps


class AnnouncePhases(TrainerCallback):
    """Says when a run goes on to longer chains, and adds ``max_roots`` to each line of the log."""

    def __init__(self, stream: CurriculumStream) -> None:
        self.stream = stream
        self.current: Phase | None = None

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Compare with the step before; at a switch the lines of the two phases are kept apart."""
        phase = self.stream.phase_at(state.global_step)
        if phase != self.current and state.is_world_process_zero:
            logger.info("step %d: chains of up to %d root tokens", state.global_step, phase.roots)
        self.current = phase

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the line of a phase with its last step."""
        if self.stream.phase_at(state.global_step) != self.current:
            control.should_log = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add the length; this callback comes before those that write."""
        if logs and "loss" in logs and self.current:
            logs["max_roots"] = self.current.roots


class JsonlLog(TrainerCallback):
    """Appends every logged line to a JSONL file; a resume first drops lines past its checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep what the run had logged up to the step it starts from."""
        if state.is_world_process_zero:
            lines = complete_lines(self.path)
            kept = [line for line in lines if line["step"] <= state.global_step and state.global_step]
            write_text(self.path, "".join(f"{json.dumps(line)}\n" for line in kept))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write one line."""
        if logs and "loss" in logs and state.is_world_process_zero:
            record = {"step": state.global_step} | {k: v for k, v in logs.items() if k != "epoch"}
            with writing("the log", self.path.parent), self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")
            numbers = {key: value for key, value in record.items() if isinstance(value, int | float)}
            logger.info("%s", " ".join(f"{key}={value:.4g}" for key, value in numbers.items()))


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
            disable=not console.is_terminal or rank() != 0,
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
            shown = {k: logs[k] for k in ("mlm", "mnm", "sbo", "rank", "tokens_per_second") if k in logs}
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

    Args:
        seconds: ask for it after this time, where a session is limited.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.requested = False
        self._until = time.monotonic() + seconds if seconds else math.inf
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
        """Save and stop if asked to; what was not logged yet is logged first."""
        self.requested = any_process(self.requested or time.monotonic() >= self._until)
        if self.requested:
            control.should_log = control.should_save = True
            control.should_training_stop = True
