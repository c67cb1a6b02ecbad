"""``graphmer plot``."""

from __future__ import annotations

from graphmer_geo.cli.output import write_line


def plot(run: str, out: str | None = None) -> None:
    """Draw how a training run went: losses, accuracies, learning rate, gradients, speed, memory, relations.

    Args:
        run: Run folder of `graphmer train`; it may still be training.
        out: SVG, PNG or PDF file, by its suffix; default: RUN/training.svg.

    Example:
        graphmer plot run/ --out run.png
    """
    from graphmer_geo.viz.training import plot_run

    write_line(str(plot_run(run, out)))
