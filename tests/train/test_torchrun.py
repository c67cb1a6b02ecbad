"""The command of docs/training.md, with two processes on a CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from graphmer_geo.data import DataConfig, prepare
from graphmer_geo.models import GraphMER
from graphmer_geo.train.run import train
from graphmer_geo.train.run_folder import RunSettings, load_settings
from tests.data.standin import StandInKG

ROOT = Path(__file__).parents[2]
CHANGES = {"max_steps": 3, "accumulation": 4, "batch_tokens": 256, "log_steps": 1, "save_steps": 3,
           "threads": 1, "ema_decay": 0.5}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, min_roots=5))
    return path


def settings() -> RunSettings:
    return load_settings("tiny", **CHANGES, model={"hidden_size": 32})


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process that does what two shall do."""
    threads = torch.get_num_threads()
    made, out = settings(), tmp_path_factory.mktemp("alone") / "run"
    train(data, out, made.args, made.model, made.chain)
    torch.set_num_threads(threads)
    return out


def torchrun(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m",
               "graphmer_geo", "train", *words]  # fmt: skip
    env = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=500)


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_torchrun_follows_the_curve_of_one_process(
    data: Path, alone: Path, tmp_path: Path, parallel: str
) -> None:
    made = settings()
    config, out = tmp_path / "mine.yaml", tmp_path / "run"
    config.write_text(replace(made, args=replace(made.args, parallel=parallel)).to_yaml())  # type: ignore[arg-type]
    done = torchrun("--config", str(config), "--data", str(data), "--out", str(out))
    assert done.returncode == 0, done.stderr[-3000:]
    logs = [
        [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in (alone, out)
    ]
    assert [line["step"] for line in logs[1]] == [1, 2, 3]
    for a, b in zip(*logs, strict=True):
        for name in ("loss", "mlm", "rank", "grad_norm", "chains_per_batch", "tokens"):
            assert b[name] == pytest.approx(a[name], rel=2e-4), (a["step"], name)
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["processes"] == 2
    assert metrics["parameters"] == json.loads((alone / "metrics.json").read_text())["parameters"]
    for folder in ("", "checkpoints/checkpoint-3"):  # the averaged weights, and those of the last step
        a, b = (GraphMER.from_pretrained(run / folder).state_dict() for run in (alone, out))
        apart = torch.cat([(a[name].double() - b[name].double()).abs().flatten() for name in a])
        assert apart.mean() < 1e-5
    assert {p.name for p in out.iterdir()} == {p.name for p in alone.iterdir()}
