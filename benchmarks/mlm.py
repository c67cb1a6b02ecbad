r"""Masked tokens of unseen projects, by kind of token: what leaves are worth to a masked language model.

Run: python -m benchmarks.mlm --data DATA [--work WORK] [--seeds 0 1 2] [--minutes 60]

The full run, on the data of `graphmer data build pypi-20 --out pypi-20` (hours on a CPU):

    python -m benchmarks.mlm --data pypi-20/data --work runs --seeds 0 1 2 --minutes 60 --limit 4000

A trial, minutes: `--data demo/data --minutes 1 --limit 500`.

Protocol: chunks of projects that no split but test has; 15 % of their root tokens, in spans of whole words,
each replaced by `<mask>`, drawn by the seed and the same for everyone. `encoder` sees the leaves that tell
nothing of what is masked (:class:`~graphmer_geo.transforms.HideTelling`), which is what decides; `all leaves`
shows the others too, which know the masked names, and `no leaves` none. `text only` is the same encoder
trained on the same chunks, masks and number of root tokens without any graph. Classes of tokens are by
grammar; perplexity is per token. Counts are of the train split.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.links.seeds import interval, over_seeds
from benchmarks.masked.classes import CLASSES, Classified, classify
from benchmarks.masked.scores import Masked, by_counts, by_model, classes_of_masked, count_ngrams
from benchmarks.runs import VARIANTS, WHOLE, Budget, add_options, facts, report, trained
from graphmer_geo.cli.output import write_table
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.inference.evaluate import load_run
from graphmer_geo.metrics import TokenNGrams

RESULT = Path(__file__).resolve().parent / "results" / "mlm.json"
CONTROL = "text only"
Cells = dict[str, dict[str, Any]]


def parser() -> argparse.ArgumentParser:
    """Options; the defaults are those of a small trial."""
    made = argparse.ArgumentParser(description="Masked tokens by class, with and without leaves.")
    add_options(made, [WHOLE, CONTROL])
    made.add_argument("--split", choices=("validation", "test"), default="test")
    made.add_argument("--limit", type=int, default=2000, help="chunks of a seed")
    made.add_argument("--out", type=Path, default=RESULT)
    return made


def shown_to(variant: str) -> dict[str, str]:
    """Under which names a variant is measured, and the leaves that it sees then."""
    if not VARIANTS[variant].chain.get("leaves", True) or variant == "without leaves":
        return {variant: "none"}
    if variant == WHOLE:
        return {variant: "tell nothing", "all leaves": "all", "no leaves": "none"}
    return {variant: "tell nothing"}


def measure(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """All seeds."""
    folder, budget = DataFolder.open(arguments.data), Budget.of(arguments)
    torch.set_num_threads(budget.threads)
    classified, ngrams = classify(folder, arguments.split), count_ngrams(folder)
    runs, trainings = [], []
    for seed in arguments.seeds:
        masked = Masked(folder, arguments.split, seed, arguments.limit)
        folders = {name: trained(name, folder, work, budget, seed) for name in arguments.variants}
        runs.append(one_seed(masked, folders, classified, ngrams))
        trainings.append({name: facts(run, folder) for name, run in folders.items()})
    metrics: dict[str, Any] = {"classes": over_seeds(runs), "trainings": trainings}
    if {WHOLE, CONTROL} <= set(arguments.variants):
        metrics["lower_perplexity"] = lower_perplexity(runs)
    return metrics


def one_seed(
    masked: Masked, folders: dict[str, Path], classified: Classified, ngrams: TokenNGrams
) -> dict[str, Cells]:
    """Class -> predictor -> metrics."""
    classes = classes_of_masked(masked.batches("none"), classified)
    if not len(classes):
        raise UserError(f"the {masked.split} split has no token to mask; prepare data from more code")
    predicted = by_counts(masked.batches("none"), ngrams)
    for variant, run in folders.items():
        model = load_run(run, masked.folder)
        for name, leaves in shown_to(variant).items():
            predicted[name] = by_model(model, masked.batches(leaves))
    found: dict[str, Cells] = {}
    for name, prediction in predicted.items():
        for group, cells in prediction.by_class(classes).items():
            found.setdefault(group, {})[name] = cells
    return found


def lower_perplexity(runs: list[dict[str, Cells]]) -> dict[str, dict[str, Any]]:
    """Class -> predictor -> interval of the share by which its perplexity is below that of text only."""
    return {
        group: {
            name: interval(
                [1 - run[group][name]["perplexity"] / run[group][CONTROL]["perplexity"] for run in runs]
            )
            for name in runs[0][group]
            if name in shown_to(WHOLE)
        }
        for group in runs[0]
        if all(group in run for run in runs)
    }


def show(metrics: dict[str, Any]) -> None:
    """A table for the terminal."""
    rows = []
    for group in (*CLASSES, "all"):
        for name, cells in metrics["classes"].get(group, {}).items():
            shown = {metric: f"{cells[metric]['mean']:.3f}" for metric in ("top-1", "top-5", "perplexity")}
            rows.append({"tokens": group, "by": name, "n": int(cells["count"]["mean"])} | shown)
    write_table(rows, list(rows[0]))
    for group, cells in metrics.get("lower_perplexity", {}).items():
        shares = ", ".join(f"{name} {100 * found['mean']:.1f} %" for name, found in cells.items())
        sys.stdout.write(f"perplexity below that of {CONTROL}, {group}: {shares}\n")


def main(words: list[str] | None = None) -> None:
    """Measure, print, write."""
    report("mlm", parser().parse_args(words), measure, show)


if __name__ == "__main__":
    main()
