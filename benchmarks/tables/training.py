"""What training runs bring on held-out packages, and how fast they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.tables.markdown import caption, share, table

Metrics = dict[str, Any]
#: What a run must reach beside the earlier system, and how many tokens the half hour must take in.
TIMES_EARLIER, TOKENS = 3.0, 2_000_000
_TITLES = {"train-base": "Base size on a CPU", "train-base-cuda": "Base size on a card",
           "train-small": "Small size, half an hour on a CPU"}  # fmt: skip
_OBJECTIVES = {"mlm": "masked tokens", "mnm": "masked nodes", "rank": "entity ranking"}
_POINTS = 10  # of a curve; the result file has all


def render(path: Path, result: Metrics) -> str:
    """The section of one result file; empty if it is of no training run."""
    if result["task"] != "train":
        return ""
    metrics = result["metrics"]
    lines = ["", f"### {_TITLES.get(path.stem, path.stem)}", "", caption(path, result, "../"), ""]
    lines += [*_setting(metrics), "", *table(_HEAD, map(_speed, metrics["runs"])), ""]
    if "earlier" in metrics:
        lines += [*_against(metrics), ""]
    lines += [*table(_HELD_OUT, _held_out(metrics["runs"]), words=2), ""]
    if path.stem == "train-small":
        lines += [*_curve(metrics["runs"][0]), ""]
    return "\n".join(lines) + "\n"


_HEAD = ["steps", "nodes in a batch, at most", "tokens per step", "tokens", "seconds", "tokens/s"]


def _speed(run: Metrics) -> list[str]:
    return [
        f"{run['steps']:,}", f"{run['batch_tokens']:,}", f"{run['tokens'] / run['steps']:,.0f}",
        f"{run['tokens']:,}", f"{run['seconds']:,.0f}", f"{run['tokens_per_second']:,.0f}",
    ]  # fmt: skip


def _name(run: Metrics) -> str:
    return f"{run['steps']:,} × {run['tokens'] / run['steps']:,.0f} tokens"


def _setting(metrics: Metrics) -> list[str]:
    run, train = metrics["runs"][0], metrics["data"]["train"]
    sizes = "/".join(str(size) for size in run["sizes"])
    where = metrics["device"] if metrics["device"] != "cpu" else f"{metrics['threads']} threads"
    lines = [
        f"{sizes}, {sum(run['parameters'].values()) / 1e6:.1f} M parameters "
        f"({run['parameters']['trunk'] / 1e6:.1f} M in the trunk), {run['precision']}, {where}, one batch "
        f"per step. Trained on {train['chunks']:,} chunks with {train['tokens']:,} root tokens; all nodes "
        "of a batch, roots and leaves, count as its tokens."
    ]
    if "utilisation" in run:
        lines.append(
            f"Operations that the real tokens need: {share(run['utilisation'])} of the card's peak; peak "
            f"memory {run['peak_memory_gib']:.1f} GiB."
        )
    if len(metrics["runs"]) == 1 and metrics["device"] == "cpu":
        met = "yes" if run["tokens"] >= TOKENS else "**no**"
        lines.append(f"At least {TOKENS:,} tokens: {met}. Sessions: {run['sessions']}.")
    return lines


def _against(metrics: Metrics) -> list[str]:
    """Beside a stock transformer, and through it beside the earlier system."""
    earlier, today = metrics["earlier"], mean(metrics["yardstick"])
    slow, fast = earlier["tokens_per_second"]
    rows = []
    for run in metrics["runs"]:
        beside = run["transformer_on_the_same_batches"]
        least = min(run["times_earlier"])
        rows.append(
            [_name(run), f"{run['tokens_per_second']:,.0f}", f"{beside:,.0f}",
             f"{run['tokens_per_second'] / beside:.2f}×",
             " to ".join(f"{times:.2f}×" for times in sorted(run["times_earlier"])),
             "yes" if least >= TIMES_EARLIER else "**no**"]
        )  # fmt: skip
    head = ["run", "tokens/s", "RoBERTa, same batches", "ratio", "times the earlier system",
            f"≥ {TIMES_EARLIER:g}×"]  # fmt: skip
    then = earlier["yardstick"]
    return [
        f"The earlier system took in {slow:.0f} to {fast:.0f} tokens/s on this kind of processor, when the "
        f"common yardstick (RoBERTa of these sizes, float32, four sequences of 512, two threads) took in "
        f"{then:.0f}. The yardstick took in {today:.0f} around these runs, so the earlier system counts as "
        f"{slow * today / then:.0f} to {fast * today / then:.0f}. RoBERTa on the same batches has the same "
        "precision and the same tokens masked and scored; it ranks no entities and has no graph.",
        "", *table(head, rows),
    ]  # fmt: skip


_HELD_OUT = ["steps", "held-out packages", "loss before", "after", "accuracy before", "after", "targets"]


def _held_out(runs: list[Metrics]) -> Iterator[list[str]]:
    for run in runs:
        before, after = run["held_out"]["before"], run["held_out"]["after"]
        for key, title in _OBJECTIVES.items():
            if key in before:
                yield [
                    _name(run), title, f"{before[key]:.3f}", f"{after[key]:.3f}",
                    share(before[f"{key}_acc"]), share(after[f"{key}_acc"]),
                    f"{before[f'{key}_targets']:,}",
                ]  # fmt: skip


def _curve(run: Metrics) -> list[str]:
    """Some points of a training curve, the last among them."""
    lines = run["curve"]
    chosen = sorted({round((k + 1) * len(lines) / _POINTS) - 1 for k in range(_POINTS)} - {-1})
    keys = [key for key in _OBJECTIVES if all(key in line for line in lines)]
    rows = [
        [f"{lines[at]['step']:,}", f"{lines[at]['seconds'] / 60:.1f}",
         f"{sum(line['tokens'] for line in lines[: at + 1]):,}",
         *(f"{lines[at][key]:.3f} ({share(lines[at][f'{key}_acc'])})" for key in keys)]
        for at in chosen
    ]  # fmt: skip
    head = ["step", "minutes", "tokens", *(_OBJECTIVES[key] for key in keys)]
    return ["Loss and accuracy on training batches along the way:", "", *table(head, rows)]
