from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.budget import Budget, cosine_share
from graphmer_geo.train.callbacks import GracefulStop, JsonlLog
from graphmer_geo.train.saving import last_checkpoint
from graphmer_geo.train.stream import Batch

from .fakes import fake_stream, tiny_trainer


class StopAt(TrainerCallback):
    """Saves and stops after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            control.should_save = control.should_training_stop = True


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert not different


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, workers: int) -> None:
    """Epochs are shorter than the run, the break falls inside one, and dropout is on."""
    assert all(len(fake_stream().plan(e)) < 5 for e in range(4))
    whole = tiny_trainer(tmp_path / "whole", max_steps=9, workers=workers)
    whole.train()

    first = tiny_trainer(tmp_path / "parts", max_steps=9, workers=workers)
    first.add_callback(StopAt(5))
    first.train()
    assert first.state.global_step == 5
    torch.manual_seed(99)  # a new process has another random state
    second = tiny_trainer(tmp_path / "parts", max_steps=9, workers=workers)
    with torch.no_grad():
        for parameter in second.model.parameters():
            parameter.zero_()  # everything must come from the checkpoint
    second.train(resume_from_checkpoint=str(tmp_path / "parts/checkpoints/checkpoint-5"))
    assert second.state.global_step == 9
    assert_equal(weights(second.model), weights(whole.model))


def test_accumulation_beyond_an_epoch_still_steps(tmp_path: Path) -> None:
    """An earlier system made 0 optimiser steps because its accumulation exceeded its batches."""
    trainer = tiny_trainer(tmp_path, max_steps=2, accumulation=8)
    read, steps = [], []
    original = trainer.stream.batch

    def batch(index: int) -> Batch:
        read.append(index)
        return original(index)

    class CountSteps(TrainerCallback):
        def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            steps.append(state.global_step)

    trainer.stream.batch = batch  # type: ignore[method-assign]
    before = weights(trainer.model)
    trainer.add_callback(CountSteps())
    trainer.train()
    assert steps == [0, 1]
    assert read == list(range(16))
    assert all(not torch.equal(before[n], p) for n, p in trainer.model.named_parameters() if "encoder" in n)


def test_each_loss_is_logged_as_a_mean_of_its_own(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=4, log_steps=2, learning_rate=1e-5)
    trainer.add_callback(JsonlLog(tmp_path / "log.jsonl"))
    trainer.train()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    for name in (
        "mlm",
        "mnm",
        "rank",
        "mlm_acc",
        "rank_acc",
        "tokens_per_second",
        "steps_per_second",
        "chains_per_batch",
        "memory_mib",
        "learning_rate",
        "grad_norm",
    ):
        assert all(name in line for line in lines), name
        assert all(line[name] >= 0 for line in lines), name
    assert all(0 <= line["data_wait"] < 1 for line in lines)
    assert lines[0]["mlm"] == pytest.approx(5.3, abs=0.5)  # log(200): a mean per token


def test_masked_nodes_are_told_by_relation(tmp_path: Path) -> None:
    """The accuracy per relation, weighed by its targets, is the accuracy of all."""
    trainer = tiny_trainer(tmp_path, max_steps=3, log_steps=3)
    targets: Counter[str] = Counter()
    original = trainer.stream.batch

    def batch(index: int) -> Batch:
        made = original(index)
        leaf = [made["leaf_index"].tolist().index(node) for node in made["mnm_index"].tolist()]
        targets.update(str(int(made["triple_rel"][made["leaf_triple"][place]])) for place in leaf)
        return made

    trainer.stream.batch = batch  # type: ignore[method-assign]
    trainer.train()
    line = trainer.state.log_history[0]
    by_relation = line["mnm_by_relation"]
    assert by_relation.keys() == targets.keys()
    mean = sum(by_relation[name] * targets[name] for name in targets) / targets.total()
    assert mean == pytest.approx(line["mnm_acc"], abs=1e-3)


def test_a_resumed_log_has_each_step_once(tmp_path: Path) -> None:
    for max_steps, resume in ((3, None), (4, "checkpoint-2")):
        trainer = tiny_trainer(tmp_path, max_steps=max_steps, save_steps=2)
        trainer.add_callback(JsonlLog(tmp_path / "log.jsonl"))
        trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoints" / resume) if resume else None)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4]


def test_training_learns(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=60, log_steps=20)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[-1] < 0.9 * losses[0]


def test_bf16_trains_float32_weights(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=2, precision="bf16")
    trainer.train()
    assert all(p.dtype == torch.float32 for p in trainer.model.parameters())


def test_a_time_budget_completes_the_schedule() -> None:
    now = [0.0]
    args = TrainArgs(max_seconds=100, warmup_share=0.1, min_lr_share=0.05)
    budget = Budget(args, clock=lambda: now[0])
    budget.start()
    shares = []
    for second in range(0, 101, 5):
        now[0] = float(second)
        shares.append(budget.learning_rate_share(step=second))
    assert shares[1] == pytest.approx(0.5)
    assert max(shares) == shares[2] == 1.0
    assert shares[-1] == pytest.approx(0.05)
    assert shares[2:] == sorted(shares[2:], reverse=True)
    assert budget.progress(1) == 1.0


def test_time_spent_survives_a_resume(tmp_path: Path) -> None:
    tiny_trainer(tmp_path, max_steps=2, save_steps=2).train()
    state = json.loads((tmp_path / "checkpoints/checkpoint-2/trainer_state.json").read_text())
    spent = state["stateful_callbacks"]["Budget"]["attributes"]["spent"]
    assert spent > 0
    second = tiny_trainer(tmp_path, max_steps=4)
    second.train(resume_from_checkpoint=str(tmp_path / "checkpoints/checkpoint-2"))
    assert second.budget.spent == spent


def test_max_seconds_alone_stops(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=None, max_seconds=1.0)
    trainer.train()
    assert trainer.state.global_step > 0


def test_ctrl_c_saves_and_stops(tmp_path: Path) -> None:
    class Interrupt(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 2:
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    trainer = tiny_trainer(tmp_path, max_steps=50)
    with GracefulStop() as stop:
        trainer.add_callback(Interrupt())
        trainer.add_callback(stop)
        trainer.train()
    assert stop.requested
    assert trainer.state.global_step == 3
    saved = GraphMER.from_pretrained(tmp_path / "checkpoints/checkpoint-3")
    assert_equal(weights(saved), weights(trainer.model))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_loss_that_is_not_finite_stops_the_run_and_its_batch_is_kept(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, accumulation=2, save_steps=1)
    original = trainer.stream.batch

    def batch(index: int) -> Batch:
        if index == 5:  # the second of the third step
            with torch.no_grad():
                trainer.model.embedding.token.weight.fill_(float("nan"))
        return original(index)

    trainer.stream.batch = batch  # type: ignore[method-assign]
    with pytest.raises(UserError, match=r"batch \d of step 3 is nan.*Lower the learning rate") as caught:
        trainer.train()
    path = next(tmp_path.glob("nonfinite-*.safetensors"))
    assert str(path) in str(caught.value)
    kept = load_file(path)
    assert any(torch.equal(kept["tok"], original(index)["tok"]) for index in (4, 5))
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoints/checkpoint-2"
    saved = GraphMER.from_pretrained(tmp_path / "checkpoints/checkpoint-2")
    assert all(value.isfinite().all() for value in saved.state_dict().values())


def test_another_configuration_is_refused_on_resume(tmp_path: Path) -> None:
    tiny_trainer(tmp_path, max_steps=1, save_steps=1).train()
    other = tiny_trainer(tmp_path, max_steps=2)
    object.__setattr__(other.model.config, "rank_weight", 3.0)
    with pytest.raises(UserError, match="another configuration"):
        other.train(resume_from_checkpoint=str(tmp_path / "checkpoints/checkpoint-1"))


def test_vectors_do_not_decay_and_frozen_parameters_do_not_move(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, weight_decay=0.25)
    trainer.model.lm_head.bias.requires_grad_(False)
    names = {id(parameter): name for name, parameter in trainer.model.named_parameters()}
    groups = trainer.create_optimizer().param_groups
    assert [group["weight_decay"] for group in groups] == [0.25, 0.0, 0.0]
    decaying, vectors, scalars = ([names[id(p)] for p in group["params"]] for group in groups)
    assert "embedding.token.weight" in decaying
    assert not any(name.endswith(("bias", "log_scale")) for name in decaying)
    assert scalars == ["ranking_head.log_scale"]
    assert {*decaying, *vectors, *scalars} == set(names.values()) - {"lm_head.bias"}


def test_cosine() -> None:
    assert cosine_share(0.0, 0.1, 0.1) > 0  # the first step is not wasted
    assert cosine_share(0.55, 0.1, 0.1) == pytest.approx(0.55)
    assert cosine_share(2.0, 0.1, 0.1) == pytest.approx(0.1)
    assert cosine_share(0.0, 0.0, 0.1) == 1.0


def test_the_last_step_is_logged_whatever_its_number(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=5, log_steps=3)
    trainer.add_callback(JsonlLog(tmp_path / "log.jsonl"))
    trainer.train()
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 5]
