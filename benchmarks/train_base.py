"""Training runs: what a number of steps, half an hour or a card bring on packages that were held out.

Run: python -m benchmarks.train_base [--parts base small] [--threads N] [--work FOLDER]
or:  python -m benchmarks.train_base --device cuda

base: the base encoder on a CPU, 100 and 500 optimiser steps of short sequences, one batch per step, and steps
of fuller batches of the same sequences; beside a stock transformer of the same size. small: 256/4/4/1024 for
half an hour; a run that was stopped goes on with the same command. With --device cuda: the base encoder on
one card, bfloat16. Data is the running interpreter's standard library, made once in --work; losses and
accuracies are of its validation packages, before and after, masked alike. Each part has a result file of its
own, written when it is done. --tiny tries the script with tiny encoders; --data and --short take prepared
data.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from benchmarks.speed.encoders import Batch, without_ranking
from benchmarks.speed.gpu import operations, peak_operations
from benchmarks.speed.timing import Bench, rounded
from benchmarks.speed.yardstick import EARLIER, common_rate, rate_on, times_earlier
from graphmer_geo.data import ChainConfig, DataFolder, prepare
from graphmer_geo.datasets import build_dataset
from graphmer_geo.files import complete_lines
from graphmer_geo.models import TARGETS, GraphMER, GraphMERConfig
from graphmer_geo.results import commit, result, write_result
from graphmer_geo.train import TrainArgs, TrainingInterrupted, train
from graphmer_geo.train.held_out import held_out
from graphmer_geo.train.run import build_stream, model_config, new_model
from graphmer_geo.train.run_folder import DESCRIPTION
from graphmer_geo.train.tables import Tables

RESULTS = Path(__file__).resolve().parent / "results"
PARTS = ("base", "small")
#: Longest chunk of the short sequences; nodes in a batch: about as many tokens as the earlier system took per
#: step, and as many as pay for reading all weights once per step.
SHORT_ROOTS, SHORT_TOKENS, FULLER_TOKENS = 96, 128, 2048


@dataclass(frozen=True)
class Sizes:
    """What --tiny makes small."""

    base: GraphMERConfig
    small: GraphMERConfig
    steps: tuple[int, ...]
    fuller_steps: int
    seconds: float
    card_seconds: float
    yardstick_batches: int
    yardstick_repeats: int
    held_out_chunks: int


FULL = Sizes(GraphMERConfig.base(), GraphMERConfig.small(), (100, 500), 100, 1800.0, 480.0, 20, 3, 256)
_TINY = GraphMERConfig.small(hidden_size=32, num_layers=1, num_heads=2, ffn_size=64)
TINY = Sizes(_TINY, _TINY, (3, 6), 2, 3.0, 3.0, 2, 1, 8)


def main() -> None:
    """Run the parts that were asked for."""
    options = parse()
    sizes = TINY if options.tiny else FULL
    torch.set_num_threads(options.threads)
    folder, short = prepared(options)
    parts: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
        "base": ("train-base", lambda: base(short, sizes, options)),
        "small": ("train-small", lambda: small(folder, sizes, options)),
    }
    if options.device == "cuda":
        parts = {"base": ("train-base-cuda", lambda: card(folder, sizes, options))}
    for name in options.parts:
        print(f"{name} …", flush=True)
        file, measure = parts[name]
        try:
            metrics = rounded(measure())
        except TrainingInterrupted as stopped:
            raise SystemExit(f"{stopped}: give the same command again") from None
        print(json.dumps({name: metrics}, indent=1), flush=True)
        done = result("train", metrics, seed=options.seed, command=command(name, options))
        write_result(options.out / f"{file}.json", done)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="default: all of the device")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16", help="on the CPU")
    parser.add_argument("--batch-tokens", type=int, default=65536, help="on a card")
    parser.add_argument("--work", type=Path, default=Path("runs/train-base"), help="folder for data and runs")
    parser.add_argument("--data", type=Path, help="prepared data, in place of the standard library")
    parser.add_argument("--short", type=Path, help=f"the same, prepared with --max_roots {SHORT_ROOTS}")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result files")
    parser.add_argument("--tiny", action="store_true", help="to see that it works")
    options = parser.parse_args()
    if options.device == "cuda":
        if not torch.cuda.is_available():
            parser.error("torch sees no CUDA device here; leave --device out to measure on the CPU")
        if options.parts not in (None, ["base"]):
            parser.error("on a card there is the part base only")
        options.parts = ["base"]
    options.parts = options.parts or list(PARTS)
    return options


def command(part: str, options: argparse.Namespace) -> str:
    """How to measure a part again; where its data is kept does not matter."""
    names = ("device", "threads", "precision") if options.device == "cpu" else ("device", "batch_tokens")
    words = [f"--{name.replace('_', '-')} {getattr(options, name)}" for name in names]
    return " ".join(["python -m benchmarks.train_base", f"--parts {part}", *words])


def prepared(options: argparse.Namespace) -> tuple[DataFolder, DataFolder]:
    """The data, with chunks of the usual length and with short ones; what is up to date is not made again."""
    if options.data and options.short:
        return DataFolder.open(options.data), DataFolder.open(options.short)
    if options.data or options.short:
        raise SystemExit("error: give --data and --short together")
    built = build_dataset("stdlib", options.work)
    short = replace(built.data.manifest.config, max_roots=SHORT_ROOTS)
    prepare(built.kg, options.work / "short", short)
    return built.data, DataFolder.open(options.work / "short")


def base(folder: DataFolder, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """(a) the base size on a CPU, short sequences, one batch per step, and the yardstick before and after."""
    bench, config = Bench(seed=options.seed), model_config(folder, sizes.base)
    common = [common_rate(bench, config, sizes.yardstick_repeats)]
    plans = [(SHORT_TOKENS, steps) for steps in sizes.steps] + [(FULLER_TOKENS, sizes.fuller_steps)]
    runs = []
    for tokens, steps in plans:
        args = TrainArgs(
            max_steps=steps, batch_tokens=tokens, learning_rate=2.5e-4, precision=options.precision,
            threads=options.threads, seed=options.seed, log_steps=max(steps // 10, 1), save_steps=10**6,
        )  # fmt: skip
        measured = run(f"base-{tokens}-{steps}", folder, args, sizes, sizes.base, options)
        batches = first_batches(folder, args, sizes.yardstick_batches)
        measured["transformer_on_the_same_batches"] = rate_on(
            bench, config, batches, bf16=options.precision == "bf16"
        )
        runs.append(measured)
    common.append(common_rate(bench, config, sizes.yardstick_repeats))
    for measured in runs:
        measured["times_earlier"] = times_earlier(measured["tokens_per_second"], mean(common))
    return describe(folder, options) | {"runs": runs, "yardstick": common, "earlier": EARLIER}


def small(folder: DataFolder, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """(b) the small size for half an hour."""
    args = TrainArgs(
        max_seconds=sizes.seconds, batch_tokens=4096, precision=options.precision, threads=options.threads,
        seed=options.seed, log_steps=10, save_steps=100,
    )  # fmt: skip
    return describe(folder, options) | {"runs": [run("small", folder, args, sizes, sizes.small, options)]}


def card(folder: DataFolder, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """(c) the base size on one card."""
    args = TrainArgs(
        max_seconds=sizes.card_seconds, batch_tokens=options.batch_tokens, learning_rate=4e-4,
        precision="bf16", workers=8, candidates=2048, seed=options.seed, log_steps=10, save_steps=100,
    )  # fmt: skip
    torch.cuda.reset_peak_memory_stats()
    measured = run("card", folder, args, sizes, sizes.base, options)
    config = model_config(folder, sizes.base)
    batches = first_batches(folder, args, sizes.yardstick_batches)
    each = sum(operations(config, batch) for batch in batches) / sum(b["tok"].numel() for b in batches)
    peak = peak_operations()
    measured["utilisation"] = peak and each * measured["tokens_per_second"] / peak
    measured["peak_memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return describe(folder, options) | {"device": torch.cuda.get_device_name(), "runs": [measured]}


def describe(folder: DataFolder, options: argparse.Namespace) -> dict[str, Any]:
    """What a reader must know of data and setting."""
    manifest = folder.manifest
    return {
        "data": {split: dict(manifest.counts[split]) for split in ("train", "validation")}
        | {"fingerprint": manifest.fingerprint, "vocabulary": len(folder.tokenizer)},
        "threads": torch.get_num_threads(),
        "device": options.device,
    }


def first_batches(folder: DataFolder, args: TrainArgs, count: int) -> list[Batch]:
    """The first batches of a run, without what a language model knows nothing of."""
    stream = build_stream(folder, Tables.load(folder), args, ChainConfig())
    return [without_ranking(stream.batch(number)) for number in range(count)]


def run(
    name: str,
    folder: DataFolder,
    args: TrainArgs,
    sizes: Sizes,
    model: GraphMERConfig,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """One run, and the held-out packages before and after; goes on with one that was stopped."""
    torch.manual_seed(args.seed)
    config = model_config(folder, model)
    tables = Tables.load(folder)
    asked = replace(args, rank_share=0.5)  # as many tails to be predicted as to be found

    def judged(network: GraphMER) -> dict[str, float]:
        return held_out(network.to(options.device), folder, tables, asked, chunks=sizes.held_out_chunks)

    network = new_model(config, folder, tables)  # the weights that the run begins with
    before, parameters = judged(network), network.num_parameters_by_part()
    del network
    out = options.work / "runs" / name
    refuse_other_code(out)
    if (out / "metrics.json").is_file():
        shutil.rmtree(out)  # complete: a new one is asked for
    train(folder.path, out, replace(args, resume="auto", device=options.device), model)
    lines = complete_lines(out / "log.jsonl")
    last, tokens = lines[-1], sum(line["tokens"] for line in lines)
    shown = ("step", "seconds", "tokens", "loss", *TARGETS, *(f"{target}_acc" for target in TARGETS))
    return {
        "sizes": [config.hidden_size, config.num_layers, config.num_heads, config.ffn_size],
        "parameters": parameters,
        "batch_tokens": args.batch_tokens,
        "precision": args.precision,
        "steps": last["step"],
        "seconds": last["seconds"],
        "tokens": tokens,
        "tokens_per_second": tokens / last["seconds"],
        "sessions": len(sessions(out)),
        "held_out": {"before": before, "after": judged(GraphMER.from_pretrained(out))},
        "curve": [{key: line[key] for key in shown if key in line} for line in lines],
    }


def sessions(out: Path) -> list[dict[str, Any]]:
    """What a run folder says of those who computed it."""
    file = out / DESCRIPTION
    found: list[dict[str, Any]] = json.loads(file.read_text())["sessions"] if file.is_file() else []
    return found


def refuse_other_code(out: Path) -> None:
    """A result belongs to one commit."""
    for session in sessions(out):
        if (out / "metrics.json").is_file() or session["code"]["commit"] == commit():
            continue
        raise SystemExit(
            f"error: {out} was begun by commit {session['code']['commit']}; delete it to start anew, "
            "or check that commit out"
        )


if __name__ == "__main__":
    main()
