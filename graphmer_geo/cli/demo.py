"""``graphmer demo``."""

from __future__ import annotations


def demo(out: str = "demo", minutes: float = 3.0, threads: int = 2, seed: int = 0) -> None:
    """Run the whole pipeline on real code: this interpreter's standard library and a small Java project.

    Builds and validates the graph, asks it three questions, trains a small encoder and ranks it against
    baselines on packages it has not seen. Needs no network. Leaves OUT/report.html.

    Args:
        out: Folder for everything that is made.
        minutes: How long to train.
        threads: CPU threads.
        seed: Seed of the split, the weights and the masks.

    Example:
        graphmer demo --minutes 20
    """
    from graphmer_geo.demo import demo as run

    run(out=out, minutes=minutes, threads=threads, seed=seed)
