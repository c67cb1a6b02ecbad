"""What the page on real projects says of a small one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.real_projects import examine, page, reasons
from graphmer_geo.kg import Source, build_kg

TEXT = """
from elsewhere import *
from other import *

class Box:
    def show(self, thing, run):
        thing.wave()
        run()
        self.missing
        thing.arm.lift()
        thing.arm().lift()
        "text".nothing_like_it()
        unknown()
"""


@pytest.fixture
def project(tmp_path: Path) -> Source:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "box.py").write_text(TEXT)
    (tmp_path / "src" / "bad.py").write_text("def (:\n")
    return Source(tmp_path / "src", "box", "1")


def test_reasons_are_told_from_the_text(project: Source) -> None:
    found = Counter(reasons(build_kg([project])))
    assert found["member of a parameter without a known type"] == 3  # wave, arm, arm
    assert found["a parameter: its value is not known from the callers"] == 1
    assert found["member of the object itself that no class in the corpus defines"] == 1
    assert found["member of a member whose value is not known"] == 1
    assert found["member of the result of a call, an item or a display"] == 1
    assert found["name that a star import from outside may bring"] == 1


def test_the_page_has_what_was_counted(project: Source, tmp_path: Path) -> None:
    about = {"version": "1", "style": "tiny", **examine(project, tmp_path)}
    content = {
        "command": "real_projects.py",
        "machine": {"processor": "some", "cores": 2},
        "metrics": {"projects": {"box": about}},
    }
    text = page(content)
    assert "| box 1 | tiny | 1 / 1 / 0 | " in text
    assert "| Class | 1 |" in text
    assert "- box, partial: `bad.py`: line 1: syntax error" in text
    assert "| member of a parameter without a known type | 3 |" in text
