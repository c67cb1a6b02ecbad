"""Warnings about a run that nobody is watching: the log, a file, and if wanted a webhook."""

from __future__ import annotations

import json
import logging
import statistics
import threading
import urllib.request
from collections import deque
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from graphmer_geo.errors import UserError

logger = logging.getLogger(__name__)

#: Lines of the log that a new one is compared with, and how many there must be.
LOOK_BACK, ENOUGH = 20, 5
#: A loss this far above the usual, in medians of the usual distance from it, and at least by this share.
SPIKE_DISTANCES, SPIKE_SHARE = 6.0, 0.2
#: Throughput below this share of the usual; waiting for data above this share of the time.
SLOW_SHARE, WAIT_SHARE = 0.5, 0.5
WEBHOOK_TIMEOUT = 5.0  # seconds


class Alerts(TrainerCallback):
    """Warns of loss spikes, falling throughput, starving on data, and of no step at all.

    Each alert is a warning in the log and a line of ``alerts.jsonl``; with a webhook it is also posted there
    as JSON (``{"text": …, "alert": …, "step": …, "run": …}``), in a thread of its own, and what goes wrong
    with that stops nothing.

    Args:
        out: the run folder.
        webhook: an http(s) address; empty: none.
        stall_seconds: warn if no step ends for so long.
    """

    def __init__(self, out: Path, webhook: str = "", stall_seconds: float = 600.0) -> None:
        if webhook and not webhook.startswith(("http://", "https://")):
            raise UserError(f"alert_webhook is {webhook!r}; give an address that begins with http(s)://")
        self.out, self.webhook, self.stall_seconds = out, webhook, stall_seconds
        self._losses: deque[float] = deque(maxlen=LOOK_BACK)
        self._speeds: deque[float] = deque(maxlen=LOOK_BACK)
        self._step = 0
        self._moved, self._done = threading.Event(), threading.Event()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start to watch for stalls."""
        self._done.clear()
        threading.Thread(target=self._watch, name="stall-watch", daemon=True).start()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """It moves."""
        self._step = state.global_step
        self._moved.set()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop watching."""
        self.close()

    def close(self) -> None:
        """Stop watching, also after a run that failed."""
        self._done.set()
        self._moved.set()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Compare a line of the log with those before."""
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        if (usual := _spike(logs["loss"], self._losses)) is not None:
            self.alert("loss spike", f"loss {logs['loss']:.4g}, usually {usual:.4g}")
        else:
            self._losses.append(logs["loss"])  # a spike is not what is usual
        speed = logs["tokens_per_second"]
        if len(self._speeds) >= ENOUGH and speed < SLOW_SHARE * (usual := statistics.median(self._speeds)):
            self.alert("falling throughput", f"{speed:.0f} tokens/s, usually {usual:.0f}")
        self._speeds.append(speed)
        if logs["data_wait"] > WAIT_SHARE:
            self.alert(
                "waiting for data", f"{logs['data_wait']:.0%} of the time; raise workers ({_workers(args)})"
            )

    def alert(self, kind: str, text: str) -> None:
        """Tell everyone."""
        logger.warning("alert at step %d: %s: %s", self._step, kind, text)
        record = {"step": self._step, "alert": kind, "text": text}
        with (self.out / "alerts.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if self.webhook:
            message = f"{self.out.name}, step {self._step}: {kind}: {text}"
            body = json.dumps(record | {"run": str(self.out), "text": message}).encode()
            threading.Thread(target=self._post, args=(body,), daemon=True).start()

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(self.webhook, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT):
                pass
        except (OSError, ValueError) as error:
            logger.warning("the webhook could not be reached: %s", error)

    def _watch(self) -> None:
        while not self._done.is_set():
            if not self._moved.wait(self.stall_seconds):
                self.alert("stalled", f"no step for {self.stall_seconds:g} seconds")
                self._moved.wait()  # once per stall
            self._moved.clear()


def _spike(loss: float, before: deque[float]) -> float | None:
    """The usual loss, if ``loss`` is far above it."""
    if len(before) < ENOUGH:
        return None
    usual = statistics.median(before)
    spread = statistics.median(abs(value - usual) for value in before)
    return usual if loss > usual + max(SPIKE_DISTANCES * spread, SPIKE_SHARE * abs(usual)) else None


def _workers(args: TrainingArguments) -> int:
    return int(args.dataloader_num_workers)
