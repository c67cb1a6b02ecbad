"""Link prediction and masked tokens, as a run of the demo or of `graphmer eval` leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.tables.markdown import caption, table

METRICS = {"mrr": "MRR", "hits@1": "Hits@1", "hits@3": "Hits@3", "hits@10": "Hits@10"}


def render(path: Path, result: dict[str, Any]) -> str:
    """The table of one result file; empty if it holds no evaluation."""
    evaluation = result["metrics"].get("evaluation")
    if evaluation is None:
        return ""
    rows = []
    for group in ("hidden", "visible"):
        for name, metrics in evaluation["ranking"].get(group, {}).items():
            values = [_bold(f"{metrics[key]:.3f}", name) for key in METRICS]
            rows.append([group, _bold(name, name), *values, f"{metrics['count']:,}"])
    mlm = evaluation["mlm"]
    shown = ", ".join(f"{name} {value:.3f}" for name, value in mlm.items() if name != "count")
    head = ["tails", "by", *METRICS.values(), "queries"]
    lines = ["", caption(path, result), "", *table(head, rows, words=2)]
    lines += ["", f"Masked tokens, top-1 on {mlm['count']:,}: {shown}.", ""]
    return "\n".join(lines) + "\n"


def _bold(text: str, scorer: str) -> str:
    return f"**{text}**" if scorer == "model" else text
