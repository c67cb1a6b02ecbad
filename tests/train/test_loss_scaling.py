"""However a step is split over batches and processes, it is the same step."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from graphmer_geo.data.collate import collate
from graphmer_geo.errors import UserError
from graphmer_geo.train.callbacks import JsonlLog
from graphmer_geo.train.distributed import process_group
from graphmer_geo.train.stream import TokenBudgetStream

from .fakes import FakeSource, ended, fake_sampler, started, tiny_trainer


def whole_pool_stream(budget: int) -> TokenBudgetStream:
    """Every entity is a candidate in every batch, so that batches can be joined."""
    return TokenBudgetStream(FakeSource(9), budget, 0, fake_sampler(size=10_000))


def gradients_of_a_step(out: Path, budget: int, accumulation: int) -> tuple[dict[str, torch.Tensor], float]:
    trainer = tiny_trainer(
        out, whole_pool_stream(budget), max_steps=1, accumulation=accumulation, max_grad_norm=1e9
    )
    trainer.model.eval()
    trainer.model.train = lambda mode=True: trainer.model  # no dropout
    found: dict[str, torch.Tensor] = {}

    class Catch(TrainerCallback):
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            found.update({n: p.grad.clone() for n, p in kwargs["model"].named_parameters()})

    trainer.add_callback(Catch())
    trainer.train()
    return found, trainer.state.log_history[0]["loss"]


def test_accumulated_ragged_batches_equal_one_big_batch(tmp_path: Path) -> None:
    plan = whole_pool_stream(130).plan(0)
    assert len({len(batch) for batch in plan}) > 1  # of different sizes
    parts, loss = gradients_of_a_step(tmp_path / "parts", 130, len(plan))
    whole, whole_loss = gradients_of_a_step(tmp_path / "whole", 10_000, 1)
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    for name, gradient in whole.items():
        assert torch.allclose(parts[name], gradient, atol=1e-6, rtol=1e-4), name
    targets = [collate([FakeSource(9)[i] for i in chains])["mlm_label"].numel() for chains in plan]
    assert len(set(targets)) > 1  # so a mean of the batches' means would be another number


def run(out: Path) -> None:
    with process_group():
        trainer = tiny_trainer(out, max_steps=4, accumulation=4, learning_rate=3e-3)
        trainer.add_callback(JsonlLog(out / "log.jsonl"))
        trainer.train()
        trainer._save(str(out / f"model{trainer.args.process_index}"))


def test_two_processes_follow_the_curve_of_one(tmp_path: Path) -> None:
    """Dropout is on: what is drawn belongs to the batch, not to the process."""
    run(tmp_path / "one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [
        started(
            run,
            tmp_path / "two",
            environment={"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2",
                         "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)},
        )
        for rank in range(2)
    ]  # fmt: skip
    assert [ended(child) for child in children] == [0, 0]
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    assert [line["step"] for line in logs[1]] == [1, 2, 3, 4]
    for one, two in zip(*logs, strict=True):
        for name in ("loss", "mlm", "mnm", "rank", "grad_norm", "rank_acc", "chains_per_batch"):
            assert two[name] == pytest.approx(one[name], rel=2e-4), name
    a, b = (load_file(tmp_path / name / "model0/model.safetensors") for name in ("one", "two"))
    apart = torch.cat([(a[name].float() - b[name].float()).abs().flatten() for name in a])
    assert apart.mean() < 1e-5  # each step moves a weight by up to 3e-3, whatever the size of its gradient


def test_processes_that_cannot_share_a_step_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphmer_geo.train.trainer.world", lambda: 2)
    with pytest.raises(UserError, match="accumulation is 3, which 2 processes cannot share"):
        tiny_trainer(tmp_path, accumulation=3)
