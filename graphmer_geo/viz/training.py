"""How a run went: the log as one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from graphmer_geo.errors import UserError
from graphmer_geo.files import complete_lines
from graphmer_geo.viz.charts import LOSS_PARTS, STYLE
from graphmer_geo.viz.palette import MUTED, SERIES

Rows = Sequence[Mapping[str, Any]]

#: Panels: title, and what is drawn there by its name in the log.
PANELS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("loss (nats)", LOSS_PARTS),
    ("accuracy", {f"{key}_acc": title for key, title in LOSS_PARTS.items() if key != "loss"}),
    ("learning rate", {"learning_rate": ""}),
    ("gradient norm before clipping", {"grad_norm": ""}),
    ("tokens per second", {"tokens_per_second": ""}),
    ("share of time waiting for data", {"data_wait": ""}),
    ("peak memory (MiB)", {"memory_mib": ""}),
)


def training_figure(rows: Rows) -> Figure:
    """One panel per quantity over optimiser steps, and the last accuracy per relation of masked nodes.

    Args:
        rows: of ``log.jsonl``.
    """
    by_relation: Mapping[str, float] = next(
        (row["mnm_by_relation"] for row in reversed(rows) if row.get("mnm_by_relation")), {}
    )
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 12), layout="constrained")
        axes = figure.subplots(4, 2).flatten()
        for panel, (title, names) in zip(axes, PANELS, strict=False):
            _curves(panel, rows, names)
            panel.set_title(title, loc="left", fontsize=10, color=MUTED)
            panel.set_xlabel("optimiser step")
        _bars(axes[-1], by_relation)
        for switch in _switches(rows):
            for panel in axes[:-1]:
                panel.axvline(switch, color=MUTED, linewidth=0.8, linestyle=":")
        return figure


def plot_run(run: str | Path, out: str | Path | None = None) -> Path:
    """Draw ``log.jsonl`` of a run folder.

    Args:
        run: the run folder.
        out: SVG, PNG or PDF, by its suffix; default: ``RUN/training.svg``.

    Raises:
        UserError: there is no log, or the format is unknown.
    """
    log, target = Path(run) / "log.jsonl", Path(out) if out else Path(run) / "training.svg"
    rows = complete_lines(log)
    if not rows:
        raise UserError(f"no lines in {log}; give the folder of a training run that has logged a step")
    if target.suffix not in (".svg", ".png", ".pdf"):
        raise UserError(f"cannot draw {target.name!r}; end it in .svg, .png or .pdf")
    training_figure(rows).savefig(target, facecolor="white", dpi=150)
    return target


def _curves(panel: Axes, rows: Rows, names: Mapping[str, str]) -> None:
    for index, (key, title) in enumerate(names.items()):
        points = [(row["step"], row[key]) for row in rows if key in row]
        if points:
            steps, values = zip(*points, strict=True)
            marker = "o" if len(points) == 1 else ""
            panel.plot(steps, values, color=SERIES[index], label=title, marker=marker)
    if any(names.values()) and panel.lines:
        panel.legend(frameon=False, fontsize=8)


def _bars(panel: Axes, by_relation: Mapping[str, float]) -> None:
    ordered = sorted(by_relation.items(), key=lambda item: item[1])
    panel.barh([name for name, _ in ordered], [value for _, value in ordered], color=SERIES[0])
    panel.set_title("masked nodes: accuracy per relation, last line", loc="left", fontsize=10, color=MUTED)
    panel.set_xlim(0, 1)
    panel.tick_params(axis="y", labelsize=max(4, 9 - len(ordered) // 6))


def _switches(rows: Rows) -> list[int]:
    """Steps after which the curriculum went on."""
    lengths = [(row["step"], row["max_roots"]) for row in rows if "max_roots" in row]
    return [a[0] for a, b in pairwise(lengths) if a[1] != b[1]]
