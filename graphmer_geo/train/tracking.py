"""The log in TensorBoard or MLflow. Each needs its extra; what is logged is what ``log.jsonl`` has."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from graphmer_geo.data.config import INVERSE
from graphmer_geo.errors import UserError
from graphmer_geo.files import write_json
from graphmer_geo.registry import tracking_uri
from graphmer_geo.train.args import TrainArgs

#: Parameters in one request: MLflow's limit.
AT_ONCE = 100


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, float]:
    """Numbers of a line of the log, nested ones as ``mnm_by_relation/calls``."""
    numbers: dict[str, float] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            numbers |= flat(value, f"{above}{key}/")
        elif isinstance(value, int | float):
            numbers[above + key] = float(value)
    return numbers


class _Tracker(TrainerCallback):
    """Calls :meth:`write` for each line of the log, on the first process."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """One line."""
        if logs and "loss" in logs and state.is_world_process_zero:
            self.write(state.global_step, flat({k: v for k, v in logs.items() if k != "epoch"}))

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Pass numbers on."""
        raise NotImplementedError


class TensorBoardLog(_Tracker):
    """Scalars in ``RUN/tensorboard``; a resumed run goes on there.

    Args:
        out: the run folder.
        settings: of the run, shown as text.
    """

    def __init__(self, out: Path, settings: str) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(out / "tensorboard"))
        self.writer.add_text("settings", f"```yaml\n{settings}\n```")

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """One scalar each."""
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Flush."""
        self.writer.close()


class MlflowLog(_Tracker):
    """Metrics and parameters in one MLflow run per run folder; a resumed run goes on in the same one.

    Args:
        out: the run folder; ``mlflow.json`` there names the MLflow run.
        uri: tracking server or database; empty: ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db``.
        experiment: its name.
        parameters: of the run.
    """

    def __init__(self, out: Path, uri: str, experiment: str, parameters: Mapping[str, Any]) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Param

        self.client = MlflowClient(tracking_uri=tracking_uri(uri))
        note = out / "mlflow.json"
        if note.is_file():
            self.run_id: str = json.loads(note.read_text(encoding="utf-8"))["run_id"]
            return
        found = self.client.get_experiment_by_name(experiment)
        experiment_id = found.experiment_id if found else self.client.create_experiment(experiment)
        self.run_id = self.client.create_run(experiment_id, run_name=out.name).info.run_id
        told = [Param(key, str(value)) for key, value in parameters.items()]
        for first in range(0, len(told), AT_ONCE):
            self.client.log_batch(self.run_id, params=told[first : first + AT_ONCE])
        write_json(note, {"run_id": self.run_id, "tracking_uri": tracking_uri(uri)})

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """All of a line at once."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        named = {key.replace(INVERSE, ".inverse"): value for key, value in numbers.items()}
        self.client.log_batch(self.run_id, [Metric(key, value, now, step) for key, value in named.items()])

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Done."""
        with redirect_stdout(sys.stderr):  # it prints where to look
            self.client.set_terminated(self.run_id)


def trackers(args: TrainArgs, out: Path, settings: str, parameters: Mapping[str, Any]) -> list[_Tracker]:
    """The trackers asked for.

    Raises:
        UserError: the extra of one is not installed.
    """
    for name in args.trackers:
        if find_spec(name) is None:
            raise UserError(f"trackers has {name}, which is not installed: pip install 'graphmer-geo[track]'")
    make: dict[str, Callable[[], _Tracker]] = {
        "tensorboard": lambda: TensorBoardLog(out, settings),
        "mlflow": lambda: MlflowLog(out, args.mlflow_uri, args.experiment, parameters),
    }
    return [make[name]() for name in args.trackers]
