from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.tracking import TensorBoardLog, flat, trackers

from .fakes import tiny_trainer


def test_nested_numbers_get_a_path() -> None:
    line = {"loss": 1, "mnm_by_relation": {"calls": 0.5}, "note": "x", "deep": {"a": {"b": 2.0}}}
    assert flat(line) == {"loss": 1.0, "mnm_by_relation/calls": 0.5, "deep/a/b": 2.0}


def test_tensorboard_reads_what_the_log_has(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    trainer = tiny_trainer(tmp_path, max_steps=3)
    trainer.add_callback(TensorBoardLog(tmp_path, "max_steps: 3"))
    trainer.train()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    for name in ("loss", "mlm", "grad_norm", "tokens_per_second"):
        found = [(event.step, event.value) for event in events.Scalars(name)]
        assert found == [(entry["step"], pytest.approx(entry[name], rel=1e-6)) for entry in logged], name
    assert any(tag.startswith("mnm_by_relation/") for tag in events.Tags()["scalars"])


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphmer_geo.train.tracking.find_spec", lambda name: None)
    args = TrainArgs(max_steps=1, trackers=("mlflow",))
    with pytest.raises(UserError, match=r"not installed: pip install 'graphmer-geo\[track\]'"):
        trackers(args, tmp_path, "", {})
