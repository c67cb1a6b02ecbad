"""What every table needs: where its numbers come from, and rows of cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def caption(path: Path, result: dict[str, Any], root: str = "") -> str:
    """Command, machine and commit of a result, with a link to its file; ``root`` leads to the top folder."""
    machine, commit = result["machine"], result["commit"] or "unknown"
    return (
        f"`{result['command']}`, {machine['processor']}, {machine['cores']} cores, "
        f"commit {commit[:9]} ([{path.name}]({root}benchmarks/results/{path.name})):"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> list[str]:
    """Lines of a table whose first ``words`` columns are words and the others numbers."""
    lines = [_row(head), "|" + "---|" * words + "---:|" * (len(head) - words)]
    return lines + [_row(row) for row in rows]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def share(value: float | None) -> str:
    """A share in per cent; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.2f} %"
