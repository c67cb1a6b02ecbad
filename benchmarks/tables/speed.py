"""How fast layers, encoder and data pipeline are."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.tables.markdown import caption, share, table

ROOT = "../"  #: from docs/ to the top folder
Metrics = dict[str, Any]
PACKINGS = {"even": "batches of chains of one size", "as trained": "batches as training makes them"}


def render(path: Path, result: Metrics) -> str:
    """The section of one result file; empty if it says nothing of speed."""
    if result["task"] != "throughput":
        return ""
    metrics = result["metrics"]
    setting = metrics["setting"]
    title = "On a CUDA device" if setting["device"] == "cuda" else "On a CPU"
    lines = ["", f"### {title}", "", caption(path, result, ROOT), ""]
    lines += [_setting(metrics), ""]
    rows = list(_bars(metrics))
    if rows:
        lines += [*table(["what", "against", "bar", "measured", "met"], rows, words=2), ""]
    for part, body in _DETAILS.items():
        if part in metrics:
            lines += [*body(metrics[part]), ""]
    return "\n".join(lines) + "\n"


def _setting(metrics: Metrics) -> str:
    setting, data = metrics["setting"], metrics["data"]
    clock = {"wall": "", "cpu": ", times are CPU times"}[setting["clock"]]
    return (
        f"{setting['threads']} threads, medians of {setting['repeats']} alternating rounds{clock}; leafy "
        f"chains of {data['train']['chunks']:,} chunks with {data['relations']} relations and "
        f"{data['vocabulary']:,} tokens."
    )


def _bars(metrics: Metrics) -> Iterator[list[str]]:
    """One row for each bar whose part was measured."""
    for part, what, against, bar, sign, value in _BARS:
        if any(name not in metrics for name in part.split()):
            continue
        for label, found in value(metrics):
            met = found >= bar if sign == "≥" else found <= bar
            shown = (lambda v: share(v)) if sign == "≤" and bar < 0.1 else _times
            yield [what + label, against, f"{sign} {shown(bar)}", shown(found), "yes" if met else "**no**"]


def _times(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.0f}×" if value >= 20 else f"{value:.2f}×"


def _one(*path: str) -> Callable[[Metrics], list[tuple[str, float]]]:
    """The number at the end of a path of keys."""

    def value(metrics: Metrics) -> list[tuple[str, float]]:
        found: Any = metrics
        for key in path:
            found = found[key]
        return [("", found)]

    return value


def _by_precision(*path: str, key: str = "ratio") -> Callable[[Metrics], list[tuple[str, float]]]:
    def value(metrics: Metrics) -> list[tuple[str, float]]:
        found: Any = metrics
        for name in path:
            found = found[name]
        return [(f", {precision}", found[precision][key]) for precision in ("fp32", "bf16")]

    return value


def _of_consumption(metrics: Metrics) -> list[tuple[str, float]]:
    """Rate of the data pipeline over what the base model takes in, at its faster precision."""
    used = max(metrics["step"]["as trained"][precision]["graphmer"] for precision in ("fp32", "bf16"))
    return [("", metrics["pipeline"]["tokens_per_cpu_second"] / used)]


#: parts needed, what, against, bar, which side of it is good, and where the numbers are
_BARS: list[tuple[str, str, str, float, str, Callable[[Metrics], list[tuple[str, float]]]]] = [
    ("fusion", "H-GAT fusion, speed", "literal loop over triples", 50, "≥", _one("fusion", "ratio")),
    ("operators", "`HGATConv`, speed", "`RGATConv`", 50, "≥",
     _one("operators", "random", "ratio", "RGATConv")),
    ("operators", "`HGATConv`, speed", "`HGTConv`", 1, "≥", _one("operators", "random", "ratio", "HGTConv")),
    ("operators", "`HGATConv`, time", "`GATv2Conv`, which has no relations", 2, "≤",
     _one("operators", "random", "of_gatv2")),
    ("step", "training step, real tokens/s", "RoBERTa, same tokens and batches", 0.9, "≥",
     _by_precision("step", "even")),
    ("layout", "training step, real tokens/s", "1,024 fixed positions, same encoder", 4, "≥",
     _by_precision("layout")),
    ("bias", "making the bias of attention", "share of a step", 0.03, "≤",
     _by_precision("bias", key="share")),
    ("padding", "padding in the buckets of attention", "share of positions", 0.05, "≤",
     _one("padding", "4096", "buckets")),
    ("memory", "peak memory of a step", "dense `[B·H, 1024, 1024]`", 0.5, "≤", _one("memory", "ratio")),
    ("pipeline step", "data pipeline, one worker", "what the base model takes in here", 20, "≥",
     _of_consumption),
    ("pipeline", "data pipeline, tokens/s of one worker", "300 k tokens/s by 8 workers", 37_500, "≥",
     _one("pipeline", "tokens_per_cpu_second")),
]  # fmt: skip


def _fusion(part: Metrics) -> list[str]:
    return [
        f"Fusion: {part['triples']:,} triples, {part['edges']:,} edges, {part['relations']} relations, width "
        f"{part['width']}. The literal loop ran on {part['literal_loop_measured_on']} of the triples. "
        f"Against a loop that is tuned so that autograd collects one gradient per relation and per node: "
        f"{_times(part['ratio_of_tuned_loop'])}."
    ]


def _operators(part: Metrics) -> list[str]:
    rows = []
    for graph, numbers in part.items():
        for name, seconds in sorted(numbers["seconds"].items()):
            size = f"{numbers['edges']:,} {graph}, {numbers['relations']} relations"
            rows.append(
                [name, size, f"{numbers['parameters'][name]:,}", _seconds(statistics.median(seconds))]
            )
    return table(["forward and backward", "edges", "parameters", "time"], rows, words=2)


def _step(part: Metrics) -> list[str]:
    model = part["graphmer"]
    rows = []
    for packing, words in PACKINGS.items():
        numbers = part[packing]
        for precision in ("fp32", "bf16"):
            run = numbers[precision]
            rows.append([words, precision, f"{run['graphmer']:,.0f}", f"{run['roberta']:,.0f}",
                         _times(run["ratio"]), share(numbers["padding_of_roberta"])])  # fmt: skip
    sizes = "/".join(str(size) for size in model["sizes"])
    head = ["real tokens/s", "precision", "GraphMER", "RoBERTa", "ratio", "RoBERTa's padding"]
    return [
        f"Training step {sizes}: {model['parameters'] / 1e6:.1f} M parameters here, "
        f"{part['roberta']['parameters'] / 1e6:.1f} M in RoBERTa ({part['roberta']['attention']}). Both: "
        f"budget of {part['batch_tokens']:,} nodes, the same masked tokens scored, {model['optimizer']}, "
        f"dropout {model['dropout']}, of attention weights {model['attention_dropout']}, bf16 by autocast.",
        "", *table(head, rows, words=2),
    ]  # fmt: skip


def _layout(part: Metrics) -> list[str]:
    return [
        f"Fixed layout: {share(part['real_share_of_positions'])} of its positions hold a node, on chains "
        f"that fill all 128 roots. States of both layouts differ by at most "
        f"{part['difference_of_states']:.1e}."
    ]


def _memory(part: Metrics) -> list[str]:
    rows = [
        [name, f"{part[name]['step_mib']:,.0f} MiB", f"{part[name]['process_mib']:,.0f} MiB"]
        for name in ("flat", "dense")
    ]
    head = [f"peak of a step, {part['graphs']} graphs, {part['precision']}", "the step", "whole process"]
    return table(head, rows)


def _pipeline(part: Metrics) -> list[str]:
    return [
        f"Data pipeline: {part['tokens_per_cpu_second']:,.0f} tokens for a second of CPU; "
        f"{part['through_a_loader_with_one_worker']:,.0f} tokens/s arrive from one worker process."
    ]


def _padding(part: Metrics) -> list[str]:
    rows = [
        [f"{int(budget):,}", share(numbers["padded_to_the_longest"]), share(numbers["buckets"]),
         share(numbers["outside_attention"])]
        for budget, numbers in sorted(part.items(), key=lambda item: int(item[0]))
    ]  # fmt: skip
    return table(["padding, by token budget", "to the longest", "in attention", "elsewhere"], rows)


def _growth(part: Metrics) -> list[str]:
    shown = ", ".join(f"{name} {numbers['exponent']:.2f}" for name, numbers in part.items())
    return [
        "Time grows with triples (fusion) and with graphs (training step of the small model) by the "
        f"exponents {shown}; 1 is linear.",
        "", "![time by triples and by graphs](throughput-growth.png)",
    ]  # fmt: skip


def _card(part: Metrics) -> list[str]:
    rows = []
    for run in part["runs"]:
        name = [run["model"], run["kernel"], "compiled" if run["compiled"] else "eager"]
        if "error" in run:
            rows.append([*name, f"{run['batch_tokens']:,}", "-", "-", "-"])
            continue
        used = run["model_flops_utilisation"]
        rows.append([*name, f"{run['batch_tokens']:,}", f"{run['tokens_per_s']:,.0f}",
                     "-" if used is None else share(used), f"{run['peak_gib']:.1f} GiB"])  # fmt: skip
    head = ["model", "attention", "mode", "batch", "tokens/s", "of peak FLOP/s", "peak memory"]
    return [f"Training steps in bf16 on {part['device']}:", "", *table(head, rows, words=3)]


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 10 else f"{1000 * value:,.0f} ms"


_DETAILS: dict[str, Callable[[Metrics], list[str]]] = {
    "fusion": _fusion,
    "operators": _operators,
    "step": _step,
    "layout": _layout,
    "memory": _memory,
    "padding": _padding,
    "pipeline": _pipeline,
    "growth": _growth,
    "card": _card,
}
