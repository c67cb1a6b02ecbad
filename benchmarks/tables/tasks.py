"""What encoders are worth on unseen projects: link prediction, masked tokens, cloze, search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.masked.classes import CLASSES
from benchmarks.tables.markdown import caption, table

Metrics = dict[str, Any]
Cell = dict[str, Any]
SHOWN = {"mrr": "MRR", "hits@1": "Hits@1", "hits@10": "Hits@10"}


def render(path: Path, result: dict[str, Any]) -> str:
    """The section of one result file; empty if it is of another task."""
    if result["task"] not in _RENDER:
        return ""
    title, body = _RENDER[result["task"]]
    lines = ["", f"### {title}", "", caption(path, result, "../"), "", *body(result["metrics"]), ""]
    return "\n".join(lines) + "\n"


def with_interval(cell: Cell, digits: int = 3, factor: float = 1.0) -> str:
    """A mean with half its 95 % interval, where there are several seeds."""
    mean = f"{factor * cell['mean']:.{digits}f}"
    return mean if cell["low"] is None else f"{mean} ± {factor * (cell['mean'] - cell['low']):.{digits}f}"


def _count(cell: Cell) -> str:
    return f"{round(cell['mean']):,}"


def _link_prediction(metrics: Metrics) -> list[str]:
    lines: list[str] = []
    for setting, found in metrics["settings"].items():
        rows = [
            [group, name, *(with_interval(cells[m]) for m in SHOWN), _count(cells["count"])]
            for group in ("hidden", "visible")
            for name, cells in found["ranking"].get(group, {}).items()
        ]
        lines += [f"**{setting}**", ""]
        lines += [*table(["tails", "by", *SHOWN.values(), "queries"], rows, words=2), ""]
    return lines[:-1]


def _mlm(metrics: Metrics) -> list[str]:
    rows = [
        [group, name, *(with_interval(cells[m]) for m in ("top-1", "top-5")),
         with_interval(cells["perplexity"], 2), _count(cells["count"])]
        for group in (*CLASSES, "all")
        for name, cells in metrics["classes"].get(group, {}).items()
    ]  # fmt: skip
    lines = table(["tokens", "by", "top-1", "top-5", "perplexity", "masked"], rows, words=2)
    lower = metrics.get("lower_perplexity", {})
    if lower:
        names = list(next(iter(lower.values())))
        shares = [
            [group, *(with_interval(lower[group][name], 1, 100.0) + " %" for name in names)]
            for group in (*CLASSES, "all")
            if group in lower
        ]
        lines += ["", "By how much perplexity is below that of `text only`:", ""]
        lines += table(["tokens", *names], shares)
    return lines


def _cloze(metrics: Metrics) -> list[str]:
    margins = metrics.get("encoder_minus", {})
    rows = []
    for task, predictors in metrics["tasks"].items():
        for name, cells in predictors.items():
            margin = margins.get(task, {}).get(name)
            told = "" if margin is None else with_interval(margin, 1, 100.0)
            accuracy = with_interval(cells["accuracy"], 1, 100.0) + " %"
            rows.append([task, name, accuracy, told, _count(cells["count"])])
    return table(["task", "by", "accuracy", "encoder better by (points)", "cases"], rows, words=2)


def _bootstrapped(cell: Cell, digits: int = 3) -> str:
    """A mean with its 95 % interval over queries."""
    return f"{cell['mean']:.{digits}f} [{cell['low']:.{digits}f}, {cell['high']:.{digits}f}]"


def _code_search(metrics: Metrics) -> list[str]:
    columns = {"mrr@10": "MRR@10", "recall@1": "recall@1", "recall@10": "recall@10"}
    rows = []
    for name, cells in metrics["search"].items():
        margin = metrics.get("encoder_minus", {}).get(name)
        told = "" if margin is None else _bootstrapped(margin)
        rows.append([name, *(_bootstrapped(cells[metric]) for metric in columns), told])
    head = f"Each query has {metrics['candidates']:,} candidates. Intervals are over queries."
    return [head, "", *table(["by", *columns.values(), "encoder better by (MRR@10)"], rows)]


def _clone(metrics: Metrics) -> list[str]:
    rows = [
        [task, name, _bootstrapped(cells["map"]), f"{found['queries']:,}"]
        for task, found in metrics["tasks"].items()
        for name, cells in found["map"].items()
    ]
    head = f"Among {metrics['candidates']:,} functions. Intervals are over queries."
    return [head, "", *table(["alike", "by", "mean average precision", "queries"], rows, words=2)]


_RENDER: dict[str, tuple[str, Callable[[Metrics], list[str]]]] = {
    "link-prediction": ("Link prediction", _link_prediction),
    "mlm": ("Masked tokens", _mlm),
    "cloze": ("Cloze", _cloze),
    "code-search": ("Code search", _code_search),
    "clone": ("Functions that are alike", _clone),
}
