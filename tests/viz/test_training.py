from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from graphmer_geo.cli import main
from graphmer_geo.errors import UserError
from graphmer_geo.viz.training import plot_run, training_figure

ROWS = [
    {
        "step": step, "loss": 9.0 - step / 10, "mlm": 4.0, "mlm_acc": step / 100, "learning_rate": 1e-3,
        "grad_norm": 2.0, "tokens_per_second": 100.0 + step, "data_wait": 0.1, "memory_mib": 900.0,
        "max_roots": 384 if step < 30 else 512, "mnm_by_relation": {"calls": step / 50, "raises": 0.5},
    }
    for step in range(10, 60, 10)
]  # fmt: skip


def test_every_quantity_has_its_panel() -> None:
    axes = training_figure(ROWS).axes
    titles = [panel.get_title(loc="left") for panel in axes]
    assert titles[0] == "loss (nats)"
    curves = [[list(line.get_ydata()) for line in panel.get_lines()] for panel in axes]
    drawn = dict(zip(titles, curves, strict=True))
    assert drawn["tokens per second"][0] == [row["tokens_per_second"] for row in ROWS]
    assert drawn["loss (nats)"][:2] == [[row["loss"] for row in ROWS], [4.0] * 5]
    assert drawn["accuracy"][0] == [row["mlm_acc"] for row in ROWS]
    bars = axes[-1]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["raises", "calls"]
    assert [bar.get_width() for bar in bars.patches] == [0.5, 1.0]
    assert [list(line.get_xdata()) for line in axes[2].get_lines()][-1] == [20, 20]  # the switch to 512


def test_the_command_draws_a_run_that_is_still_writing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "log.jsonl").write_text(lines + '{"step": 60, "lo')
    assert main(["plot", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "training.svg")
    assert "<svg" in (tmp_path / "training.svg").read_text()
    assert plot_run(tmp_path, tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match=r"end it in \.svg"):
        plot_run(tmp_path, "x.bmp")
    with pytest.raises(UserError, match="no lines in"):
        plot_run(tmp_path / "nothing")
