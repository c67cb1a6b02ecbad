"""The README says what is so: its numbers come from result files, its code runs, its links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.compare import DOCUMENTS, MARKED, fill, tables
from benchmarks.tables import evaluation, graph

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tables_are_those_of_the_result_files(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert fill(text, tables(DOCUMENTS[name])) == text, "run python benchmarks/compare.py"


def test_a_graph_result_becomes_a_section(tmp_path: Path) -> None:
    kinds = {"class": {"wanted": 4, "found": 5, "equal": 4, "precision": 0.8, "recall": 1.0}}
    content = {
        "schema": 1, "task": "kg-exact-python", "command": "python benchmarks/kg_exact.py python",
        "commit": None, "machine": {"processor": "CPU", "cores": 2}, "metrics": {"kinds": kinds},
    }  # fmt: skip
    (tmp_path / "kg-exact-python.json").write_text(json.dumps(content))
    text = tables(graph.render, tmp_path)
    assert "| class | 4 | 5 | 0 | 1 | 80.00 % | 100.00 % |" in text
    assert "(../benchmarks/results/kg-exact-python.json)" in text
    assert tables(evaluation.render, tmp_path) == ""


def test_a_result_file_becomes_a_table(tmp_path: Path) -> None:
    metrics = {"mrr": 0.25, "hits@1": 0.125, "hits@3": 0.3, "hits@10": 0.5, "count": 1200}
    found = {
        "ranking": {"hidden": {"model": metrics, "random": metrics}},
        "mlm": {"model": 0.4, "count": 10},
    }
    content = {
        "schema": 1,
        "task": "demo",
        "command": "graphmer demo",
        "commit": "0123456789abcdef",
        "machine": {"processor": "CPU", "cores": 2},
        "metrics": {"evaluation": found},
    }
    (tmp_path / "demo.json").write_text(json.dumps(content))
    (tmp_path / "speed.json").write_text(json.dumps(content | {"metrics": {"seconds": 1}}))
    text = tables(evaluation.render, tmp_path)
    assert "| hidden | **model** | **0.250** | **0.125** | **0.300** | **0.500** | 1,200 |" in text
    assert "| hidden | random | 0.250 |" in text
    assert "commit 012345678" in text
    assert "Masked tokens, top-1 on 10: model 0.400." in text
    assert "speed.json" not in text


def test_no_number_of_a_result_outside_the_markers() -> None:
    assert not re.findall(r"\b0\.\d{2,}", MARKED.sub("", README))


@pytest.mark.parametrize("code", blocks("python"))
def test_code_runs(code: str) -> None:
    scope: dict[str, object] = {}
    exec(code, scope)
    assert tuple(scope["out"].shape) == (5, 32)  # type: ignore[attr-defined]


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_first_screen_has_the_two_commands_and_the_picture() -> None:
    screen = "\n".join(README.splitlines()[:40])
    assert "make demo" in screen
    assert "make test" in screen
    assert "```mermaid" in screen
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", screen, re.MULTILINE):
        assert f"\n{target}: " in makefile
