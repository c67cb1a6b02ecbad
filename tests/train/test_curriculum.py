from __future__ import annotations

import json
import logging
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.curriculum import CurriculumStream, Phase, phases
from graphmer_geo.train.run import build_stream, train
from graphmer_geo.train.saving import last_checkpoint, step_of
from graphmer_geo.train.stream import Batch, TokenBudgetStream
from graphmer_geo.train.tables import Tables
from tests.data.standin import StandInKG

from .fakes import FakeSource, ended, fake_sampler, started

TINY = GraphMERConfig.small(hidden_size=16, num_layers=1, num_heads=2, ffn_size=32, popularity_buckets=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, curriculum=(24, 40), min_roots=5))
    return DataFolder.open(path)


def args(**changes: object) -> TrainArgs:
    settings = {
        "max_steps": 6, "batch_tokens": 300, "log_steps": 10, "save_steps": 2, "accumulation": 2,
        "root_lengths": (24, 40, 64), "root_steps": (2, 5), "candidates": 8,
    } | changes  # fmt: skip
    return TrainArgs(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lengths", "steps", "message"),
    [
        ((384, 512), (), "need 1 root_steps"),
        ((), (10,), "need 0 root_steps"),
        ((512, 384), (10,), "ascending"),
        ((128, 256, 512), (20, 20), "ascending"),
        ((0, 512), (10,), "positive"),
    ],
)
def test_what_is_no_curriculum_is_refused(
    lengths: tuple[int, ...], steps: tuple[int, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        phases(lengths, steps, 512)


def test_phases() -> None:
    assert phases((), (), 256) == (Phase(256, 0),)
    assert phases((128, 256, 512), (10, 30), 512) == (Phase(128, 0), Phase(256, 10), Phase(512, 30))


def test_each_phase_counts_its_own_batches() -> None:
    built: list[int] = []

    def build(number: int) -> TokenBudgetStream:
        built.append(number)
        return TokenBudgetStream(FakeSource(5 + number), 130, number, fake_sampler())

    stream = CurriculumStream(phases((10, 20), (3,), 20), 2, build)
    for index in range(9):
        number, local = (0, index) if index < 6 else (1, index - 6)
        assert torch.equal(stream.batch(index)["tok"], build(number).batch(local)["tok"])
    del built[:]
    stream.batch(0)
    stream.batch(1)
    stream.batch(6)
    assert built == [0, 1]
    assert [stream.phase_at(step).roots for step in range(5)] == [10, 10, 10, 20, 20]


def test_code_is_cut_to_every_length_and_nothing_is_lost(folder: DataFolder) -> None:
    whole = folder.chunks("train")
    for roots in (24, 40):
        table = folder.chunks("train", roots)
        lengths = np.array([len(tok) for tok in table["tok"].to_pylist()])
        assert lengths.max() <= roots
        counts = folder.manifest.counts["train"]
        assert counts[f"chunks_{roots}"] == len(table) > len(whole) == counts["chunks"]
        tokens = len(np.concatenate(table["tok"].to_pylist())) - 2 * len(table)
        missing = counts["tokens"] - 2 * len(whole) - tokens
        assert 0 <= missing <= 2 * counts[f"too_short_{roots}"]  # below min_roots, <cls> and <sep> included


def test_a_length_the_data_was_not_cut_to_is_refused_before_training(folder: DataFolder) -> None:
    with pytest.raises(UserError, match=r"no train chunks of 32 roots, only of 24, 40, 64; prepare"):
        build_stream(folder, Tables.load(folder), args(root_lengths=(32, 64), root_steps=(1,)), ChainConfig())
    with pytest.raises(UserError, match="no test chunks of 24"):
        LeafyChainDataset(folder, "test", roots=24)


def test_batches_keep_their_budget(folder: DataFolder) -> None:
    stream = build_stream(folder, Tables.load(folder), args(root_steps=(40, 80)), ChainConfig())
    chains, longest = {}, {}
    for phase in stream.phases:
        batches = [stream.batch(phase.step * 2 + k) for k in range(8)]
        chains[phase.roots] = np.mean([batch["ptr"].numel() - 1 for batch in batches])
        longest[phase.roots] = max(
            int(((b["slot"] < 0) & (b["batch"] == g)).sum())
            for b in batches
            for g in range(b["ptr"].numel() - 1)
        )
        assert longest[phase.roots] <= phase.roots
        sizes = [int((b["ptr"].diff()).max()) * (b["ptr"].numel() - 1) for b in batches]
        assert max(sizes) < 2 * 300
    assert chains[24] > chains[64]
    assert longest[64] > 24


def test_the_switch_is_logged_and_survives_a_kill(
    folder: DataFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="graphmer_geo.train.callbacks"):
        whole = train(folder.path, tmp_path / "whole", args(), TINY)
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["max_roots"]) for line in lines] == [(2, 24), (5, 40), (6, 64)]
    said = [record.message for record in caplog.records if "root tokens" in record.message]
    assert said == [
        "step 0: chains of up to 24 root tokens",
        "step 2: chains of up to 40 root tokens",
        "step 5: chains of up to 64 root tokens",
    ]
    out = tmp_path / "parts"
    train(folder.path, out, args(max_steps=4), TINY)  # ends within the second phase
    for unused in ("model.safetensors", "metrics.json"):
        (out / unused).unlink()
    (out / "checkpoints/checkpoint-4").rename(out / "gone")  # as if killed after step 3
    train(folder.path, out, args(max_steps=6, resume="auto"), TINY)
    resumed = [json.loads(line)["max_roots"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert resumed[-2:] == [40, 64]
    with pytest.raises(UserError, match=r"train\.root_steps was \[2, 5\]"):
        train(folder.path, out, args(max_steps=8, resume=True, root_steps=(2, 6)), TINY)


Read = list[tuple[int, int, list[int]]]


@contextmanager
def watched(read: Read, dies: int | None = None) -> Iterator[None]:
    """Note number, phase and tokens of each batch that is read; be killed where ``dies`` is asked for."""
    original = CurriculumStream.batch

    def batch(self: CurriculumStream, index: int) -> Batch:
        if index == dies:
            os.kill(os.getpid(), signal.SIGKILL)
        made = original(self, index)
        read.append((index, self.phase_at(index // 2).roots, made["tok"].tolist()))
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CurriculumStream, "batch", batch)
        yield


def train_until(data: Path, out: Path, dies: int, settings: TrainArgs) -> None:
    torch.set_num_threads(1)
    with watched([], dies):
        train(data, out, settings, TINY)


SWITCHING = {"max_steps": 9, "root_steps": (4, 7), "save_steps": 3, "ema_decay": 0.5, "resume": "auto"}


@pytest.fixture(scope="module")
def whole(folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Read]:
    """A run that nobody killed."""
    read: Read = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with watched(read):
        out = train(folder.path, tmp_path_factory.mktemp("whole") / "run", args(**SWITCHING), TINY)
    torch.set_num_threads(threads)
    return out, read


@pytest.mark.parametrize("place", ["before a switch", "anywhere after"])
def test_killed_around_a_switch_and_resumed(
    folder: DataFolder, whole: tuple[Path, Read], tmp_path: Path, place: str
) -> None:
    """Bit for bit: the number of steps, the batches, the weights and their average."""
    complete, expected = whole
    assert [i for i in range(1, 18) if expected[i][1] != expected[i - 1][1]] == [8, 14]
    dies = {
        "before a switch": 7,  # the checkpoint of step 3: the rest of a phase, and two switches, come after
        "anywhere after": random.Random().randrange(8, 18),
    }[place]
    out, settings = tmp_path / "killed", args(**SWITCHING)
    assert ended(started(train_until, folder.path, out, dies, settings)) == -signal.SIGKILL, dies
    checkpoint = last_checkpoint(out)
    assert checkpoint is not None
    start = step_of(checkpoint)
    torch.manual_seed(7)  # a new process has another random state
    read: Read = []
    with watched(read):
        train(folder.path, out, settings, TINY)
    assert read == expected[start * 2 :], dies
    assert json.loads((out / "metrics.json").read_text())["steps"] == 9
    for model in ("", "checkpoints/checkpoint-9"):  # the average, and the weights of the last step
        a, b = (GraphMER.from_pretrained(run / model).state_dict() for run in (complete, out))
        assert not [name for name in a if not torch.equal(a[name], b[name])], dies
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["max_roots"]) for line in lines] == [(4, 24), (7, 40), (9, 64)]
