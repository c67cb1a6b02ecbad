"""How fast layers, encoder and data pipeline are, against what others would use in their place.

Run: python benchmarks/throughput.py [--threads N] [--parts fusion operators …] [--data FOLDER]
or:  python benchmarks/throughput.py --device cuda

Everything runs in this process, in turns, with a fixed number of threads; medians are reported, parts are
written as they come. Without --data, chains are made from the running interpreter's standard library (half a
minute). On a machine that others use: --threads 1 --clock cpu.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed import gpu, growth, layers, memory, pipeline, training
from benchmarks.speed.corpus import Corpus, prepared
from benchmarks.speed.timing import Bench, rounded
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.results import read_result, result, write_result

RESULTS = Path(__file__).resolve().parent / "results"
PLOT = Path(__file__).resolve().parents[1] / "docs" / "throughput-growth.png"
PARTS = ("fusion", "operators", "step", "layout", "bias", "memory", "pipeline", "padding", "growth")
STREAM_TOKENS = 4096  # training's default


def measured(args: argparse.Namespace, data: Path, model: GraphMERConfig) -> Iterator[tuple[str, Any]]:
    """Name and numbers of each part that was asked for, with an encoder of the sizes of ``model``."""
    bench = Bench(args.repeats, args.clock, args.device, args.seed)
    corpus = Corpus(data, args.seed)
    base = corpus.config(model)
    parts: dict[str, Callable[[], Any]] = {
        "fusion": lambda: layers.fusion(bench, corpus),
        "operators": lambda: layers.operators(bench, corpus),
        "step": lambda: training.steps(bench, corpus, base, args.batch_tokens),
        "layout": lambda: training.layout(bench, corpus, base),
        "bias": lambda: training.bias(bench, corpus, base, args.batch_tokens),
        "memory": lambda: memory.memory(Path(__file__), data, args.seed),
        "pipeline": lambda: pipeline.pipeline(bench, corpus, STREAM_TOKENS),
        "padding": lambda: pipeline.waste(corpus),
        "growth": lambda: growth.growth(bench, corpus),
        "card": lambda: gpu.fill(bench, corpus, base),
    }
    yield "data", corpus.describe()
    yield "setting", {"threads": torch.get_num_threads(), "repeats": args.repeats, "clock": args.clock,
                      "device": args.device}  # fmt: skip
    for name in args.parts:
        print(f"{name} …", flush=True)
        yield name, parts[name]()


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="Speed of layers, encoder and data.", allow_abbrev=False)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--parts", nargs="+", choices=(*PARTS, "card"), help="default: all of the device")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of alternating runs")
    parser.add_argument("--batch-tokens", type=int, default=2048, help="of the training steps on a CPU")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="where prepared data is kept; made if it is not there")
    parser.add_argument("--out", type=Path, help="result file; parts of it that are not measured stay")
    parser.add_argument("--measure-memory", choices=memory.LAYOUTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("error: torch sees no CUDA device here; leave --device out to measure on the CPU")
    if args.device == "cpu" and "card" in (args.parts or ()):
        raise SystemExit("error: the part card needs --device cuda")
    torch.set_num_threads(args.threads)
    args.parts = args.parts or (PARTS if args.device == "cpu" else ("fusion", "operators", "card"))
    out = args.out or RESULTS / ("throughput.json" if args.device == "cpu" else "throughput-cuda.json")
    base = GraphMERConfig.base()
    with tempfile.TemporaryDirectory() as temporary:
        data = prepared(args.data or Path(temporary))
        if args.measure_memory:
            print(json.dumps(memory.measure(data, args.measure_memory, args.seed, base)))
            return
        metrics: dict[str, Any] = read_result(out)["metrics"] if out.is_file() else {}
        for name, numbers in measured(args, data, base):
            metrics[name] = rounded(numbers)
            print(json.dumps({name: metrics[name]}, indent=1), flush=True)
            write_result(out, result("throughput", metrics, seed=args.seed))
    if "growth" in args.parts and args.device == "cpu" and args.out is None:
        growth.draw(metrics["growth"], PLOT)


if __name__ == "__main__":
    main()
