"""A run that is killed, or cannot write, is where its last checkpoint was."""

from __future__ import annotations

import os
import random
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from graphmer_geo.errors import UserError
from graphmer_geo.train.saving import UNFINISHED, last_checkpoint, writing
from graphmer_geo.train.stream import Batch
from graphmer_geo.train.trainer import LeafyChainTrainer

from .fakes import ended, fake_stream, started, tiny_trainer

STEPS = 12


def trainer_of(out: Path, read: list[tuple[int, int]], **changes: object) -> LeafyChainTrainer:
    """Ragged epochs: of different numbers of batches, none a multiple of the batches of a step."""
    stream = fake_stream(size=9, budget=110)
    trainer = tiny_trainer(out, stream, max_steps=STEPS, accumulation=2, save_steps=3, **changes)
    original = stream.batch

    def batch(index: int) -> Batch:
        read.append((index, stream.locate(index)[0]))
        return original(index)

    stream.batch = batch  # type: ignore[method-assign]
    return trainer


def train_until(dies: int, out: Path, ema_decay: float) -> None:
    """Be killed when batch ``dies`` is read."""
    trainer = trainer_of(out, [], ema_decay=ema_decay)
    original = trainer.stream.batch

    def batch(index: int) -> Batch:
        if index == dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(index)

    trainer.stream.batch = batch  # type: ignore[method-assign]
    trainer.train()


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_killed_at_a_random_step_and_resumed(tmp_path: Path, ema_decay: float) -> None:
    whole_batches: list[tuple[int, int]] = []
    whole = trainer_of(tmp_path / "whole", whole_batches, ema_decay=ema_decay)
    whole.train()
    sizes = {len(fake_stream(size=9, budget=110).plan(e)) for e in range(whole_batches[-1][1] + 1)}
    assert len(sizes) > 1
    assert whole_batches[-1][1] >= 2

    out = tmp_path / "killed"
    dies = random.Random().randrange(3 * 2, STEPS * 2)  # of the batches, after the first checkpoint

    assert ended(started(train_until, dies, out, ema_decay)) == -signal.SIGKILL, dies
    checkpoint = last_checkpoint(out)
    assert checkpoint is not None
    torch.manual_seed(7)
    resumed_batches: list[tuple[int, int]] = []
    resumed = trainer_of(out, resumed_batches, ema_decay=ema_decay)
    with torch.no_grad():
        for parameter in resumed.model.parameters():
            parameter.zero_()  # everything must come from the checkpoint
    resumed.train(resume_from_checkpoint=str(checkpoint))
    assert resumed.state.global_step == whole.state.global_step == STEPS
    start = int(checkpoint.name.split("-")[1]) * 2
    assert resumed_batches == whole_batches[start:]
    a, b = whole.model.state_dict(), resumed.model.state_dict()
    assert not [name for name in a if not torch.equal(a[name], b[name])], dies
    if whole.average and resumed.average:
        a, b = whole.average.values, resumed.average.values
        assert all(torch.equal(a[name], b[name]) for name in a)
        assert not torch.equal(a["embedding.token.weight"], whole.model.embedding.token.weight)


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file may grow beyond ``limit`` bytes: writing fails in the middle, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("limit", [4_000, 60_000])
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, limit: int) -> None:
    tiny_trainer(tmp_path, max_steps=2, save_steps=2).train()
    sizes = sorted(f.stat().st_size for f in (tmp_path / "checkpoints/checkpoint-2").iterdir())
    assert sizes[-1] > limit
    second = tiny_trainer(tmp_path, max_steps=6, save_steps=4)
    before = last_checkpoint(tmp_path)
    with (
        full_disk(limit),
        pytest.raises(UserError, match=r"cannot write checkpoint-4.*checkpoint-2 with resume"),
    ):
        second.train(resume_from_checkpoint=str(before))
    assert last_checkpoint(tmp_path) == before
    assert [p.name for p in (tmp_path / "checkpoints").glob("checkpoint-*")] == ["checkpoint-2"]
    third = tiny_trainer(tmp_path, max_steps=6, save_steps=4)
    third.train(resume_from_checkpoint=str(before))
    assert third.state.global_step == 6


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write the run in .*null/run: Not a directory; free space"):
        with writing("the run", Path("/dev/null/run")):
            Path("/dev/null/run").mkdir(parents=True)


def die_while_saving(out: Path) -> None:
    """Be killed between weights and optimiser."""

    def dies(self: LeafyChainTrainer, output_dir: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    LeafyChainTrainer._save_optimizer_and_scheduler = dies  # type: ignore[method-assign]
    tiny_trainer(out, max_steps=2, save_steps=2).train()


def test_what_is_half_written_has_no_checkpoint_name(tmp_path: Path) -> None:
    assert ended(started(die_while_saving, tmp_path)) == -signal.SIGKILL
    assert last_checkpoint(tmp_path) is None
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == [UNFINISHED]
    tiny_trainer(tmp_path, max_steps=2, save_steps=2).train()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoints/checkpoint-2"
