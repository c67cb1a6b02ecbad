"""The pages on the model and its layers say what is so: their code runs, and every layer has a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import graphmer_geo.nn as layers

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = [DOCS / "graphmer.md", *sorted((DOCS / "layers").glob("*.md"))]
#: Parts of a layer that its page explains.
PARTS = {"AttentionBias", "LexicalMatch", "NamePopularity", "Proximity", "TokenSalience"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_code_of_a_page_runs(page: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks or page.stem == "index"
    exec("\n".join(blocks), {})


def test_every_layer_is_on_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    public = {name for name in layers.__all__ if name not in PARTS}
    assert not {name for name in public if name not in text}


def test_every_page_is_listed() -> None:
    listed = (DOCS / "layers" / "index.md").read_text(encoding="utf-8").split("{toctree}")[1].split("```")[0]
    pages = {page.stem for page in (DOCS / "layers").glob("*.md")} - {"index"}
    assert pages == {line for line in listed.split() if not line.startswith(":") and not line.isdigit()}
    assert {"graphmer", "layers/index"} <= set((DOCS / "index.md").read_text(encoding="utf-8").split())
