"""Plots as matplotlib figures, each a function of plain rows, and a figure as inline SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from graphmer_geo.viz.palette import INK, MUTED, RULE, SERIES

#: What the parts of the loss are called in a log, and to a reader.
LOSS_PARTS = {"loss": "total", "mlm": "masked tokens", "mnm": "masked nodes", "rank": "entity ranking",
              "sbo": "span boundaries"}

#: What all plots share.
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "lines.linewidth": 1.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_DASHES = ("-", "--", "-.", (0, (1, 1)))
_PAGE_FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif"


def loss_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss curves by part.

    Args:
        rows: Log rows with ``step`` and any of ``loss``, ``mlm``, ``mnm``, ``rank``; others are ignored.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 3.6), layout="constrained")
        axes = figure.add_subplot()
        ends: list[tuple[float, float, str, str]] = []
        for index, (key, title) in enumerate(LOSS_PARTS.items()):
            points = [(row["step"], row[key]) for row in rows if key in row and "step" in row]
            if not points:
                continue
            steps, values = zip(*points, strict=True)
            marker = "o" if len(points) == 1 else ""
            axes.plot(steps, values, color=SERIES[index], linestyle=_DASHES[index], marker=marker)
            ends.append((steps[-1], values[-1], title, SERIES[index]))
        _label_ends(axes, ends)
        axes.set(xlabel="optimiser step", ylabel="loss (nats)", ylim=(0, None))
        axes.grid(axis="x", visible=False)
        return figure


def bar_figure(counts: Mapping[str, float], *, unit: str = "", limit: int = 20) -> Figure:
    """Horizontal bars, largest first; what is beyond ``limit`` is summed into one."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) > limit:
        rest = ordered[limit - 1 :]
        ordered = [*ordered[: limit - 1], (f"{len(rest)} others", sum(value for _, value in rest))]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 0.6 + 0.27 * max(len(ordered), 1)), layout="constrained")
        axes = figure.add_subplot()
        names, values = [name for name, _ in ordered], [value for _, value in ordered]
        bars = axes.barh(names, values, color=SERIES[0], height=0.62)
        axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=4, fontsize=9, color=MUTED)
        axes.invert_yaxis()
        axes.margins(x=0.12, y=0.01)
        axes.set_xlabel(unit)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0, colors=INK)
        return figure


def dot_figure(
    rows: Mapping[str, Mapping[str, float]], *, label: str, first: str = "model", xmax: float | None = 1.0
) -> Figure:
    """One line per name, one dot per series on it: compares a model with baselines, relation by relation.

    Args:
        rows: Name to series to value; a series may be missing in some rows.
        label: What the values are.
        first: The series that stands out.
        xmax: Right end of the axis; None fits the data.
    """
    series = sorted({name for row in rows.values() for name in row}, key=lambda name: (name != first, name))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 1.0 + 0.3 * max(len(rows), 1)), layout="constrained")
        axes = figure.add_subplot()
        for y, row in enumerate(rows.values()):
            if row:
                axes.hlines(y, min(row.values()), max(row.values()), color=RULE, linewidth=2, zorder=1)
        for index, name in enumerate(series):
            points = [(row[name], y) for y, row in enumerate(rows.values()) if name in row]
            x, y_values = zip(*points, strict=True)
            size, level = (52, 3) if index == 0 else (26, 2)
            color, marker = SERIES[index % len(SERIES)], "oDs^vP"[index % len(SERIES)]
            axes.scatter(
                x, y_values, s=size, zorder=level, color=color, marker=marker, label=name, clip_on=False
            )
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
        axes.set_xlim(0, xmax and 1.01 * xmax)
        axes.set_xlabel(label)
        axes.tick_params(axis="y", length=0, colors=INK)
        if series:
            figure.legend(
                loc="outside upper left", ncols=len(series), frameon=False, fontsize=9, handletextpad=0.2
            )
        return figure


def figure_svg(figure: Figure, name: str, description: str) -> str:
    """A figure as an ``<svg>`` element that can stand inside a page: no ids that clash, readable to all.

    Args:
        figure: What to draw.
        name: Prefix of all ids; unique within the page.
        description: What a reader who cannot see the plot is told.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name, "svg.id": None}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("'DejaVu Sans'", _PAGE_FONT)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1).strip()


def _label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Name each curve at its right end, spread so that the names do not overlap."""
    low, high = axes.get_ylim()
    room, previous = (high - min(low, 0)) * 0.062, float("-inf")
    for x, y, title, color in sorted(ends, key=lambda end: end[1]):
        previous = max(y, previous + room)
        axes.annotate(
            f"{title}  {y:.2f}", (x, previous), xytext=(8, 0), textcoords="offset points",
            va="center", color=color, annotation_clip=False,
        )  # fmt: skip
