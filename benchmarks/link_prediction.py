r"""Link prediction: hidden and visible tails, known and unknown projects, beside everything simpler.

Run: python -m benchmarks.link_prediction --data DATA [--settings inductive transductive] [--seeds 0 1 2]

The full run, on the data of `graphmer data build pypi-200 --out pypi-200` (hours on a CPU):

    python -m benchmarks.link_prediction --data pypi-200/data --seeds 0 1 2 --minutes 60 --limit 10000 \
        --variants encoder "without leaves" "without H-GAT" "without decay" "multiplicative decay" \
        "without RoPE"

A trial, minutes: `--data demo/data --minutes 1 --limit 500 --epochs 3`.

Protocol: every entity of a kind that the relation takes competes, other true answers are left out, ties cost
half, tails and heads are asked for. Inductive: chunks of unseen projects. Transductive: facts held out of
known code, with their inverses and twins. Weights, queries and held-out facts are drawn by the seed.
What learns from the graph alone is tuned: RGCN and HGT from names, kinds and neighbours, in both settings;
embedding models of PyG and, for reference, of PyKEEN where all entities are known. Every combination of
--channels and --learning_rates is trained for --epochs or --gnn_steps, the best on validation is kept.
`--shuffle_labels` replaces each answer by a random candidate: whatever still does better than random has seen
what it must not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.links import encoders, gnn, kge, reference
from benchmarks.links.seeds import differences, over_seeds
from benchmarks.runs import WHOLE, Budget, add_options, report, trained
from graphmer_geo.cli.output import write_table
from graphmer_geo.data import ChainConfig
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.transductive import transductive
from graphmer_geo.inference.evaluate import baselines
from graphmer_geo.inference.questions import Questions, ask
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.inference.report import PerQuery, aggregate
from graphmer_geo.inference.tuning import tune
from graphmer_geo.metrics import (
    CharacterNGrams,
    Entities,
    Queries,
    TailScorer,
    expected_per_query,
    per_query,
)
from graphmer_geo.train.tables import Tables

RESULT = Path(__file__).resolve().parent / "results" / "link-prediction.json"
SETTINGS = ("inductive", "transductive")
SHOWN = ("mrr", "hits@1", "hits@10")


def parser() -> argparse.ArgumentParser:
    """Options; the defaults are those of a small trial."""
    made = argparse.ArgumentParser(description="Link prediction beside baselines.")
    add_options(made, [WHOLE], known=encoders.RANKING)
    made.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    made.add_argument("--kge", nargs="*", choices=list(kge.MODELS), default=list(kge.MODELS))
    made.add_argument("--pykeen", nargs="*", choices=reference.MODELS, default=list(reference.MODELS))
    made.add_argument("--gnn", nargs="*", choices=gnn.MODELS, default=list(gnn.MODELS))
    made.add_argument("--limit", type=int, default=2000, help="ranking queries of a seed, about")
    made.add_argument("--per_chain", type=int, default=4)
    made.add_argument("--fraction", type=float, default=0.1, help="facts held out for test (transductive)")
    made.add_argument("--epochs", type=int, default=30, help="of each embedding model")
    made.add_argument("--gnn_steps", type=int, default=100, help="of each graph neural network")
    made.add_argument("--channels", nargs="+", type=int, default=[64, 128], help="sizes that are tried")
    made.add_argument("--learning_rates", nargs="+", type=float, default=[0.003, 0.01])
    made.add_argument("--shuffle_labels", action="store_true", help="a check: everything must be at random")
    made.add_argument("--out", type=Path, default=RESULT)
    return made


def measure(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """All settings and seeds."""
    metrics: dict[str, Any] = {"settings": {}}
    for setting in arguments.settings:
        runs = [one_seed(arguments, setting, seed, work) for seed in arguments.seeds]
        micro = [run["micro"] for run in runs]
        found = {
            "ranking": over_seeds(micro),
            "macro": over_seeds([run["macro"] for run in runs]),
            "per_relation": per_relation([run["per_relation"] for run in runs]),
            "tuning": [run["tuning"] for run in runs],
        }
        if WHOLE in arguments.variants:
            found["encoder_minus"] = differences(micro, WHOLE)
        metrics["settings"][setting] = found
    return metrics


def per_relation(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Relation -> group -> scorer -> metric -> interval, of what every seed has asked."""
    shared = [relation for relation in runs[0] if all(relation in run for run in runs)]
    return {relation: over_seeds([run[relation] for run in runs]) for relation in shared}


def one_seed(arguments: argparse.Namespace, setting: str, seed: int, work: Path) -> dict[str, Any]:
    """Ranks of all scorers on the same questions."""
    folder, chain = DataFolder.open(arguments.data), ChainConfig()
    if setting == "transductive":
        made = work / f"transductive-{arguments.fraction:g}-seed{seed}-{folder.manifest.fingerprint[:12]}"
        transductive(folder, made, fraction=arguments.fraction, seed=seed, chain=chain)
        folder = DataFolder.open(made)
    ranker = Ranker(Tables.load(folder))
    options = {"per_chain": arguments.per_chain, "limit": arguments.limit}
    questions = ask(folder, "test", chain, seed=seed, **options)
    validation = ask(folder, "validation", chain, seed=seed + 1, **options).queries
    if arguments.shuffle_labels:
        questions = replace(questions, queries=shuffled(questions.queries, ranker, seed))
    values, tuning = simple(ranker, questions, validation)
    for scorer, told in rivals(arguments, setting, ranker, validation, questions.queries, seed):
        values[scorer.name] = per_query(ranker.rank(scorer, questions.queries).rank)
        tuning[scorer.name] = told
    for name in arguments.variants:
        run = trained(name, folder, work, Budget.of(arguments), seed, chain)
        values[name] = per_query(encoders.ranks_of(name, run, folder, ranker, questions).rank)
    names = {index: name for name, index in folder.relations.items()}
    queries = questions.queries
    asked = [names[r] for r in queries.relation.tolist()]
    micro, macro, by_relation = aggregate(values, asked, queries.visible)
    return {"micro": micro, "macro": macro, "per_relation": by_relation, "tuning": tuning}


def rivals(
    arguments: argparse.Namespace, setting: str, ranker: Ranker, validation: Queries, test: Queries, seed: int
) -> Iterator[tuple[TailScorer, dict[str, Any]]]:
    """What learns from the graph alone, tuned on validation, and what tuning has found."""
    grid = tuple(arguments.channels), tuple(arguments.learning_rates)
    known = setting == "transductive"  # every entity has been trained on
    for name in arguments.gnn:
        yield gnn.tuned(name, ranker, validation, test, gnn.Budget(*grid, arguments.gnn_steps), seed, known)
    if known:
        for name in arguments.kge:
            yield kge.tuned(name, ranker, validation, kge.Budget(*grid, arguments.epochs), seed)
        for name in arguments.pykeen:
            yield reference.tuned(name, ranker, validation, kge.Budget(*grid, arguments.epochs), seed)


def simple(
    ranker: Ranker, questions: Questions, validation: Queries
) -> tuple[dict[str, PerQuery], dict[str, Any]]:
    """What needs no training, or next to none: each as good as validation can make it."""
    tables, values, tuning = ranker.tables, {}, {}
    grams = CharacterNGrams(Entities(tables.labels, tables.kinds), tables.triples[tables.in_train])
    for baseline in [*baselines(tables), grams]:
        chosen = tune(baseline, ranker, validation)
        ranks = ranker.rank(chosen, questions.queries)
        values[chosen.name] = per_query(ranks.rank)
        tuning[chosen.name] = chosen.default
    return {"random": expected_per_query(ranks.candidates), **values}, tuning


def shuffled(queries: Queries, ranker: Ranker, seed: int) -> Queries:
    """The same queries with an answer drawn from the candidates that are not true."""
    rng = np.random.default_rng((seed, 0x5F))
    tail = queries.tail.copy()
    for row in range(len(queries)):
        candidates = ranker.candidates(int(queries.relation[row]))
        _, true = ranker.known.of(queries.head[row : row + 1], queries.relation[row : row + 1])
        wrong = np.setdiff1d(candidates, true)
        if len(wrong):
            tail[row] = rng.choice(wrong)
    return replace(queries, tail=tail)


def show(metrics: dict[str, Any]) -> None:
    """Tables for the terminal."""
    for setting, found in metrics["settings"].items():
        sys.stdout.write(f"\n{setting}\n")
        rows = [
            {"tails": group, "by": scorer, "n": int(cells["count"]["mean"])}
            | {metric: text(cells[metric]) for metric in SHOWN}
            for group in ("hidden", "visible", "all")
            for scorer, cells in found["ranking"].get(group, {}).items()
        ]
        if rows:
            write_table(rows, list(rows[0]))


def text(cell: dict[str, Any]) -> str:
    """A mean with half its interval."""
    return f"{cell['mean']:.3f}" + ("" if cell["low"] is None else f" ± {cell['mean'] - cell['low']:.3f}")


def main(words: list[str] | None = None) -> None:
    """Measure, print, write."""
    report("link-prediction", parser().parse_args(words), measure, show)


if __name__ == "__main__":
    main()
