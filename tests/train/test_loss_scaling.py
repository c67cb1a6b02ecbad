"""However a step is split over batches and processes, it is the same step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from graphmer_geo.data.collate import collate
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER
from graphmer_geo.train.callbacks import JsonlLog
from graphmer_geo.train.distributed import process_group
from graphmer_geo.train.stream import TokenBudgetStream

from .fakes import FakeSource, fake_sampler, tiny_trainer, together


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


def run(out: Path, changes: dict[str, Any], start: Path | None = None) -> None:
    """Four steps, or those after a checkpoint."""
    torch.set_num_threads(1)
    with process_group():
        steps(out, changes, start)


def steps(out: Path, changes: dict[str, Any], start: Path | None) -> None:
    """The trainer is gone before the group is, as in :func:`graphmer_geo.train.run.train`."""
    trainer = tiny_trainer(out, max_steps=4, accumulation=4, learning_rate=3e-3, save_steps=2, **changes)
    trainer.add_callback(JsonlLog(out / "log.jsonl"))
    trainer.train(resume_from_checkpoint=str(start) if start else None)


def assert_the_same_curve(one: Path, two: Path, numbers: list[int]) -> None:
    """Up to the order of a sum, in what is logged, in the weights and in their average."""
    logs = [
        {line["step"]: line for line in map(json.loads, (out / "log.jsonl").read_text().splitlines())}
        for out in (one, two)
    ]
    assert sorted(logs[1]) == numbers
    for step in numbers:
        for name in ("loss", "mlm", "mnm", "rank", "grad_norm", "rank_acc", "chains_per_batch"):
            assert logs[1][step][name] == pytest.approx(logs[0][step][name], rel=2e-4), (step, name)
    for file in ("model.safetensors", "average.safetensors"):
        a, b = (load_file(out / "checkpoints/checkpoint-4" / file) for out in (one, two))
        assert a.keys() == b.keys()
        apart = torch.cat([(a[name].float() - b[name].float()).abs().flatten() for name in a])
        assert apart.mean() < 1e-5  # each step moves a weight by up to 3e-3, whatever its gradient's size


AVERAGE = {"ema_decay": 0.5}


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_follow_the_curve_of_one(tmp_path: Path, parallel: str) -> None:
    """Dropout is on: what is drawn belongs to the batch, not to the process.

    Checkpoints do not show how many processes wrote them, nor what each of them held.
    """
    one, two = tmp_path / "one", tmp_path / "two"
    run(one, AVERAGE)
    several = AVERAGE | {"parallel": parallel}
    assert together(run, two, several) == [0, 0]
    assert_the_same_curve(one, two, [1, 2, 3, 4])
    model = GraphMER.from_pretrained(two / "checkpoints/checkpoint-4")
    assert sum(p.numel() for p in model.parameters()) == sum(model.num_parameters_by_part().values())
    half = "checkpoints/checkpoint-2"
    run(tmp_path / "alone", AVERAGE, two / half)
    assert together(run, tmp_path / "begun-alone", several, one / half) == [0, 0]
    for name in ("alone", "begun-alone"):
        assert_the_same_curve(one, tmp_path / name, [3, 4])


def test_processes_that_cannot_share_a_step_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphmer_geo.train.device.world", lambda: 2)
    with pytest.raises(UserError, match="accumulation is 3, which 2 processes cannot share"):
        tiny_trainer(tmp_path, accumulation=3)
