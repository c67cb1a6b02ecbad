"""Training steps of the base size on CUDA, with batches that grow until they fill the card."""

from __future__ import annotations

import statistics
from typing import Any

import torch

from benchmarks.speed.corpus import Corpus, padding
from benchmarks.speed.encoders import Batch, Step, our_step, roberta_step, setting, without_ranking
from benchmarks.speed.timing import Bench, to_device
from graphmer_geo.models import GraphMERConfig

BUDGETS = (8192, 16_384, 32_768, 65_536, 131_072, 262_144)
WARM = 3
#: Dense bf16 operations per second, by a part of the device's name.
PEAK = {"H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12}


def fill(bench: Bench, corpus: Corpus, config: GraphMERConfig) -> dict[str, Any]:
    """Tokens per second, share of the card's peak, and memory, in bf16, by kernel and batch size."""
    found: dict[str, Any] = {"device": torch.cuda.get_device_name(), "runs": []}
    for kernel, compiled in (("dense", False), ("dense", True), ("flex", False), ("flex", True)):
        step = our_step(config, bench.device, bench.seed)
        step.model.encoder.kernel = kernel
        if compiled:
            for layer in step.model.encoder.layers:
                layer.compile(dynamic=True)
        found["graphmer"] = setting(config, step)
        found["runs"] += _grow(bench, corpus, config, step, {"model": "graphmer", "kernel": kernel,
                                                             "compiled": compiled})  # fmt: skip
    for compiled in (False, True):
        step = roberta_step(config, bench.device, bench.seed, 1024)
        if compiled:
            step.model.compile(dynamic=True)
        found["roberta"] = setting(config, step)
        found["runs"] += _grow(bench, corpus, config, step, {"model": "roberta", "kernel": "sdpa",
                                                             "compiled": compiled})  # fmt: skip
    return found


def _grow(
    bench: Bench, corpus: Corpus, config: GraphMERConfig, step: Step, what: dict[str, Any]
) -> list[dict[str, Any]]:
    """One kind of step at growing sizes, until the memory is full or the kernel fails."""
    step.bf16 = True
    rows: list[dict[str, Any]] = []
    for budget in BUDGETS:
        stream = corpus.stream(budget)
        batches = [to_device(without_ranking(stream.batch(k)), bench.device) for k in range(WARM)]
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        try:
            for batch in batches:
                step(batch)
            times = [bench.seconds(lambda b=batch: step(b)) for batch in batches * bench.repeats]
        except torch.OutOfMemoryError:
            return rows
        except (
            RuntimeError,
            NotImplementedError,
        ) as error:  # a compiler or kernel that refuses: say so, go on
            return [*rows, what | {"batch_tokens": budget, "error": str(error).splitlines()[0][:200]}]
        rates = [b["tok"].numel() / t for b, t in zip(batches * bench.repeats, times, strict=True)]
        useful = [operations(config, b) / t for b, t in zip(batches * bench.repeats, times, strict=True)]
        peak = peak_operations()
        rows.append(what | {
            "batch_tokens": budget, "tokens_per_s": statistics.median(rates),
            "model_flops_utilisation": peak and statistics.median(useful) / peak,
            "padding": statistics.mean(padding(b) for b in batches),
            "peak_gib": torch.cuda.max_memory_allocated() / 2**30,
        })  # fmt: skip
    return rows


def peak_operations() -> float | None:
    """Of this card, per second; None if it is not in the table."""
    return next((top for name, top in PEAK.items() if name in torch.cuda.get_device_name()), None)


def operations(config: GraphMERConfig, batch: Batch) -> float:
    """Multiplications and additions that a step needs: real nodes, their own graph, scored tokens only."""
    width, nodes = config.hidden_size, batch["tok"].numel()
    projections = config.num_layers * (4 * width**2 + 2 * width * config.ffn_size)
    pairs = float(batch["ptr"].diff().double().pow(2).sum())
    scored = batch["mlm_index"].numel() + batch["mnm_index"].numel()
    forward = nodes * projections + 2 * config.num_layers * width * pairs
    forward += scored * (width * config.vocab_size + width**2)
    return 3 * 2 * forward  # backward costs twice the forward; an addition for each multiplication
