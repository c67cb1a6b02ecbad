"""What types with arguments say of elements."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.kg import build_kg

HEAD = """from __future__ import annotations
import typing as t
from collections import abc, defaultdict, deque
from typing import Annotated, Callable, DefaultDict, Deque, Dict, FrozenSet, Generator, Iterable, Iterator
from typing import List, Mapping, Optional, Sequence, Set, Tuple, Type, Union
from w import W, X
"""
#: annotation of `v` and a statement -> methods that are called
CASES = {
    ("list[W]", "v[0].go()"): "W.go",
    ("List[W]", "for w in v: w.go()"): "W.go",
    ("t.List['W']", "v.pop().go()"): "W.go",
    ("'list[W]'", "[w.go() for w in v]"): "W.go",
    ("set[W]", "for w in v: w.go()"): "W.go",
    ("FrozenSet[W]", "next(iter(v)).go()"): "W.go",
    ("deque[W]", "v.popleft().go()"): "W.go",
    ("Deque[W]", "v[0].go()"): "W.go",
    ("dict[str, W]", "v['a'].go()"): "W.go",
    ("Dict[W, X]", "for k, x in v.items(): k.go(); x.stop()"): "W.go X.stop",
    ("Mapping[W, X]", "for k in v: k.go()"): "W.go",
    ("Mapping[str, X]", "v.get('a').stop()"): "X.stop",
    ("defaultdict[str, list[W]]", "v['a'][0].go()"): "W.go",
    ("DefaultDict[str, W]", "v['a'].go()"): "W.go",
    ("tuple[W, X]", "v[0].go(); v[1].stop()"): "W.go X.stop",
    ("tuple[W, X]", "w, x = v; x.stop()"): "X.stop",
    ("Tuple[W, ...]", "v[7].go()"): "W.go",
    ("Iterable[W]", "for w in v: w.go()"): "W.go",
    ("abc.Iterator[W]", "next(v).go()"): "W.go",
    ("Generator[W, None, X]", "for w in v: w.go()"): "W.go",
    ("Sequence[Union[W, X]]", "v[0].stop()"): "X.stop",
    ("Optional[list[W]]", "v[0].go()"): "W.go",
    ("list[W] | None", "v[0].go()"): "W.go",
    ("Annotated[list[W], 1]", "v[0].go()"): "W.go",
    ("type[W]", "v.make(); v().go()"): "W.make W.go",
    ("Type[W]", "v.make().go()"): "W.make W.go",
    ("list[type[W]]", "v[0].make()"): "W.make",
    ("list[dict[str, tuple[W, X]]]", "v[0]['a'][1].stop()"): "X.stop",
    ("list[int]", "v[0].bit_length()"): "",
    ("Callable[[W], X]", "v"): "",
    ("list", "v[0]"): "",
}


@pytest.mark.parametrize("workers", [1, 2])
def test_annotated_containers(tmp_path: Path, workers: int) -> None:
    (tmp_path / "w.py").write_text(
        "class W:\n    def go(self): pass\n    @classmethod\n    def make(cls): return cls()\n"
        "class X:\n    def stop(self): pass\n"
    )
    text = "".join(f"def f{i}(v: {kind}):\n    {use}\n" for i, (kind, use) in enumerate(CASES))
    text += (
        "def args(*v: W):\n    for w in v: w.go()\ndef named(**v: X): v['a'].stop()\n"
        "class Holder:\n    items: list[W]\n    def __init__(self): self.more: dict[str, X] = {}\n"
        "    def run(self): self.items[0].go(); self.more['a'].stop()\n"
        "def made() -> tuple[W, X]: return unknown()\ndef taken(): made()[1].stop()\n"
    )
    (tmp_path / "m.py").write_text(HEAD + text)
    (tmp_path / "n.py").write_text(
        "from m import made, Holder\ndef other(h: Holder): made()[0].go(); h.items[0].go()\n"
    )
    kg = build_kg([tmp_path], workers=workers)
    found: dict[str, set[str]] = {}
    for row in kg.query(
        "SELECT ?a ?b { ?x gm:calls ?y ; gm:name ?a . ?y a gm:Method ; gm:qualifiedName ?b }"
    ):
        found.setdefault(row["a"], set()).add(row["b"].removeprefix("w."))
    wanted = {f"f{i}": set(methods.split()) for i, methods in enumerate(CASES.values()) if methods}
    wanted |= {"args": {"W.go"}, "named": {"X.stop"}, "run": {"W.go", "X.stop"}, "taken": {"X.stop"}}
    assert found == {**wanted, "other": {"W.go"}}


def test_the_class_of_a_container_is_the_one_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "from typing import List, Mapping\nfrom collections import deque\n"
        "def f(a: List[int], b: Mapping[str, int], c: deque[int]):\n    a.append(1); b.items(); c.rotate(1)\n"
    )
    kg = build_kg([tmp_path])
    called = {r["b"] for r in kg.query("SELECT ?b { ?x gm:calls ?y . ?y gm:qualifiedName ?b }")}
    assert called == {"builtins.list.append", "typing.Mapping.items", "collections.deque.rotate"}
