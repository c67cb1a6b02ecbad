r"""Code search on unseen projects: which function does its documentation ask for?

Run: python -m benchmarks.code_search --data DATA [--work WORK] [--seeds 0 1 2] [--minutes 20]

The full run, on the data of `graphmer data build pypi-200 --out pypi-200` (60 minutes of CPU for each run):

    python -m benchmarks.code_search --data pypi-200/data --work runs --seeds 0 1 2 --minutes 20 \
        --search_minutes 40 --limit 5000

A trial, minutes: `--data demo/data --minutes 1 --search_minutes 2 --limit 500`. Somebody else's pairs, one
JSON object with `query` and `code` (and perhaps `name`) on each line: `--data pairs.jsonl --train_data DATA`.

Protocol: functions of the test projects that are documented, as `graphmer finetune` takes them from the train
projects. The first paragraph of the documentation is the query, all functions without theirs are the
candidates, one is right; ties cost half. Intervals: bootstrap over queries of what is averaged over seeds.
`encoder` was trained for --minutes and fine-tuned for --search_minutes; `vectors alone`, `words alone` and
`leaves hidden` are parts of the same model, and `text only` is one that has never seen a leaf, trained on as
much text and as many pairs. `BM25` is tuned on validation; `BM25, name apart` is what `words alone` starts
as. `--shuffle_labels` gives each query another function's place: whatever still does better than random has
seen what it must not.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.retrieval import rivals
from benchmarks.retrieval.answers import Values, at_random, margins, one_answer, over_queries
from benchmarks.retrieval.model import Searcher, Tuning, first, tuned, untrained_words
from benchmarks.runs import WHOLE, Budget, add_options, report
from graphmer_geo.cli.output import write_table
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.functions import PieceFolder, chunk_table, text_piece
from graphmer_geo.data.pairs import PairConfig, Pairs, mine_pairs
from graphmer_geo.data.words import WordTable, function_texts
from graphmer_geo.errors import UserError
from graphmer_geo.inference.sources import json_lines

RESULT = Path(__file__).resolve().parent / "results" / "code-search.json"
RIVALS = ("BM25", "BM25, name apart", "MiniLM")


def parser() -> argparse.ArgumentParser:
    """Options; the defaults are those of a small trial."""
    made = argparse.ArgumentParser(description="Code search beside BM25 and a sentence encoder.")
    add_options(made, [WHOLE, "text only"], [WHOLE, "text only", "without H-GAT"])
    made.add_argument("--train_data", type=Path, help="what to train on, if --data is a JSONL file of pairs")
    Tuning.add_options(made)
    made.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    made.add_argument("--limit", type=int, help="functions; default: all")
    made.add_argument("--shuffle_labels", action="store_true", help="a check: everything must be at random")
    made.add_argument("--out", type=Path, default=RESULT)
    return made


def measure(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """All seeds on the same queries."""
    folder = DataFolder.open(arguments.data)
    budget, tuning = Budget.of(arguments), Tuning.of(arguments)
    torch.set_num_threads(budget.threads)
    pairs = given_pairs(arguments.pairs, folder) if arguments.pairs else mine_pairs(folder, "test")
    pairs = first(pairs, arguments.limit)
    target = np.arange(len(pairs))
    if arguments.shuffle_labels:
        target = np.roll(target, 1)[np.random.default_rng(0).permutation(len(pairs))]
    fixed, chosen = rival_scores(arguments.rivals, folder, pairs)
    known = {name: one_answer(scores, target) for name, scores in fixed.items()}
    known = {"random": at_random(len(pairs), len(pairs)), **known}
    runs: list[dict[str, Values]] = []
    trainings = []
    for seed in arguments.seeds:
        found, said = dict(known), {}
        for variant in arguments.variants:
            run = tuned(variant, folder, work, budget, tuning, seed)
            searcher = Searcher(run)
            for part, scores in searcher.parts(pairs, searcher.chains(pairs)).items():
                if part == "all":
                    found[variant] = one_answer(scores, target)
                elif variant == WHOLE:
                    found[part] = one_answer(scores, target)
            said[variant] = tuning_facts(run)
        runs.append(found)
        trainings.append(said)
    metrics: dict[str, Any] = {
        "search": over_queries(runs), "candidates": len(pairs), "skipped": pairs.skipped,
        "bm25": chosen, "trainings": trainings,
    }  # fmt: skip
    if WHOLE in arguments.variants:
        metrics["encoder_minus"] = margins(runs, WHOLE, "mrr@10")
    return metrics


def rival_scores(
    names: list[str], folder: DataFolder, pairs: Pairs
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Scores of what is not trained here, and how BM25 was chosen."""
    found: dict[str, np.ndarray] = {}
    chosen: dict[str, Any] = {}
    if "BM25" in names:
        validation = mine_pairs(folder, "validation")
        trials = {
            (k1, b): float(
                one_answer(
                    rivals.bm25(validation.query, validation.code, k1, b), np.arange(len(validation))
                )["mrr@10"].mean()
            )
            for k1, b in rivals.GRID
        }
        k1, b = max(trials, key=lambda key: trials[key])
        chosen = {"k1": k1, "b": b, "validation": [[*key, value] for key, value in trials.items()]}
        found["BM25"] = rivals.bm25(pairs.query, pairs.code, k1, b)
    if "BM25, name apart" in names:
        found["BM25, name apart"] = untrained_words(mine_pairs(folder, "train"), pairs)
    if "MiniLM" in names:
        found["MiniLM"] = rivals.minilm(pairs.query) @ rivals.minilm(pairs.code).T
    return found, chosen


def given_pairs(path: Path, folder: DataFolder) -> Pairs:
    """Pairs of a JSONL file; such code has no graph, so it has no leaves."""
    rows = [row for _, row in json_lines(path, ("query", "code"))]
    if not rows:
        raise UserError(f"{path} holds no pairs; give one JSON object with query and code on each line")
    config, tokenizer = PairConfig(), folder.tokenizer
    names, code = [str(row.get("name", "")) for row in rows], [row["code"] for row in rows]
    table = chunk_table((text_piece(text, tokenizer) for text in code), tokenizer, config.roots)
    texts = (function_texts(*pair) for pair in zip(names, code, strict=True))
    return Pairs(
        folder=PieceFolder.of(folder, table), split="test", query=[row["query"] for row in rows],
        names=names, code=code,
        query_words=WordTable.of(([(0, row["query"])] for row in rows), config.buckets),
        code_words=WordTable.of(texts, config.buckets),
    )  # fmt: skip


def tuning_facts(run: Path) -> dict[str, Any]:
    """What a result file says of fine-tuning."""
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    said = json.loads((run / "search.json").read_text(encoding="utf-8"))
    return {k: metrics[k] for k in ("steps", "seconds", "parameters")} | {"pairs": said["mined"]["pairs"]}


def show(metrics: dict[str, Any]) -> None:
    """A table for the terminal."""
    rows = [
        {"by": name, "n": metrics["candidates"]}
        | {metric: f"{c['mean']:.3f} [{c['low']:.3f}, {c['high']:.3f}]" for metric, c in cells.items()}
        for name, cells in metrics["search"].items()
    ]
    write_table(rows, list(rows[0]))


def main(words: list[str] | None = None) -> None:
    """Measure, print, write."""
    arguments = parser().parse_args(words)
    arguments.pairs = None
    if arguments.data.is_file():
        if arguments.train_data is None:
            raise SystemExit("error: --data is a file of pairs; say by --train_data what to train on")
        arguments.pairs, arguments.data = arguments.data, arguments.train_data
    report("code-search", arguments, measure, show)


if __name__ == "__main__":
    main()
