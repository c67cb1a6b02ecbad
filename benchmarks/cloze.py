r"""Zero-shot cloze: which of a few names is called here? Two (max or min), and the fifty most frequent.

Run: python -m benchmarks.cloze --data DATA [--work WORK] [--seeds 0 1 2] [--minutes 60]

The full run, on the data of `graphmer data build pypi-20 --out pypi-20`, after benchmarks.mlm with the same
--work, whose runs it measures:

    python -m benchmarks.cloze --data pypi-20/data --work runs --seeds 0 1 2 --minutes 60

A trial, minutes: `--data demo/data --minutes 1 --names 10 --cases 5 --limit 200`.

Protocol, after CodeXGLUE's ClozeTest-maxmin (whose own answers are not public): a function of a project that
training has not seen, one call in it with its name replaced by `<mask>`, and the candidates' scores at that
mask. Each answer is right as often as any other, so the majority class scores 1 in 2, or 1 in 50. No leaf
hangs on the masked name, and none that stays spells any candidate, right or wrong
(:class:`~graphmer_geo.transforms.HideTelling`). Names are of one token; the fifty are those that training
code calls most, of those with enough cases. Nothing is trained on the task, and validation projects, which
no training or choice here has seen, are asked about too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.links.seeds import differences, over_seeds
from benchmarks.masked.cases import Cloze, Functions, batches
from benchmarks.masked.scores import contexts_of_masked, count_ngrams
from benchmarks.mlm import CONTROL, shown_to
from benchmarks.runs import WHOLE, Budget, add_options, facts, report, trained
from graphmer_geo.cli.output import write_table
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.inference.evaluate import load_run
from graphmer_geo.metrics import TokenNGrams
from graphmer_geo.models import GraphMER

RESULT = Path(__file__).resolve().parent / "results" / "cloze.json"
TASKS = ("max/min", "API names")
MAXMIN = ("max", "min")
Cells = dict[str, dict[str, Any]]


def parser() -> argparse.ArgumentParser:
    """Options; the defaults are those of the full run but for the training."""
    made = argparse.ArgumentParser(description="Zero-shot cloze: max or min, and frequent API names.")
    add_options(made, [WHOLE, CONTROL])
    made.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    made.add_argument("--splits", nargs="+", choices=("validation", "test"), default=["validation", "test"])
    made.add_argument("--names", type=int, default=50, help="candidates of the API names")
    made.add_argument("--cases", type=int, default=20, help="cases that each of these has, at least")
    made.add_argument("--limit", type=int, help="cases of a task and seed (default: all that balance)")
    made.add_argument("--out", type=Path, default=RESULT)
    return made


def measure(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """All seeds."""
    folder, budget = DataFolder.open(arguments.data), Budget.of(arguments)
    torch.set_num_threads(budget.threads)
    functions, ngrams = Functions(folder, arguments.splits), count_ngrams(folder)
    names: dict[str, Any] = {}
    if TASKS[0] in arguments.tasks:
        names[TASKS[0]] = MAXMIN
    if TASKS[1] in arguments.tasks:
        names[TASKS[1]] = functions.frequent(arguments.names, arguments.cases)
    runs, trainings = [], []
    for seed in arguments.seeds:
        clozes = {task: functions.cloze(names[task], arguments.limit, seed) for task in names}
        folders = {name: trained(name, folder, work, budget, seed) for name in arguments.variants}
        models = {name: load_run(run, folder) for name, run in folders.items()}
        runs.append({task: answered(folder, cloze, models, ngrams, seed) for task, cloze in clozes.items()})
        trainings.append({name: facts(run, folder) for name, run in folders.items()})
    metrics: dict[str, Any] = {"tasks": over_seeds(runs), "trainings": trainings, "names": names}
    if WHOLE in arguments.variants:
        metrics["encoder_minus"] = differences(runs, WHOLE, "accuracy")
    return metrics


def answered(
    folder: DataFolder, cloze: Cloze, models: dict[str, GraphMER], ngrams: TokenNGrams, seed: int
) -> Cells:
    """Predictor -> share of the cases it answers rightly."""
    guesses = {"majority": np.full(len(cloze.cases), int(np.argmax(cloze.train_counts)))}
    guesses["n-gram"] = by_counts(folder, cloze, ngrams, seed)
    for variant, model in models.items():
        for name, leaves in shown_to(variant).items():
            if leaves != "all":  # what names a candidate is hidden in any case
                guesses[name] = by_model(folder, cloze, model, leaves != "none", seed)
    return {
        name: {"accuracy": float((guess == cloze.answers).mean()), "count": len(cloze.cases)}
        for name, guess in guesses.items()
    }


@torch.no_grad()
def by_model(folder: DataFolder, cloze: Cloze, model: GraphMER, leaves: bool, seed: int) -> np.ndarray:
    """``[cases]``: the candidate with the highest score at the mask."""
    device = next(model.parameters()).device
    guess, tokens = np.zeros(len(cloze.cases), np.int64), torch.tensor(cloze.tokens, device=device)
    for batch, rows in batches(folder, cloze, leaves, seed):
        moved = {name: value.to(device) for name, value in batch.items()}
        logits = model.token_logits(model.encode(moved)[moved["mlm_index"]])
        guess[rows] = logits[:, tokens].argmax(1).cpu().numpy()
    return guess


def by_counts(folder: DataFolder, cloze: Cloze, ngrams: TokenNGrams, seed: int) -> np.ndarray:
    """The same by the two tokens on either side, as training code has them."""
    guess, tokens = np.zeros(len(cloze.cases), np.int64), list(cloze.tokens)
    for batch, rows in batches(folder, cloze, leaves=False, seed=seed):
        p = ngrams.probabilities(contexts_of_masked(batch, ngrams.special[0]))
        guess[rows] = p[:, tokens].argmax(1)
    return guess


def show(metrics: dict[str, Any]) -> None:
    """A table for the terminal."""
    rows = []
    for task, predictors in metrics["tasks"].items():
        for name, cells in predictors.items():
            found = {"accuracy": f"{cells['accuracy']['mean']:.3f}"}
            margin = metrics.get("encoder_minus", {}).get(task, {}).get(name)
            found["encoder is better by"] = "" if margin is None else f"{100 * margin['mean']:.1f} points"
            rows.append({"task": task, "by": name, "cases": int(cells["count"]["mean"])} | found)
    write_table(rows, list(rows[0]))


def main(words: list[str] | None = None) -> None:
    """Measure, print, write."""
    report("cloze", parser().parse_args(words), measure, show)


if __name__ == "__main__":
    main()
