from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import train_base
from benchmarks.compare import tables
from benchmarks.speed import yardstick
from benchmarks.tables import speed, training
from graphmer_geo.data import DataConfig, prepare
from graphmer_geo.results import commit, read_result
from tests.data.standin import StandInKG


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train-base")
    for name, roots in (("data", 128), ("short", 96)):
        prepare(StandInKG(), folder / name, DataConfig(vocab_size=500, max_roots=roots, min_roots=5))
    return folder


def measure(work: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """The script in this process, with tiny encoders."""
    folders = [word for name in ("data", "short", "work") for word in (f"--{name}", str(work / name))]
    argv = ["train_base", "--tiny", "--threads", "1", *folders, "--out", str(work / "results"), *words]
    monkeypatch.setattr(sys, "argv", argv)
    train_base.main()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The yardstick at a length that takes no time."""
    monkeypatch.setattr(yardstick, "LENGTH", 16)
    monkeypatch.setattr(yardstick, "VOCABULARY", 100)


@pytest.mark.usefixtures("quick")
def test_steps_are_measured_beside_the_yardstick(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(work, monkeypatch, "--parts", "base")
    done = read_result(work / "results/train-base.json")
    assert done["command"] == (
        "python -m benchmarks.train_base --parts base --device cpu --threads 1 --precision bf16"
    )
    metrics = done["metrics"]
    short, longer, fuller = metrics["runs"]
    assert (short["steps"], longer["steps"], fuller["steps"]) == (3, 6, 2)
    assert short["held_out"]["before"] == longer["held_out"]["before"]  # the same weights and masks
    assert longer["held_out"]["after"]["mlm"] < longer["held_out"]["before"]["mlm"]
    assert fuller["tokens"] / 2 > longer["tokens"] / 6
    assert longer["tokens"] == sum(line["tokens"] for line in longer["curve"])
    assert longer["tokens_per_second"] == pytest.approx(longer["tokens"] / longer["seconds"], rel=1e-3)
    assert len(metrics["yardstick"]) == 2
    now = sum(metrics["yardstick"]) / 2
    for run in metrics["runs"]:
        assert run["transformer_on_the_same_batches"] > 0
        # how many times the yardstick it is, over how many times the yardstick the earlier system was
        expected = [run["tokens_per_second"] / now / (rate / 256) for rate in (153, 236)]
        assert run["times_earlier"] == pytest.approx(expected, rel=1e-3)
    text = tables(training.render, work / "results")
    assert "### Base size on a CPU" in text
    assert "masked nodes" in text
    assert tables(speed.render, work / "results") == ""


def test_a_run_for_a_time_has_a_curve(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(work, monkeypatch, "--parts", "small")
    metrics = read_result(work / "results/train-small.json")["metrics"]
    (run,) = metrics["runs"]
    assert run["seconds"] >= 3.0
    assert run["curve"][-1]["step"] == run["steps"]
    assert run["sessions"] == 1
    text = tables(training.render, work / "results")
    assert "At least 2,000,000 tokens: **no**. Sessions: 1." in text
    assert text.rstrip().splitlines()[-1].startswith(f"| {run['steps']:,} | 0.1 | {run['tokens']:,} |")


def test_a_run_that_was_stopped_goes_on(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphmer_geo.train.callbacks import GracefulStop

    original = GracefulStop.on_step_end

    def interrupt(self: GracefulStop, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.requested = state.global_step == 2
        original(self, args, state, control, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(GracefulStop, "on_step_end", interrupt)
        with pytest.raises(SystemExit, match=r"stopped at step 2;.*the same command again"):
            measure(work, monkeypatch, "--parts", "small")
    described = work / "work/runs/small/train_args.json"
    measure(work, monkeypatch, "--parts", "small")
    (run,) = read_result(work / "results/train-small.json")["metrics"]["runs"]
    assert run["sessions"] == 2
    steps = [line["step"] for line in run["curve"]]
    assert steps[0] == 2
    assert steps == sorted(set(steps))
    assert run["tokens"] == sum(line["tokens"] for line in run["curve"])
    # what was begun by other code is not gone on with, unless it is complete and makes way
    said = json.loads(described.read_text())
    said["sessions"][0]["code"]["commit"] = "0" * 40
    described.write_text(json.dumps(said))
    train_base.refuse_other_code(described.parent)
    (described.parent / "metrics.json").unlink()
    if commit():
        with pytest.raises(SystemExit, match="was begun by commit 0000"):
            measure(work, monkeypatch, "--parts", "small")


def test_a_card_is_asked_for_where_there_is_one(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit):
        measure(work, monkeypatch, "--device", "cuda")
    assert "torch sees no CUDA device here" in capsys.readouterr().err
