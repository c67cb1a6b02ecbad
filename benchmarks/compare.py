"""Write the tables of the documents from the result files.

Run: python benchmarks/compare.py [--check]

Every `benchmarks/results/*.json` becomes a table between the markers of the document that shows its kind.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.tables import datasets, evaluation, graph, speed, tasks, training
from graphmer_geo.results import read_result

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MARKED = re.compile(r"(<!-- results:begin [^>]*-->\n).*?(<!-- results:end -->)", re.DOTALL)
Render = Callable[[Path, dict[str, Any]], str]

#: document -> what renders the result files that it shows
DOCUMENTS: dict[str, Render] = {
    "README.md": evaluation.render,
    "docs/knowledge-graph.md": graph.render,
    "docs/throughput.md": speed.render,
    "docs/datasets.md": datasets.render,
    "docs/training.md": training.render,
    "docs/benchmarks.md": tasks.render,
}


def tables(render: Render, folder: Path = RESULTS) -> str:
    """Markdown of the result files, by name."""
    return "".join(render(path, read_result(path)) for path in sorted(folder.glob("*.json")))


def fill(document: str, content: str) -> str:
    """``document`` with ``content`` between its markers."""
    filled, count = MARKED.subn(lambda match: match[1] + content + match[2], document)
    if count != 1:
        raise SystemExit(f"a document must have one pair of results markers (has {count})")
    return filled


def main() -> None:
    """Rewrite the documents, or say which one needs that."""
    parser = argparse.ArgumentParser(description="Write the documents' tables from the result files.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is out of date")
    check = parser.parse_args().check
    for name, render in DOCUMENTS.items():
        document = ROOT / name
        found = document.read_text(encoding="utf-8")
        wanted = fill(found, tables(render))
        if check and found != wanted:
            raise SystemExit(f"{name} disagrees with benchmarks/results; run: python benchmarks/compare.py")
        document.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
