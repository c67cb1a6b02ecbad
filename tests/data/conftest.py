from __future__ import annotations

import sys
from pathlib import Path

import pytest

from graphmer_geo.data import DataConfig, DataFolder, prepare

sys.path.insert(0, str(Path(__file__).parent))  # for standin.py

from standin import StandInKG

CONFIG = DataConfig(vocab_size=500, max_roots=64, min_roots=5)


@pytest.fixture(scope="session")
def kg() -> StandInKG:
    return StandInKG()


@pytest.fixture(scope="session")
def data(kg: StandInKG, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = tmp_path_factory.mktemp("data") / "shop"
    prepare(kg, folder, CONFIG)
    return DataFolder.open(folder)
