"""Real leafy chains that anyone can make: a part of the running interpreter's standard library."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.corpora import stdlib
from graphmer_geo.data import ChainConfig, collate, prepare
from graphmer_geo.data.config import DataConfig
from graphmer_geo.data.folder import MANIFEST, DataFolder
from graphmer_geo.data.leafy_chain import LeafyChainData
from graphmer_geo.kg import build_kg
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.curriculum import CurriculumStream
from graphmer_geo.train.run import build_stream, model_config
from graphmer_geo.train.tables import Tables

#: Top-level packages of the slice; single-file modules come with it.
PACKAGES = (
    "asyncio", "collections", "concurrent", "ctypes", "email", "html", "http", "importlib", "json", "logging",
    "multiprocessing", "sqlite3", "tkinter", "unittest", "urllib", "wsgiref", "xml",
)  # fmt: skip


class Corpus:
    """Prepared data, and batches of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = DataFolder.open(folder), seed
        self.tables = Tables.load(self.folder)

    def stream(self, batch_tokens: int, rank_share: float = 0.0) -> CurriculumStream:
        """Training batches, as `graphmer train` makes them; by default without ranking queries."""
        args = TrainArgs(max_steps=1, batch_tokens=batch_tokens, rank_share=rank_share, seed=self.seed)
        return build_stream(self.folder, self.tables, args, ChainConfig())

    def config(self, base: GraphMERConfig) -> GraphMERConfig:
        """``base`` with what the data decides."""
        return model_config(self.folder, base)

    def chains(self, count: int) -> list[LeafyChainData]:
        """Masked chains from all over the train split, as many as asked for or there are."""
        dataset = self.stream(1).build(0).dataset
        order = np.random.default_rng(self.seed).permutation(len(dataset))
        return [dataset[index] for index in order[:count].tolist()]

    def even_batches(self, count: int, batch_tokens: int) -> list[dict[str, Tensor]]:
        """Batches of chains of nearly one size, from short to long: almost no padding, for anybody."""
        chains = sorted(self.chains(800), key=lambda chain: chain["tok"].numel())
        batches: list[list[LeafyChainData]] = [[]]
        for chain in chains:
            if batches[-1] and chain["tok"].numel() * (len(batches[-1]) + 1) > batch_tokens:
                batches.append([])
            batches[-1].append(chain)
        full = batches[:-1]
        chosen = [full[round((k + 0.5) * len(full) / count - 0.5)] for k in range(count)]
        return [collate(batch) for batch in chosen]

    def describe(self) -> dict[str, Any]:
        """What the data is."""
        manifest = self.folder.manifest
        return {"train": manifest.counts["train"], "relations": len(self.folder.relations),
                "vocabulary": len(self.folder.tokenizer), "fingerprint": manifest.fingerprint}  # fmt: skip


def prepared(folder: Path, packages: Collection[str] = PACKAGES, modules: bool = True) -> Path:
    """``folder`` with prepared data; made if it is not there yet (half a minute of one core)."""
    data = folder / "data"
    if not (data / MANIFEST).is_file():
        source = stdlib()
        files = [
            f for f in source.include or () if f.partition("/")[0] in packages or (modules and "/" not in f)
        ]
        build_kg([replace(source, include=files)], folder / "kg")
        prepare(folder / "kg", data, DataConfig())
    return data


def padding(batch: dict[str, Tensor]) -> float:
    """Share of positions without a node, if every chain is padded to the longest."""
    sizes = batch["ptr"].diff()
    return 1.0 - int(sizes.sum()) / (int(sizes.max()) * sizes.numel())
