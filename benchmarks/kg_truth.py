"""Score the knowledge graph on ground truth that others wrote.

Run: python benchmarks/kg_truth.py --data pycg_micro.jsonl … --out benchmarks/results/kg_truth.json

Any JSON Lines file of the formats of `benchmarks/truth` is recognised by the ``suite``
field of its cases. Every table is printed twice: with all edges, and without those whose only evidence is
heuristic.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.truth import stackgraphs
from benchmarks.truth.case import Case, Facts, Outcome, facts_of, read_cases, summarise
from graphmer_geo.errors import UserError
from graphmer_geo.results import result, write_result

#: suite -> module of :mod:`benchmarks.truth`
SUITES = {
    "pycg-micro": "pycg",
    "jcg-python": "jcg_python",
    "jcg-java": "jcg_java",
    "stack-graphs-python": "stackgraphs",
    "stack-graphs-java": "stackgraphs",
    "typeevalpy": "typeevalpy",
    "enre-python": "enre",
    "enre-java": "enre",
}
COLUMNS = ("cases", "expected", "recall", "precision", "sound", "complete")


def scorer(suite: str) -> Callable[[Case, Facts], list[Outcome]]:
    """The function that scores a case of this suite.

    Raises:
        UserError: nothing here scores it.
    """
    name = "pycg" if suite.startswith("pycg") else SUITES.get(suite)  # its ex-cases have the same format
    if name is None:
        raise UserError(f"unknown suite {suite!r}; known: {', '.join(sorted(SUITES))}")
    score: Callable[[Case, Facts], list[Outcome]] = import_module(f"benchmarks.truth.{name}").score
    return score


def evaluate(cases: Iterable[Case]) -> dict[str, dict[str, list[Outcome]]]:
    """Suite -> "all" or "sure" -> outcomes."""
    found: dict[str, dict[str, list[Outcome]]] = {}
    for case in cases:
        score = scorer(case["suite"])
        files = stackgraphs.case_files(case) if "text" in case else case["files"]
        language = case.get("language") or case["suite"].rpartition("-")[2]
        everything, sure = facts_of(files, language)
        suite = found.setdefault(case["suite"], {"all": [], "sure": []})
        suite["all"] += score(case, everything)
        suite["sure"] += score(case, sure)
    return found


def tables(found: dict[str, dict[str, list[Outcome]]]) -> dict[str, Any]:
    """Scores of each suite, as a whole, by part and by category."""
    scores: dict[str, Any] = {}
    for suite, runs in sorted(found.items()):
        for run, outcomes in runs.items():
            groups: dict[str, dict[str, Any]] = {}
            for kind in ("part", "category"):
                names = sorted({getattr(o, kind) for o in outcomes})
                groups[kind] = {n: summarise(o for o in outcomes if getattr(o, kind) == n) for n in names}
            scores.setdefault(suite, {})[run] = {"whole": summarise(outcomes), **groups}
    return scores


def show(scores: dict[str, Any], by_category: bool) -> None:
    """Print the tables."""
    print(f"{'suite':44}" + "".join(f"{c:>11}" for c in COLUMNS))
    for suite, runs in scores.items():
        for run, groups in runs.items():
            _line(f"{suite}{'' if run == 'all' else ', without heuristic edges'}", groups["whole"])
            for kind in ("part", "category") if by_category else ("part",):
                if len(groups[kind]) > 1:
                    for name, row in groups[kind].items():
                        _line(f"    {name}", row)


def _line(name: str, row: dict[str, Any]) -> None:
    cells = (row[c] for c in COLUMNS)
    print(f"{name:44}" + "".join(f"{'-' if c is None else c:>11}" for c in cells))


def show_failures(found: dict[str, dict[str, list[Outcome]]]) -> None:
    """Print what is missing and what is too much, with all edges."""
    for runs in found.values():
        for outcome in runs["all"]:
            for sign, texts in (("-", outcome.missing), ("+", outcome.extra)):
                for text in texts:
                    print(f"{sign} {outcome.case} [{outcome.part}] {text}")


def main() -> None:
    """Score, print, write."""
    parser = argparse.ArgumentParser(
        description="Score the knowledge graph on ground truth.", allow_abbrev=False
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="truth files, one JSON case a line"
    )
    parser.add_argument("--out", type=Path, help="result file to write")
    parser.add_argument("--categories", action="store_true", help="also print the scores by category")
    parser.add_argument("--failures", action="store_true", help="print every difference")
    arguments = parser.parse_args()
    try:
        found = evaluate(read_cases(arguments.data))
    except UserError as error:
        raise SystemExit(f"kg_truth: {error}") from None
    scores = tables(found)
    show(scores, arguments.categories)
    if arguments.failures:
        show_failures(found)
    if arguments.out:
        files = " ".join(path.name for path in arguments.data)
        command = f"python benchmarks/kg_truth.py --data {files} --out {arguments.out.name}"
        write_result(arguments.out, result("kg_truth", scores, seed=0, command=command))


if __name__ == "__main__":
    main()
