"""The comparison with ast and symtable finds nothing in code the extractor reads right, and what is wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.exact.python import compare
from benchmarks.exact.tally import Tally, facts
from graphmer_geo.kg.sources import Source

CODE = '''\
"""Doc""" " of it"
import os.path as p, sys
from .. import up
from .x . y import (a as b, # why
    c)
from z import *
TOP: int = 1
try:
    pass
except E as caught: pass
@p.deco
@(make()[0])
async def f(a, /, b: "int" = (1), *args, c=lambda x=2: x, **kw) -> list[int]:
    global LATE
    LATE = yield
class C(p.Base, Generic[T], metaclass=M):
    def __init__(self): return eval("lambda q=1: q"), f"a{(lambda z: z)(1)} b"
    if x:
        def m(self): pass
    else:
        @property
        def m(self): return (self.
    x)
'''


def test_real_code_has_no_differences(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "pkg" / "latin.py").write_bytes(
        "# coding: latin-1\n'ä'; x = 'ü'\ndef ö(é='ß'): pass;\n".encode("latin-1")
    )
    (tmp_path / "pkg" / "b.py").write_bytes(b"def f(): pass\r\n")
    (tmp_path / "pkg" / "b.pyi").write_text("def f() -> None: ...\n", encoding="utf-8")
    (tmp_path / "pkg" / "c.pyi").write_text("def g(a: int = ...) -> None: ...\n", encoding="utf-8")
    (tmp_path / "pkg" / "two.py").write_text("print 'Python 2'\n", encoding="utf-8")
    tally, files = compare([Source(tmp_path, package="p", version="1")])
    assert tally.metrics()["differences"] == {}
    assert all(tally.equal[kind] for kind in (
        "module", "class", "function", "method", "lambda", "parameter", "default", "annotation", "decorator",
        "base", "base reference", "class keyword", "import", "import reference", "docstring",
        "global variable",
    ))  # fmt: skip
    assert (files["compared"], files["stub beside its source"]) == (4, 1)
    assert files["not Python"] == ["p/pkg/two.py: ok"]


def test_differences_are_counted_and_listed() -> None:
    wanted, found = facts(), facts()
    wanted["class"] = Counter({("a.py", "A"): 2, ("a.py", "B"): 1})
    found["class"] = Counter({("a.py", "A"): 1, ("a.py", "C"): 1})
    tally = Tally(listed=2)
    tally.add(wanted, found)
    metrics = tally.metrics()
    assert metrics["kinds"]["class"] == {
        "wanted": 3, "found": 2, "equal": 1, "precision": 1 / 2, "recall": 1 / 3,
    }  # fmt: skip
    assert metrics["differences"] == {"class": ["missing ('a.py', 'A')", "missing ('a.py', 'B')"]}
