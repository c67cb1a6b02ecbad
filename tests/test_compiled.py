"""Compiled code gives what interpreted code gives. `make test-compiled` compiles and runs this."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.kg_build import check_code
from graphmer_geo.errors import UserError
from graphmer_geo.results import is_compiled

ROOT = Path(__file__).resolve().parents[1]
COMPILED = os.environ.get("GRAPHMER_TEST_COMPILED")

BUILD = """
import json, sys
from graphmer_geo.kg import build_kg
from graphmer_geo.results import is_compiled
kg = build_kg(sys.argv[2:], workers=int(sys.argv[1]))
quads = sorted(str(quad) for quad in kg.store if "agent" not in str(quad))
files = [[r.path, r.status, list(r.problems)] for r in kg.manifest.files]
print(json.dumps([is_compiled(), [quads, kg.occurrences.to_pylist(), files, kg.manifest.fingerprint]]))
"""


def _built(where: Path, corpus: list[Path], workers: int) -> tuple[str, str]:
    """Whether the code was compiled, and what it gave."""
    command = [sys.executable, "-c", BUILD, str(workers), *map(str, corpus)]
    environment = {**os.environ, "PYTHONPATH": str(where)}
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, check=True)
    was_compiled, found = done.stdout[1:].split(", ", 1)
    return was_compiled, found


@pytest.mark.skipif(COMPILED is None, reason="needs compiled code: make test-compiled")
def test_compiled_and_interpreted_code_build_equal_graphs(tmp_path: Path) -> None:
    assert COMPILED is not None
    check_code(ROOT / COMPILED / "graphmer_geo", ROOT / "graphmer_geo")
    wide = "# coding: latin-1\nnäme = 'ü' 'x'\ndef f(ä): return näme\n"
    (tmp_path / "wide.py").write_bytes(wide.encode("latin-1"))
    (tmp_path / "broken.py").write_text("def f(:\n  return (a.\nb)\nclass Ü: x = 1\n", encoding="utf-8")
    corpus = [tmp_path, *sorted(path for path in (ROOT / "tests" / "fixtures").iterdir() if path.is_dir())]
    interpreted = _built(ROOT, corpus, 1)
    assert interpreted[0] == "false"
    assert len(interpreted[1]) > 100_000
    for workers in (1, 2):  # what processes send each other is pickled
        assert _built(ROOT / COMPILED, corpus, workers) == ("true", interpreted[1])


def test_stale_compiled_code_is_not_measured(tmp_path: Path) -> None:
    for name, text in (("old", "x = 1\n"), ("new", "x = 2\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(text)
    check_code(tmp_path / "old", tmp_path / "old")
    with pytest.raises(UserError, match="make compile"):
        check_code(tmp_path / "old", tmp_path / "new")


def test_the_checkout_is_never_compiled_in_place() -> None:
    assert not list((ROOT / "graphmer_geo").rglob("*.so"))
    assert COMPILED is not None or not is_compiled()


def test_the_switch_takes_0_or_1_and_wants_no_editable_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = runpy.run_path(str(ROOT / "hatch_build.py"), run_name="hatch_build")
    settings = {"compiler": ["c"], "modules": ["graphmer_geo/kg/f*.py"], "interpreted": []}
    compilation = hook["Compilation"](str(ROOT), settings, None, None, "", "wheel")
    monkeypatch.delenv(hook["SWITCH"], raising=False)
    data: dict[str, object] = {}
    compilation.initialize("standard", data)
    assert (compilation.dependencies(), data) == ([], {})
    monkeypatch.setenv(hook["SWITCH"], "1")
    assert compilation.dependencies() == ["c"]
    with pytest.raises(RuntimeError, match="make compile"):
        compilation.initialize("editable", {})
    monkeypatch.setenv(hook["SWITCH"], "yes")
    with pytest.raises(RuntimeError, match=re.escape("must be 0 or 1 (got 'yes')")):
        compilation.initialize("standard", {})


def test_the_list_of_modules_names_what_there_is() -> None:
    modules = runpy.run_path(str(ROOT / "hatch_build.py"), run_name="hatch_build")["_modules"]
    folder = "graphmer_geo/kg/languages/python/"
    found = modules(ROOT, [folder + "*.py"], [folder + "text.py"])
    assert folder + "scopes.py" in found
    assert not {f for f in found if f.endswith(("__init__.py", "/text.py"))}
    with pytest.raises(RuntimeError, match=r"gone\.py"):
        modules(ROOT, ["graphmer_geo/kg/*.py"], ["graphmer_geo/kg/gone.py"])
