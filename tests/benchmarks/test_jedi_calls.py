"""The comparison with jedi: what agrees, what differs, and how."""

import pytest

from benchmarks.oracles import jedi_calls
from benchmarks.oracles.jedi_calls import Place
from graphmer_geo.kg import Source

HERE = Place("m.py", 3, "f")


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({HERE}, [(HERE, "function")], "agrees"),
        ({HERE, Place("m.py", 9, "g")}, [(HERE, "function")], "agrees"),
        ({Place("", 0, "builtins.len")}, [(Place("", 0, "builtins.len"), "function")], "agrees"),
        (set(), [(HERE, "function")], "unresolved"),
        ({HERE}, [(Place("m.py", 8, "x"), "param")], "jedi stops at a variable"),
        ({Place("", 0, "os.x")}, [(Place("", 0, "posix.x"), "function")], "other name outside"),
        ({HERE}, [(Place("m.py", 8, "f"), "function")], "other class"),
        ({HERE}, [(Place("m.py", 8, "g"), "function")], "other"),
    ],
)
def test_verdicts(ours, theirs, expected):
    assert jedi_calls.verdict(ours, theirs) == expected


def test_a_small_package(tmp_path):
    pytest.importorskip("jedi")
    (tmp_path / "m.py").write_text("class C:\n    def f(self): pass\n\n\nC().f()\nlen('')\nnowhere()\n")
    found = jedi_calls.compare([Source(tmp_path, package="p", version="0")], sites=10, seed=0)
    assert found["verdicts"] == {"agrees": 3, "jedi has no answer": 1}
    assert (found["calls"], found["coverage"], found["agreement"]) == (4, 0.75, 1.0)
