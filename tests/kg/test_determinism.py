"""Two builds of real code say the same, byte for byte, whatever order sets have in the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import hashlib, json, sysconfig
from pathlib import Path
from graphmer_geo.kg import Source, build_kg
from graphmer_geo.resources import datasets_path
stdlib = Path(sysconfig.get_path("stdlib"))
files = tuple(sorted(p.relative_to(stdlib).as_posix() for p in (stdlib / "json").rglob("*.py")))
kg = build_kg([Source(stdlib, package="stdlib", include=files), Source(datasets_path() / "java-library")])
text = [*sorted(str(q) for q in kg.store), json.dumps(kg.occurrences.to_pylist())]
print(len(text), hashlib.sha256("\\n".join(text).encode()).hexdigest())
"""


def build(hash_seed: int) -> str:
    env = os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    return done.stdout


def test_two_builds_in_different_processes_are_equal() -> None:
    first = build(1)
    assert int(first.split()[0]) > 10_000
    assert first == build(2)
