"""A graph that is updated is the graph that a new build makes, or the old one, and never a mixture."""

from __future__ import annotations

import gc
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graphmer_geo.cli.kg import build as command
from graphmer_geo.kg import KnowledgeGraph, build_kg, occurrence_parts
from graphmer_geo.kg import build as module
from graphmer_geo.kg import update as updating
from graphmer_geo.kg.outputs import Outputs
from graphmer_geo.kg.owner import Owner

FILES = {
    "pkg/__init__.py": "from pkg.shapes import Shape\n",
    "pkg/shapes.py": 'class Shape:\n    """It\'s "a" \\\\u0041."""\n    def area(self): return 0\n',
    "pkg/square.py": "from pkg import Shape\nclass Square(Shape):\n    def area(self): return abs(2)\n",
    "pkg/main.py": "from pkg.square import Square\ndef run(x):\n    x.stop()\n    return Square().area()\n",
    "a/Shape.java": "package a; public class Shape { int area() { return 0; } }\n",
    "a/Square.java": "package a; public class Square extends Shape { int area() { return 1; } }\n",
    "b/Main.java": "package b; import a.*; class Main { int run(Square s) { return s.area(); } }\n",
    "b/Other.java": "package b; class Other { Object o = new Main(); String s; }\n",
}
EDITS = {
    ".py": ["def run(y): return len(y)\n", "import os\nclass Shape: pass\nos.getcwd()\n", "def f(:\n", ""],
    ".java": [
        "package a; public class Square { Shape area() { return null; } }\n",
        "package b; class Main extends a.Shape { void stop() { area(); } }\n",
        "class {{",
    ],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def content(kg: KnowledgeGraph) -> list[Any]:
    """Everything that two equal graphs have in common."""
    assert kg.folder is not None
    outputs = Outputs.load(kg.folder)
    quads, graphs = set(map(str, kg.store)), {str(g) for g in kg.store.named_graphs()}
    return [quads, graphs, kg.occurrences, replace(kg.manifest, started="", seconds={}), outputs]


def change(project: Path, chance: random.Random) -> None:
    """Edit, rename, delete, move or add a file."""
    path = chance.choice(sorted(p for p in project.rglob("*") if p.is_file()))
    kind = chance.choice(("edit", "append", "rename", "delete", "move", "add"))
    new = chance.choice(EDITS[path.suffix])
    if kind == "edit":
        path.write_text(new)
    elif kind == "append":
        path.write_text(path.read_text() + new)
    elif kind == "rename":
        path.rename(path.with_stem(f"renamed{chance.randrange(100)}"))
    elif kind == "delete" and len(list(project.rglob("*.*"))) > 5:
        path.unlink()
    elif kind == "move":
        (project / "moved").mkdir(exist_ok=True)
        path.rename(project / "moved" / path.name)
    else:
        path.with_stem(f"added{chance.randrange(100)}").write_text(new)


@pytest.mark.parametrize("seed", range(4))
def test_any_change_gives_what_a_full_build_gives(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(occurrence_parts, "ROWS", (4, 20, 1000)[seed % 3])
    build_kg([project], tmp_path / "kg")
    monkeypatch.setattr(module, "MAX_CHANGED", 1)
    monkeypatch.setattr(module, "_rebuild", _not_expected)
    for step in range(4):
        change(project, chance)
        if step % 2:
            build_kg([project], tmp_path / "kg")
        else:
            command([str(project)], str(tmp_path / "kg"))
        with monkeypatch.context() as patched:
            patched.setattr(module, "_rebuild", REBUILD)
            full = build_kg([project], tmp_path / f"full{step}")
        assert content(KnowledgeGraph.open(tmp_path / "kg")) == content(full), step


REBUILD = module._rebuild


def _not_expected(*args: object) -> None:
    raise AssertionError("built again")


def test_inferred_facts_go_and_much_change_rebuilds(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_kg([project], tmp_path / "kg")
    kg = KnowledgeGraph.open(tmp_path / "kg", writable=True)
    kg.infer()
    del kg
    (project / "b/Other.java").unlink()
    updated = content(build_kg([project], tmp_path / "kg"))
    monkeypatch.setattr(updating, "MAX_CHANGES", 1)
    (project / "b/Main.java").unlink()
    rebuilt = content(build_kg([project], tmp_path / "kg"))
    (project / "b/Main.java").write_text(FILES["b/Main.java"])
    assert content(build_kg([project], tmp_path / "full")) == updated
    assert rebuilt != updated


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("b/Other.java", FILES["b/Other.java"].replace("s;", "s = null;"), {"b/Other.java"}),
        ("a/Square.java", FILES["a/Square.java"].replace("} }", "} void run(int x) { } }"),
         {"a/Square.java", "b/Main.java"}),
        ("b/Other.java", "package b; class Other extends Main { }", {n for n in FILES if "java" in n}),
        ("pkg/main.py", "", {"pkg/main.py", "pkg/square.py"}),
        ("pkg/shapes.py", FILES["pkg/shapes.py"].replace("0", "[0]"), {"pkg/shapes.py"}),
        ("pkg/square.py", "from pkg import *\n", {n for n in FILES if ".py" in n}),
    ],
)  # fmt: skip
def test_only_what_may_change_is_read_again(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, text: str, expected: set[str]
) -> None:
    build_kg([project], tmp_path / "kg")
    read: set[str] = set()
    extract = Owner.extract

    def note(self: Owner, tasks: Any) -> Any:
        read.update(task.path for _, task in tasks)
        return extract(self, tasks)

    monkeypatch.setattr(Owner, "extract", note)
    (project / path).write_text(text)
    updated = content(build_kg([project], tmp_path / "kg"))
    assert read == expected
    assert content(build_kg([project], tmp_path / "full")) == updated


WORDS = ["Shape", "Square", "area", "run", "abs(2)", "[self]", "{}", "lambda x: x", "None", "area=run", "x"]


def reworded(project: Path, chance: random.Random) -> None:
    """Change a word or two of a Python file."""
    path = chance.choice(sorted(project.rglob("*.py")))
    parts = re.split(r"(\b\w+\b)", path.read_text())
    for _ in range(chance.choice((1, 2))):
        parts[chance.randrange(len(parts))] = chance.choice(WORDS)
    path.write_text("".join(parts))


@pytest.mark.parametrize("seed", range(2))
def test_edits_of_python_files_are_replayed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for number in range(12):
        (project / f"idle{number}.py").write_text(f"def idle(): return {number}\n")
    (project / "pkg/shapes.pyi").write_text("class Shape: ...\n")  # declares what shapes.py does: left out
    chance = random.Random(seed)
    build_kg([project], tmp_path / "kg")
    extract, read = Owner.extract, set[str]()

    def note(self: Owner, tasks: Any) -> Any:
        read.update(task.path for _, task in tasks)
        return extract(self, tasks)

    replayed = 0
    for step in range(5):
        reworded(project, chance)
        read.clear()
        with monkeypatch.context() as patched:
            patched.setattr(Owner, "extract", note)
            updated = build_kg([project], tmp_path / "kg", workers=2)
        replayed += len(read) < 6 and "pkg/shapes.pyi" not in read
        assert content(updated) == content(build_kg([project], tmp_path / f"full{step}"))
    assert replayed > 2


#: Where an update dies, after how many calls of that, and whether the transaction is behind it.
POINTS = [
    ("save_part", 0, False), ("shutil.rmtree", 0, False), ("shutil.rmtree", 1, False),
    ("_data", 0, False), ("_finish", 0, True), ("os.replace", 0, True), ("os.replace", 1, True),
    ("os.replace", 2, True), ("shutil.rmtree", 2, True),
]  # fmt: skip


@pytest.mark.parametrize(("point", "calls", "committed"), POINTS)
def test_an_update_killed_anywhere_leaves_the_old_graph_or_the_new(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, calls: int, committed: bool
) -> None:
    old = content(build_kg([project], tmp_path / "kg"))
    (project / "pkg/square.py").write_text("def other(): return 1\n")
    new = content(build_kg([project], tmp_path / "full"))
    owner: Any = updating
    for name in point.split(".")[:-1]:
        owner = getattr(owner, name)
    name = point.split(".")[-1]
    original, left = getattr(owner, name), [calls]

    def die(*args: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return original(*args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, die)
        try:
            build_kg([project], tmp_path / "kg")
        except KeyboardInterrupt:
            pass
    gc.collect()
    assert left[0] < 0
    assert content(KnowledgeGraph.open(tmp_path / "kg")) == (new if committed else old)
    assert content(build_kg([project], tmp_path / "kg")) == new
    assert not (tmp_path / "kg/next").exists()
