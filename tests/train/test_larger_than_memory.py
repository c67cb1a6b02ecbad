"""What preparing data and reading it for training take in memory does not grow with the code.

Each measurement is made in a process of its own, beside one of the same work with all code in one shard, so
that a test that measures nothing fails.
"""

from __future__ import annotations

import random
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from graphmer_geo.data import DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.data.shards import shard_file
from graphmer_geo.train.stream import LANES, TokenBudgetStream
from tests.data.standin import StandInKG

from .fakes import ended, started

WORDS = [f"{verb}_{number}" for verb in ("read", "write", "sort", "merge", "find") for number in range(300)]
ONE_SHARD = 10**9


class LongCode(StandInKG):
    """The small graph, and beside it files that mention nothing of it and exist only while they are read."""

    def __init__(self, files: int) -> None:
        super().__init__()
        like = next(record for record in self.records if record.path == "store/stock.py")
        more = (
            replace(like, key=f"long/{n}", path=f"long/{n}.py", module=f"store.long{n}") for n in range(files)
        )
        self.manifest = replace(self.manifest, files=(*self.manifest.files, *more))

    def read_source(self, key: str) -> bytes:
        if not key.startswith("long/"):
            return super().read_source(key)
        rng = random.Random(key)
        words = (rng.choices(WORDS, k=500) for _ in range(3))
        return "\n".join(f"{a} = {b}({c})" for a, b, c in zip(*words, strict=True)).encode()


def prepares(out: Path, files: int, shard_bytes: int) -> None:
    prepare(LongCode(files), out, DataConfig(vocab_size=1000, shard_bytes=shard_bytes))


def streams(data: Path) -> None:
    """As if resumed in the second epoch: every shard was open."""
    dataset = LeafyChainDataset(data, "train")
    stream = TokenBudgetStream(dataset, 4096, 0, lambda batch, rng: batch)
    batch = 0
    while stream.locate(batch)[0] < len(dataset.shards) + LANES:
        batch += 499
    stream.batch(batch)
    assert len(dataset._open) <= LANES


def holds(data: Path) -> None:
    """As whoever takes chains from anywhere does."""
    LeafyChainDataset(data, "train").lengths.sum()


def measured(told: Path, work: Callable[..., None], *arguments: object) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(*arguments)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    told.write_text(str((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit))


def peak(tmp_path: Path, work: Callable[..., None], *arguments: object) -> float:
    """MiB beyond what the process began with."""
    told = tmp_path / "peak.txt"
    assert ended(started(measured, told, work, *arguments)) == 0
    return float(told.read_text())


def test_preparing_more_code_takes_no_more_memory(tmp_path: Path) -> None:
    little, much, at_once = (
        peak(tmp_path, prepares, tmp_path / name, files, size)
        for name, files, size in (("a", 6, 60_000), ("b", 48, 60_000), ("c", 48, ONE_SHARD))
    )
    rows, same = (DataFolder.open(tmp_path / name).chunks("train") for name in ("b", "c"))
    assert rows.equals(same)
    assert at_once - little > 15, (little, much, at_once)
    assert much - little < 0.4 * (at_once - little), (little, much, at_once)


def test_training_reads_more_code_in_no_more_memory(tmp_path: Path) -> None:
    prepares(tmp_path / "data", 20, 100_000)
    folder = DataFolder.open(tmp_path / "data")
    paths, sizes = folder.shards("train"), folder.shard_sizes("train")
    assert len(paths) > 2
    copies = 130
    for number in range(len(paths), len(paths) * copies):
        (paths[0].parent / shard_file(number)).symlink_to(paths[number % len(paths)])
    shards = {**folder.manifest.shards, "train": sizes * copies}
    little = peak(tmp_path, streams, tmp_path / "data")
    replace(folder.manifest, shards=shards).save(tmp_path / "data")
    assert len(LeafyChainDataset(tmp_path / "data", "train")) == copies * sum(sizes)
    much, at_once = (peak(tmp_path, work, tmp_path / "data") for work in (streams, holds))
    assert at_once - little > 60
    assert much - little < 0.3 * (at_once - little), (little, much, at_once)
