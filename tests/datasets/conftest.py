"""What the tests of datasets share: a cache of their own, and a package index in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.datasets import fetch
from tests.datasets.toy_index import Index


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAPHMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    made = Index(tmp_path / "index")
    monkeypatch.setattr(fetch, "download", made.download)
    return made
