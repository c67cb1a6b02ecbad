"""Plots show what they were given, and can stand side by side in one page."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib")

from graphmer_geo.viz.charts import bar_figure, dot_figure, figure_svg, loss_figure

ROWS = [
    {"step": s, "loss": 9.0 - s / 10, "mlm": 4.0, "rank": 5.0 - s / 10, "lr": 1.0} for s in range(0, 50, 10)
]


def test_loss_curves_are_the_rows() -> None:
    (axes,) = loss_figure([*ROWS, {"step": 50, "note": "no loss here"}]).axes
    lines = axes.get_lines()
    assert len(lines) == 3  # no mnm in these rows; lr is not a loss
    assert list(lines[0].get_ydata()) == [row["loss"] for row in ROWS]
    names = [text.get_text() for text in axes.texts]
    assert sorted(names) == ["entity ranking  1.00", "masked tokens  4.00", "total  5.00"]


def test_labels_at_the_ends_do_not_overlap() -> None:
    rows = [{"step": s, "loss": 3.0, "mlm": 1.0, "mnm": 1.0, "rank": 1.0} for s in (0, 1)]
    (axes,) = loss_figure(rows).axes
    heights = sorted(text.xy[1] for text in axes.texts)
    assert min(b - a for a, b in pairwise(heights)) > 0.1


def test_bars_are_sorted_and_the_rest_is_one_bar() -> None:
    (axes,) = bar_figure({"a": 1, "b": 5, "c": 3, "d": 2}, limit=3).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "c", "2 others"]
    assert [bar.get_width() for bar in axes.patches] == [5, 3, 3]


def test_dots_per_series_with_the_model_first() -> None:
    rows = {"calls": {"copy": 0.2, "model": 0.5}, "reads": {"model": 0.1}}
    figure = dot_figure(rows, label="MRR")
    (axes,) = figure.axes
    names = [c.get_label() for c in axes.collections if not str(c.get_label()).startswith("_")]
    assert names == ["model", "copy"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["calls", "reads"]


@pytest.mark.parametrize(
    "figure", [loss_figure(ROWS), loss_figure([]), bar_figure({}), dot_figure({}, label="x")]
)
def test_empty_and_full_plots_become_well_formed_svg(figure) -> None:  # type: ignore[no-untyped-def]
    ElementTree.fromstring(figure_svg(figure, "name", "what <it> shows"))


def test_svgs_in_one_page_do_not_share_ids_and_repeat_exactly() -> None:
    one, two = (figure_svg(loss_figure(ROWS), name, "d") for name in ("one", "two"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, known in zip((one, two), ids, strict=True):
        used = re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', svg)
        assert used
        assert set(used) <= known
    assert one == figure_svg(loss_figure(ROWS), "one", "d")
    assert 'aria-label="d"' in one
