"""Ways to compute the same, or nearly the same, in less memory or time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from graphmer_geo.errors import UserError

from .fakes import tiny_trainer


def trained(out: Path, **changes: object) -> dict[str, torch.Tensor]:
    trainer = tiny_trainer(out, max_steps=2, accumulation=2, **changes)
    trainer.train()
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def test_checkpointed_gradients_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphmer_geo.nn.encoder import LeafyChainEncoderLayer

    calls: list[bool] = []
    original = LeafyChainEncoderLayer.forward

    def forward(self: LeafyChainEncoderLayer, *args: object) -> torch.Tensor:
        calls.append(torch.is_grad_enabled())
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(LeafyChainEncoderLayer, "forward", forward)
    plain = trained(tmp_path / "a")
    assert len(calls) == 4
    again = trained(tmp_path / "b", gradient_checkpointing=True)
    assert len(calls) == 4 + 8  # each layer once more in the backward pass, with the same dropout
    assert all(torch.equal(plain[name], again[name]) for name in plain)


def test_the_compiled_encoder_is_used_and_names_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling for real takes half a minute; that it gives the same weights was tried by hand."""
    asked: list[dict[str, object]] = []
    calls: list[int] = []

    def fake_compile(function: Callable[..., object], **options: object) -> Callable[..., object]:
        asked.append(options)

        def compiled(*args: object) -> object:
            calls.append(len(args))
            return function(*args)

        return compiled

    monkeypatch.setattr(torch, "compile", fake_compile)
    plain, compiled = trained(tmp_path / "a"), trained(tmp_path / "b", compile="inductor")
    assert asked == [{"backend": "inductor", "dynamic": True}]
    assert len(calls) == 4
    assert all(torch.equal(plain[name], compiled[name]) for name in plain)
    assert plain.keys() == compiled.keys()


def test_the_average_is_what_it_says(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=1, ema_decay=0.75)
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    trainer.train()
    assert trainer.average is not None
    for name, parameter in trainer.model.named_parameters():
        expected = 0.75 * before[name] + 0.25 * parameter
        assert torch.allclose(trainer.average.values[name], expected, atol=1e-6), name
    with pytest.raises(UserError, match="ema_decay the run began with"):
        trainer.average.load(tmp_path)
