"""How cost grows with the number of triples and of graphs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.speed.corpus import Corpus
from benchmarks.speed.encoders import our_step
from benchmarks.speed.timing import Bench, medians, to_device
from graphmer_geo.data import collate
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.nn import HGATConv

CHAINS = (16, 32, 64, 128, 256, 512)
GRAPHS = (8, 16, 32, 64, 128)
WIDTH = 256


def growth(bench: Bench, corpus: Corpus) -> dict[str, Any]:
    """Seconds of fusion by triples, and of a small encoder's training step by graphs."""
    chains = corpus.chains(max(CHAINS))
    batches = {count: to_device(collate(chains[:count]), bench.device) for count in CHAINS}
    torch.manual_seed(bench.seed)
    conv = HGATConv(WIDTH, WIDTH, len(corpus.folder.relations), num_bases=8).to(bench.device)
    x = torch.randn(batches[max(CHAINS)]["tok"].numel(), WIDTH, device=bench.device)

    def fuse(count: int) -> Callable[[int], None]:
        batch = batches[count]
        here = x[: batch["tok"].numel()].requires_grad_()
        return lambda _: conv(here, batch["edge_index"], batch["edge_rel"]).pow(2).sum().backward()

    times = bench.alternate({str(count): fuse(count) for count in CHAINS})
    triples = [batches[count]["triple_rel"].numel() for count in CHAINS]
    step = our_step(corpus.config(GraphMERConfig.small()), bench.device, bench.seed)
    encoded = bench.alternate({str(k): lambda _, k=k: step(batches[k]) for k in GRAPHS if k in batches})
    tokens = [batches[k]["tok"].numel() for k in GRAPHS if k in batches]
    return {
        "fusion": _curve(triples, list(medians(times).values())),
        "encoder": _curve([k for k in GRAPHS if k in batches], list(medians(encoded).values()))
        | {"tokens": tokens},
    }


def _curve(size: list[int], seconds: list[float]) -> dict[str, Any]:
    """Points, and the exponent of growth over the upper half (1 is linear, below 1 a fixed cost shows)."""
    half = len(size) // 2
    slope = np.polyfit(np.log(size[half - 1 :]), np.log(seconds[half - 1 :]), 1)[0]
    return {"size": size, "seconds": seconds, "exponent": float(slope)}


def draw(curves: dict[str, Any], path: Path) -> None:
    """Both curves beside a straight line through their last point."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3), layout="constrained")
    names = {"fusion": "triples", "encoder": "graphs"}
    for axis, (name, label) in zip(axes, names.items(), strict=True):
        size, seconds = np.array(curves[name]["size"]), np.array(curves[name]["seconds"])
        axis.loglog(size, seconds, "o-", label=f"exponent {curves[name]['exponent']:.2f}")
        axis.loglog(size, seconds[-1] * size / size[-1], "--", color="grey", label="linear")
        axis.set(xlabel=label, ylabel="seconds", title=name)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=110)
