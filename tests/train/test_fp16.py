"""Half precision with scaled losses: the same code as on a card, on a CPU whose torch can do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.amp import GradScaler
from transformers import TrainerCallback

from graphmer_geo.train.trainer import LeafyChainTrainer

from .fakes import tiny_trainer


@pytest.fixture(autouse=True)
def half_precision_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Trainer lets fp16 pass on a CPU without using it; :func:`half` switches it on."""
    monkeypatch.setattr("graphmer_geo.train.trainer.refuse_what_does_not_fit", lambda args: None)


def half(out: Path, scale: float = 2.0**10, **changes: Any) -> LeafyChainTrainer:
    trainer = tiny_trainer(out, precision="fp16", **changes)
    trainer.accelerator.native_amp = True
    trainer.accelerator.scaler = GradScaler("cpu", init_scale=scale, growth_interval=2)
    return trainer


def weights(trainer: LeafyChainTrainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def test_scaled_half_precision_follows_full_precision(tmp_path: Path) -> None:
    types: set[torch.dtype] = set()
    trainer = half(tmp_path / "half", max_steps=3, accumulation=2)
    trainer.model.encoder.layers[0].up.register_forward_hook(lambda m, a, out: types.add(out.dtype))
    trainer.train()
    assert types == {torch.float16}
    full = tiny_trainer(tmp_path / "full", max_steps=3, accumulation=2)
    full.train()
    assert all(p.dtype == torch.float32 for p in trainer.model.parameters())
    for a, b in zip(full.state.log_history[:3], trainer.state.log_history[:3], strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=0.02)
        assert b["grad_norm"] == pytest.approx(a["grad_norm"], rel=0.05)  # of gradients that are not scaled
        assert b["loss"] != a["loss"]
    assert trainer.accelerator.scaler.get_scale() == 2.0**11  # after two steps without overflow


def test_a_step_that_overflows_changes_nothing(tmp_path: Path) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    trainer = half(tmp_path, scale=2.0**60, max_steps=2)

    class Watch(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            seen.append(weights(trainer))
            trainer.accelerator.scaler.update(2.0**4)

    before = weights(trainer)
    trainer.add_callback(Watch())
    trainer.train()
    assert all(torch.equal(before[name], seen[0][name]) for name in before)
    assert any(not torch.equal(seen[0][name], seen[1][name]) for name in before)
    assert all(value.isfinite().all() for value in seen[1].values())


def test_a_resumed_run_has_the_scale_it_had(tmp_path: Path) -> None:
    whole = half(tmp_path / "whole", max_steps=6, save_steps=3)
    whole.train()
    second = half(tmp_path / "parts", scale=1.0, max_steps=6)
    second.train(resume_from_checkpoint=str(tmp_path / "whole/checkpoints/checkpoint-3"))
    assert second.accelerator.scaler.get_scale() == whole.accelerator.scaler.get_scale() > 2.0**10
    a, b = weights(whole), weights(second)
    assert all(torch.equal(a[name], b[name]) for name in a)
