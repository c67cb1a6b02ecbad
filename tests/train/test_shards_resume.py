"""A run over real data in shards that is killed goes on to the same weights, whoever reads the rest."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from graphmer_geo.data import DataConfig, DataFolder, prepare
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train
from tests.data.standin import StandInKG

from .fakes import ended, started

TINY = GraphMERConfig.small(hidden_size=16, num_layers=1, num_heads=2, ffn_size=32, popularity_buckets=64)
ARGS = TrainArgs(
    max_steps=12, batch_tokens=512, accumulation=2, log_steps=1, save_steps=3, learning_rate=1e-2
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So few batches that the run passes through several epochs."""
    folder = tmp_path_factory.mktemp("shards") / "data"
    config = DataConfig(vocab_size=500, max_roots=64, min_roots=5, shard_bytes=700, fractions=(0.6, 0.2, 0.2))
    prepare(StandInKG(), folder, config)
    assert len(DataFolder.open(folder).shards("train")) >= 3
    return folder


class Dies(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs) -> None:  # type: ignore[no-untyped-def]
        if state.global_step == 8:
            os.kill(os.getpid(), signal.SIGKILL)


def dies(data: Path, out: Path, workers: int) -> None:
    multiprocessing.set_start_method("fork", force=True)  # a child of a fork server would use that
    train(data, out, replace(ARGS, workers=workers), TINY, callbacks=[Dies()])


@pytest.mark.parametrize("workers", [(0, 2), (2, 0)])
def test_killed_and_resumed_with_other_workers(data: Path, tmp_path: Path, workers: tuple[int, int]) -> None:
    whole = train(data, tmp_path / "whole", ARGS, TINY)
    out = tmp_path / "killed"
    assert ended(started(dies, data, out, workers[0])) == -signal.SIGKILL
    assert not (out / "model.safetensors").exists()
    train(data, out, replace(ARGS, workers=workers[1], resume=True), TINY)
    a, b = (load_file(folder / "model.safetensors") for folder in (whole, out))
    assert not [name for name in a if not torch.equal(a[name], b[name])]
