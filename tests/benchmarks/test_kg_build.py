"""The benchmark of building measures building."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

from benchmarks.kg_build import first_lines, watch
from graphmer_geo.kg.sources import Source

ROOT = Path(__file__).resolve().parents[2]


def test_measured_processes_import_nothing_that_building_does_not_need() -> None:
    code = "import sys, benchmarks.kg_build; print(sorted({'torch', 'transformers'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_peak_memory_is_that_of_all_processes_at_one_time() -> None:
    """Two children hold 64 MiB each, one after the other: the peak is less than their sum."""
    child = "held = bytearray(b'1') * 2**26; import time; time.sleep(0.7)"
    code = (
        "import subprocess, sys\n"
        f"for _ in range(2): subprocess.run([sys.executable, '-c', {child!r}], check=True)\n"
        "print('done')"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:
        output, _, peak = watch(process)
    assert output == "done\n"
    assert 64 < peak < 120


def test_growth_takes_whole_files_of_every_kind(tmp_path: Path) -> None:
    for name, lines in (("stubs/a.pyi", 3), ("code/b.py", 4), ("code/c.py", 5)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n" * lines, encoding="utf-8")
    parts = first_lines([Source(path=tmp_path / "stubs"), Source(path=tmp_path / "code")], 5)
    assert [part.include for part in parts] == [["a.pyi"], ["b.py"]]
