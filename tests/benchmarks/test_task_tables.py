"""Result files of the tasks become sections of docs/benchmarks.md."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.compare import tables
from benchmarks.tables import tasks

ONE = {"mean": 0.5, "low": None, "high": None}
TWO = {"mean": 0.25, "low": 0.2, "high": 0.3}
MANY = {"mean": 1234.5, "low": None, "high": None}


def write(folder: Path, task: str, metrics: dict) -> str:
    content = {
        "schema": 1, "task": task, "command": f"{task}.py", "commit": "0123456789abcdef",
        "machine": {"processor": "CPU", "cores": 2}, "metrics": metrics,
    }  # fmt: skip
    (folder / f"{task}.json").write_text(json.dumps(content))
    return tables(tasks.render, folder)


def test_masked_tokens(tmp_path: Path) -> None:
    cells = {"top-1": ONE, "top-5": TWO, "perplexity": MANY, "count": MANY}
    text = write(tmp_path, "mlm", {
        "classes": {"all": {"encoder": cells}, "identifier": {"encoder": cells}},
        "lower_perplexity": {"identifier": {"encoder": TWO, "all leaves": ONE}},
    })  # fmt: skip
    assert "### Masked tokens" in text
    assert "| identifier | encoder | 0.500 | 0.250 ± 0.050 | 1234.50 | 1,234 |" in text
    assert "| identifier | 25.0 ± 5.0 % | 50.0 % |" in text
    assert text.index("| identifier | encoder") < text.index("| all | encoder")


def test_cloze(tmp_path: Path) -> None:
    cells = {"accuracy": TWO, "count": MANY}
    text = write(tmp_path, "cloze", {
        "tasks": {"max/min": {"encoder": cells, "n-gram": cells}},
        "encoder_minus": {"max/min": {"n-gram": ONE}},
    })  # fmt: skip
    assert "| max/min | encoder | 25.0 ± 5.0 % |  | 1,234 |" in text
    assert "| max/min | n-gram | 25.0 ± 5.0 % | 50.0 | 1,234 |" in text


def test_link_prediction(tmp_path: Path) -> None:
    cells = {"mrr": ONE, "hits@1": TWO, "hits@10": ONE, "count": MANY}
    ranking = {"hidden": {"encoder": cells}, "all": {"encoder": cells}}
    text = write(tmp_path, "link-prediction", {"settings": {"inductive": {"ranking": ranking}}})
    assert "**inductive**" in text
    assert "| hidden | encoder | 0.500 | 0.250 ± 0.050 | 0.500 | 1,234 |" in text
    assert "| all |" not in text


def test_search_and_clones(tmp_path: Path) -> None:
    cells = {"mrr@10": TWO, "recall@1": TWO, "recall@10": TWO}
    text = write(tmp_path, "code-search", {
        "search": {"encoder": cells, "BM25": cells}, "candidates": 2345, "encoder_minus": {"BM25": TWO},
    })  # fmt: skip
    interval = "0.250 [0.200, 0.300]"
    assert "Each query has 2,345 candidates." in text
    assert f"| encoder | {interval} | {interval} | {interval} |  |" in text
    assert f"| BM25 | {interval} | {interval} | {interval} | {interval} |" in text
    found = {"map": {"encoder": {"map": TWO}}, "queries": 1234}
    text = write(tmp_path, "clone", {"tasks": {"overrides": found}, "candidates": 2345})
    assert f"| overrides | encoder | {interval} | 1,234 |" in text


def test_other_tasks_are_left_alone(tmp_path: Path) -> None:
    assert write(tmp_path, "throughput", {}) == ""
