"""A small corpus in the toy language."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.kg import KnowledgeGraph, build_kg, languages

CORPUS = {
    "app/__init__.toy": "def start(argv) main print ?nothing\n",
    "app/core.toy": "class Base < object\n  def run(self, n) helper ~guess\n  def stop(self)\n"
    "class Child < Base\n  def run(self) run helper print\n",
    "app/util/__init__.toy": "",
    "app/util/text.toy": "def helper(x, y) helper\ndef main() helper ~stop\n",
}


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(languages.LANGUAGES, "toy", "tests.kg.toy:TOY")


def write_corpus(root: Path, files: dict[str, str] = CORPUS) -> Path:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.fixture
def corpus(tmp_path: Path, toy: None) -> Path:
    return write_corpus(tmp_path / "proj")


@pytest.fixture
def kg(corpus: Path) -> KnowledgeGraph:
    return build_kg([corpus], languages=["toy"])
