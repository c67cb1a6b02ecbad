"""Training runs: what a number of steps, minutes or GPU seconds bring on packages that were held out.

Run: python -m benchmarks.train_base [--parts steps small gpu] [--threads N] [--work FOLDER]

steps: the base encoder on a CPU, 100 and 500 optimiser steps of short sequences, one batch per step, beside a
plain PyTorch transformer of the same size that takes as many tokens per step. small: 256/4/4/1024 for half an
hour. gpu: the base encoder on one card, bfloat16. Data is the running interpreter's standard library, made
once in --work; losses and accuracies are of its validation packages, before and after, masked alike. Parts
are written as they come. --tiny tries the script with tiny encoders; --data and --short take prepared data.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from graphmer_geo.data import DataFolder, prepare
from graphmer_geo.datasets import build_dataset
from graphmer_geo.files import complete_lines
from graphmer_geo.models import TARGETS, GraphMER, GraphMERConfig
from graphmer_geo.results import read_result, result, write_result
from graphmer_geo.train import TrainArgs, train
from graphmer_geo.train.held_out import held_out
from graphmer_geo.train.run import model_config, new_model
from graphmer_geo.train.tables import Tables

OUT = Path(__file__).resolve().parent / "results" / "train-base.json"
PARTS = ("steps", "small", "gpu")
#: Longest chunk of the short sequences, and nodes in their batches.
SHORT_ROOTS, SHORT_TOKENS = 96, 110
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Sizes:
    """What --tiny makes small."""

    base: GraphMERConfig
    small: GraphMERConfig
    steps: tuple[int, ...]
    seconds: float
    gpu_seconds: float
    yardstick_steps: int


FULL = Sizes(GraphMERConfig.base(), GraphMERConfig.small(), (100, 500), 1800.0, 480.0, 20)
_TINY = GraphMERConfig.small(hidden_size=32, num_layers=1, num_heads=2, ffn_size=64)
TINY = Sizes(_TINY, _TINY, (3, 6), 5.0, 5.0, 2)


def main() -> None:
    """Run the parts that were asked for."""
    options = parse()
    sizes = TINY if options.tiny else FULL
    if options.threads:
        torch.set_num_threads(options.threads)
    folder, short = prepared(options)
    metrics: dict[str, Any] = read_result(options.out)["metrics"] if options.out.is_file() else {}
    for part in options.parts:
        if part == "steps":
            metrics[part] = steps(short, sizes, options)
        elif part == "small":
            metrics[part] = small(folder, sizes, options)
        else:
            metrics[part] = gpu(folder, sizes, options)
        write_result(options.out, result("train-base", metrics, seed=options.seed))
        print(json.dumps({part: metrics[part]}, indent=1))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["steps", "small"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16", help="on the CPU")
    parser.add_argument("--work", type=Path, default=Path("train-base-work"), help="folder for data and runs")
    parser.add_argument("--data", type=Path, help="prepared data, in place of the standard library")
    parser.add_argument("--short", type=Path, help="the same, prepared with --max_roots 96")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--tiny", action="store_true", help="to see that it works")
    return parser.parse_args()


def prepared(options: argparse.Namespace) -> tuple[DataFolder, DataFolder]:
    """The data, with chunks of the usual length and with short ones."""
    if options.data and options.short:
        return DataFolder.open(options.data), DataFolder.open(options.short)
    built = build_dataset("stdlib", options.work)
    short = replace(built.data.manifest.config, max_roots=SHORT_ROOTS)
    prepare(built.kg, options.work / "short", short)
    return built.data, DataFolder.open(options.work / "short")


def steps(folder: DataFolder, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """(a) the base size on a CPU, short sequences, one batch per step, beside the yardstick."""
    rows = {}
    for count in sizes.steps:
        args = TrainArgs(
            max_steps=count, batch_tokens=SHORT_TOKENS, learning_rate=2.5e-4, precision=options.precision,
            threads=options.threads, seed=options.seed, log_steps=max(count // 10, 1), save_steps=10**6,
        )  # fmt: skip
        rows[str(count)] = run(f"steps-{count}", folder, args, sizes.base, options)
    longest = rows[str(sizes.steps[-1])]
    plain = yardstick(sizes.base, len(folder.tokenizer), longest["tokens_per_step"], sizes, options)
    ratio = longest["tokens_per_second"] / plain["tokens_per_second"]
    return {"runs": rows, "yardstick": plain, "against_yardstick": round(ratio, 3)}


def small(folder: DataFolder, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """(b) the small size for half an hour."""
    args = TrainArgs(
        max_seconds=sizes.seconds, batch_tokens=4096, precision=options.precision, threads=options.threads,
        seed=options.seed, log_steps=10, save_steps=10**6,
    )  # fmt: skip
    return run("small", folder, args, sizes.small, options)


def gpu(folder: DataFolder, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """(c) the base size on one card."""
    if not torch.cuda.is_available():
        raise SystemExit("the part gpu needs a CUDA device")
    args = TrainArgs(
        max_seconds=sizes.gpu_seconds, batch_tokens=65536, learning_rate=4e-4, precision="bf16", workers=8,
        candidates=2048, seed=options.seed, log_steps=10, save_steps=10**6,
    )  # fmt: skip
    measured = run("gpu", folder, args, sizes.base, options)
    trunk = measured["parameters"]["trunk"]
    # Six floating-point operations per parameter and token; attention and the heads come on top.
    measured["trunk_tflops_per_second"] = round(6 * trunk * measured["tokens_per_second"] / 1e12, 1)
    measured["device"] = torch.cuda.get_device_name(0)
    measured["peak_memory_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return measured


def run(
    name: str, folder: DataFolder, args: TrainArgs, model: GraphMERConfig, options: argparse.Namespace
) -> dict[str, Any]:
    """One run in a fresh folder, and the held-out packages before and after."""
    torch.manual_seed(args.seed)
    config = model_config(folder, model)
    tables = Tables.load(folder)
    asked = replace(args, rank_share=0.5)  # as many tails to be predicted as to be found
    network = new_model(config, folder, tables)  # the weights that the run begins with
    before = held_out(network.to(DEVICE), folder, tables, asked)
    parameters = network.num_parameters_by_part()
    del network
    out = options.work / "runs" / name
    shutil.rmtree(out, ignore_errors=True)
    train(folder.path, out, args, model)
    lines = complete_lines(out / "log.jsonl")
    last = lines[-1]
    steps_before = [0, *(line["step"] for line in lines)]
    tokens = 0.0
    for line, first in zip(lines, steps_before, strict=False):
        tokens += line["tokens_per_second"] / line["steps_per_second"] * (line["step"] - first)
    after = held_out(GraphMER.from_pretrained(out).to(DEVICE), folder, tables, asked)
    return {
        "parameters": parameters,
        "steps": last["step"],
        "seconds": last["seconds"],
        "tokens": round(tokens),
        "tokens_per_step": round(tokens / last["step"], 1),
        "tokens_per_second": round(tokens / last["seconds"], 1),
        "precision": args.precision,
        "threads": torch.get_num_threads(),
        "held_out": {"before": before, "after": after},
        "curve": [{k: line[k] for k in ("step", "seconds", "loss", *TARGETS) if k in line} for line in lines],
    }


def yardstick(
    config: GraphMERConfig, vocab: int, tokens: float, sizes: Sizes, options: argparse.Namespace
) -> dict[str, Any]:
    """A plain transformer of the same size: as many tokens in one sequence per step, all of them scored."""
    torch.manual_seed(options.seed)
    layer = nn.TransformerEncoderLayer(
        config.hidden_size, config.num_heads, config.ffn_size, config.dropout, "gelu", batch_first=True,
        norm_first=True,
    )  # fmt: skip
    embedding = nn.Embedding(vocab, config.hidden_size)
    trunk = nn.TransformerEncoder(layer, config.num_layers, enable_nested_tensor=False)
    parameters = [*embedding.parameters(), *trunk.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1e-4)
    length = max(1, math.floor(tokens))
    ids = torch.randint(vocab, (1, length))
    times = []
    for _ in range(sizes.yardstick_steps):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            logits = trunk(embedding(ids)) @ embedding.weight.T
        nn.functional.cross_entropy(logits.float().flatten(0, 1), ids.flatten()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        times.append(time.perf_counter() - start)
    median = sorted(times)[len(times) // 2]
    return {
        "what": "torch.nn.TransformerEncoder, AdamW, every position through the tied head",
        "parameters": sum(p.numel() for p in parameters),
        "tokens_per_step": length,
        "tokens_per_second": round(length / median, 1),
    }


if __name__ == "__main__":
    main()
