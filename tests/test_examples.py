"""Every example runs as a reader would run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))

#: What the last line of output must show.
EXPECTED = {
    "decay_in_a_transformer.py": r"accuracy with decay 0\.[4-9]\d, without 0\.[0-3]\d",
    "hgat_in_hetero_conv.py": r"accuracy 0\.[5-9]\d, always the most frequent type 0\.4\d",
    "hgat_in_your_model.py": r"accuracy (0\.9\d|1\.00)",
    "query_a_graph.py": r"as tensors: \d\d+ nodes of \d+ types, \d\d+ edges",
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(example: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(EXPECTED[example.name], done.stdout.splitlines()[-1]), done.stdout
