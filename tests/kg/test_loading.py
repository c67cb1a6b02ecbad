from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from graphmer_geo.kg import loading
from graphmer_geo.kg.loading import StoreLoader

LINES = [f"<urn:s{i}> <urn:p> <urn:o> <urn:g> .\n".encode() for i in range(100)]


def test_everything_written_is_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BATCH_BYTES", 500)
    with StoreLoader() as memory, StoreLoader(tmp_path / "store") as disk:
        for line in LINES:
            memory.write(line)
            disk.write(line)
        assert len(memory.finish()) == 100
        disk.finish()
    assert len(ox.Store.read_only(str(tmp_path / "store"))) == 100


def load(lines: list[bytes], folder: Path | None = None, die: bool = False) -> None:
    with StoreLoader(folder) as loader:
        for line in lines:
            loader.write(line)
        if die:
            raise KeyboardInterrupt
        loader.finish()


@pytest.mark.parametrize("rest", [0, 10_000])
def test_bad_text_is_an_error_and_does_not_hang(monkeypatch: pytest.MonkeyPatch, rest: int) -> None:
    monkeypatch.setattr(loading, "BATCH_BYTES", 500)
    with pytest.raises(SyntaxError):
        load([b"this is not N-Quads\n", *LINES[:1] * rest])


def test_a_loader_that_is_given_up_lets_go_of_its_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(LINES, tmp_path / "store", die=True)
    ox.Store(tmp_path / "store")
