from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import train_base
from graphmer_geo.data import DataConfig, prepare
from graphmer_geo.results import read_result
from tests.data.standin import StandInKG


def test_the_parts_write_what_they_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, roots in (("data", 128), ("short", 96)):
        prepare(StandInKG(), tmp_path / name, DataConfig(vocab_size=500, max_roots=roots, min_roots=5))
    words = ["--tiny", "--threads", "1", "--parts", "steps"]
    for option in ("data", "short", "work"):
        words += [f"--{option}", str(tmp_path / option)]
    monkeypatch.setattr(sys, "argv", ["train_base", *words, "--out", str(tmp_path / "r.json")])
    train_base.main()
    part = read_result(tmp_path / "r.json")["metrics"]["steps"]
    assert part["runs"].keys() == {"3", "6"}
    first, second = part["runs"]["3"], part["runs"]["6"]
    assert first["steps"] == 3
    assert first["held_out"]["before"] == second["held_out"]["before"]  # the same weights and masks
    assert second["held_out"]["after"]["mlm"] < second["held_out"]["before"]["mlm"]
    assert second["tokens"] == pytest.approx(second["tokens_per_step"] * 6, abs=1)
    assert part["yardstick"]["tokens_per_step"] == int(second["tokens_per_step"])
    assert part["against_yardstick"] > 0
