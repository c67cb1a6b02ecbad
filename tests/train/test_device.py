"""Where a run computes; what a machine cannot do is said before anything is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from graphmer_geo.errors import UserError
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.device import device_of, refuse_what_does_not_fit
from graphmer_geo.train.run import train
from graphmer_geo.train.run_folder import load_settings

from .fakes import tiny_trainer


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("processes", "changes", "message"),
    [
        (1, {"device": "cuda"}, "device is cuda, but torch finds no CUDA.*--device cpu --precision bf16"),
        (1, {"device": "tpu"}, "device is tpu, but torch_xla is not installed; install it"),
        (1, {"precision": "fp16"}, "precision is fp16, which needs a GPU; use bf16 or fp32"),
        (1, {"precision": "fp16", "device": "cpu"}, "precision is fp16, which needs a GPU"),
        (1, {"kernel": "flex"}, "kernel=flex needs CUDA"),
        (1, {"parallel": "fsdp"}, "parallel is fsdp, which needs several processes; start them"),
        (2, {"accumulation": 3}, "accumulation is 3, which 2 processes cannot share; make it a multiple"),
        (2, {"accumulation": 2, "parallel": "fsdp", "compile": "inductor"}, "compile is inductor.*use off"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    processes: int, changes: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphmer_geo.train.device.world", lambda: processes)
    args = TrainArgs(max_steps=1, **changes)
    with pytest.raises(UserError, match=message):
        train(tmp_path, tmp_path / "run", args)
    assert not (tmp_path / "run").exists()


def test_a_cpu_is_used_where_there_is_no_accelerator(tmp_path: Path) -> None:
    for device in ("auto", "cpu"):
        trainer = tiny_trainer(tmp_path / device, device=device)
        assert trainer.args.device.type == "cpu"
        assert trainer.model.embedding.token.weight.device.type == "cpu"
        assert not trainer.args.dataloader_pin_memory


def test_a_cpu_is_used_beside_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    assert device_of(TrainArgs(max_steps=1)) == "accelerator"
    assert device_of(TrainArgs(max_steps=1, device="cpu")) == "cpu"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "device is cuda, but torch finds no CUDA device"),
        ("kaggle", "device is cuda, but torch finds no CUDA device"),
        ("tpu", "device is tpu, but torch_xla is not installed"),
    ],
)
def test_configurations_for_other_machines_say_what_they_need(name: str, message: str) -> None:
    args = load_settings(name).args
    with pytest.raises(UserError, match=message):
        refuse_what_does_not_fit(args)
    refuse_what_does_not_fit(replace(args, device="cpu", precision="bf16"))  # and run here if told to
