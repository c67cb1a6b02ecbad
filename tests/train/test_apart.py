"""A prepared folder trains on a machine that has neither RDF store nor parser nor command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from graphmer_geo.data import DataConfig, prepare
from graphmer_geo.data.pack import pack
from tests.data import documented
from tests.data.standin import StandInKG


def test_packed_data_trains_with_few_packages(tmp_path: Path) -> None:
    config = DataConfig(vocab_size=500, max_roots=64, min_roots=5, near_duplicates=0)
    prepare(StandInKG(documented.write(tmp_path / "code")), tmp_path / "data", config)
    pack(tmp_path / "data", tmp_path / "packed")
    script = Path(__file__).with_name("apart.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "packed"), str(tmp_path / "run")],
        capture_output=True, text=True, cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.endswith("trained\n")
