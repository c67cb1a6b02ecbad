from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, prepare
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train
from tests.data.standin import StandInKG

TINY = GraphMERConfig.small(hidden_size=32, num_layers=1, num_heads=2, ffn_size=64, popularity_buckets=64)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, min_roots=5))
    return DataFolder.open(path)


@pytest.fixture(scope="session")
def run(folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "shop"
    args = TrainArgs(max_steps=30, learning_rate=1e-3, batch_tokens=1024, threads=1)
    return train(folder.path, out, args, TINY, ChainConfig(max_triples=12))
