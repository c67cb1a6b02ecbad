r"""Functions that are alike on unseen projects: overrides of one method, and edited copies.

Run: python -m benchmarks.clone --data DATA [--work WORK] [--seeds 0 1 2] [--minutes 20]

The full run, on the data of `graphmer data build pypi-200 --out pypi-200`; with the --work of
`benchmarks/code_search.py` it trains nothing:

    python -m benchmarks.clone --data pypi-200/data --work runs --seeds 0 1 2 --minutes 20 \
        --search_minutes 40 --limit 6000

A trial, minutes: `--data demo/data --minutes 1 --search_minutes 1 --limit 500`.

Protocol: all functions of the test projects, without documentation and without their own names, which
overrides share. Each that is like another is a query, all others are candidates. *Overrides*: methods that
override one another or one method; the relation that says so is in no chain, and no leaf has the function's
name. *Edited copies*: at least half of the token 5-grams in common, equal ones not counted; what is alike by
definition here is text, so what compares text is hard to beat. `encoder` are the code vectors of a run
fine-tuned for search, `states` the mean states of the run it was made of, `leaves hidden` the former without
leaves, and `text only` those of a run that has never seen a leaf. Mean average precision, wrong answers first
on ties; intervals by bootstrap over queries of what is averaged over seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.retrieval import rivals
from benchmarks.retrieval.answers import Values, average_precision, margins, over_queries
from benchmarks.retrieval.clones import Functions, functions
from benchmarks.retrieval.model import Searcher, Tuning, tuned
from benchmarks.runs import WHOLE, Budget, add_options, report, trained
from graphmer_geo.cli.output import write_table
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.train.pair_batch import without_leaves

RESULT = Path(__file__).resolve().parent / "results" / "clone.json"
RIVALS = ("BM25", "TF-IDF", "MiniLM")


def parser() -> argparse.ArgumentParser:
    """Options; the defaults are those of a small trial."""
    made = argparse.ArgumentParser(description="Functions that are alike, beside BM25, TF-IDF and MiniLM.")
    add_options(made, [WHOLE, "text only"], [WHOLE, "text only", "without H-GAT"])
    Tuning.add_options(made)
    made.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    made.add_argument("--limit", type=int, help="functions; default: all")
    made.add_argument("--out", type=Path, default=RESULT)
    return made


def measure(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """All tasks and seeds on the same functions."""
    folder = DataFolder.open(arguments.data)
    budget, tuning = Budget.of(arguments), Tuning.of(arguments)
    torch.set_num_threads(budget.threads)
    found = functions(folder, "test", limit=arguments.limit)
    known = rival_scores(arguments.rivals, found.pairs.code)
    scored = [
        known
        | {
            name: scores
            for variant in arguments.variants
            for name, scores in encoder_scores(variant, folder, work, budget, tuning, seed, found).items()
        }
        for seed in arguments.seeds
    ]
    metrics: dict[str, Any] = {"tasks": {}, "candidates": len(found.pairs)}
    for task, relevant in found.relevant.items():
        queries = np.array([row for row, others in enumerate(relevant) if len(others)], np.int64)
        if not len(queries):
            continue
        runs = [
            {name: ranked(scores, queries, relevant) for name, scores in one.items()} for one in scored
        ]
        said: dict[str, Any] = {"map": over_queries(runs), "queries": len(queries)}
        if WHOLE in arguments.variants:
            said["encoder_minus"] = margins(runs, WHOLE, "map")
        metrics["tasks"][task] = said
    return metrics


def ranked(scores: np.ndarray, queries: np.ndarray, relevant: list[np.ndarray]) -> Values:
    """Average precision of the functions that are like another, each among all others."""
    rows = scores[queries].copy()
    rows[np.arange(len(queries)), queries] = -np.inf
    return average_precision(rows, [relevant[row] for row in queries.tolist()])


def rival_scores(names: list[str], code: list[str]) -> dict[str, np.ndarray]:
    """Scores ``[C, C]`` of what needs no training here."""
    found = {"random": np.random.default_rng(0).random((len(code), len(code)), np.float32)}
    if "BM25" in names:
        found["BM25"] = rivals.bm25(code, code)
    if "TF-IDF" in names:
        found["TF-IDF"] = rivals.tf_idf(code, code)
    if "MiniLM" in names:
        vectors = rivals.minilm(code)
        found["MiniLM"] = vectors @ vectors.T
    return found


def encoder_scores(
    variant: str, folder: DataFolder, work: Path, budget: Budget, tuning: Tuning, seed: int, found: Functions
) -> dict[str, np.ndarray]:
    """Products of the vectors of one variant."""
    searcher = Searcher(tuned(variant, folder, work, budget, tuning, seed))
    chains = [found.hide_names(chain, row) for row, chain in enumerate(searcher.chains(found.pairs))]
    vectors = {variant: searcher.embedder.vectors(chains)}
    if variant == WHOLE:
        vectors["leaves hidden"] = searcher.embedder.vectors([without_leaves(chain) for chain in chains])
        states = Searcher(trained(variant, folder, work, budget, seed))
        vectors["states"] = states.embedder.vectors(chains)
    return {name: vector @ vector.T for name, vector in vectors.items()}


def show(metrics: dict[str, Any]) -> None:
    """A table for the terminal."""
    rows = [
        {"alike": task, "by": name, "queries": found["queries"], "candidates": metrics["candidates"]}
        | {"map": f"{c['map']['mean']:.3f} [{c['map']['low']:.3f}, {c['map']['high']:.3f}]"}
        for task, found in metrics["tasks"].items()
        for name, c in found["map"].items()
    ]
    write_table(rows, list(rows[0]))


def main(words: list[str] | None = None) -> None:
    """Measure, print, write."""
    report("clone", parser().parse_args(words), measure, show)


if __name__ == "__main__":
    main()
