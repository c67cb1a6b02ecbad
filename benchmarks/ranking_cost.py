"""What ranking costs: time and memory of many queries against many candidates, and how they grow.

Run: python -m benchmarks.ranking_cost [--queries 10000] [--candidates 100000] [--size 256] [--threads 2]

Random vectors take the place of a model, so that what is measured is scoring by dot product, leaving out
other true answers, and ranking: the code that every evaluation goes through. Each point runs in a fresh
process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graphmer_geo.cli.output import write_table
from graphmer_geo.errors import UserError
from graphmer_geo.inference.ranker import Ranker
from graphmer_geo.metrics import Queries, per_query
from graphmer_geo.results import result, write_result

RESULT = Path(__file__).resolve().parent / "results" / "ranking-cost.json"
ROOT = Path(__file__).resolve().parents[1]
FACTS = 10  # known facts of an entity


@dataclass(frozen=True)
class RandomTables:
    """What :class:`~graphmer_geo.inference.ranker.Ranker` reads: one relation, one kind, random facts."""

    triples: np.ndarray
    kinds: np.ndarray

    def __len__(self) -> int:
        return len(self.kinds)

    def admitted(self, triples: np.ndarray) -> np.ndarray:
        """Every entity answers the relation."""
        return np.ones((2, 1), bool)


class Vectors:
    """Scores by dot product."""

    name = "vectors"

    def __init__(self, queries: torch.Tensor, entities: torch.Tensor) -> None:
        self.queries, self.entities = queries, entities

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """``[Q, C]``."""
        rows = self.queries[torch.from_numpy(queries.row)]
        return (rows @ self.entities[torch.from_numpy(candidates)].T).numpy()


def measure(queries: int, candidates: int, size: int, threads: int, seed: int = 0) -> dict[str, Any]:
    """One point, in this process.

    Raises:
        UserError: There is nothing to rank.
    """
    if min(queries, candidates, size, threads) < 1:
        raise UserError("queries, candidates, size and threads must be at least 1")
    torch.set_num_threads(threads)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    facts = rng.integers(0, candidates, (FACTS * candidates, 3))
    facts[:, 1] = 1
    asked = facts[rng.integers(0, len(facts), queries)]
    row = np.arange(queries)
    made = Queries(
        relation=asked[:, 1], head=asked[:, 0], tail=asked[:, 2], visible=np.zeros(queries, bool),
        chunk=np.zeros(queries, np.int64), text=[""], row=row,
    )  # fmt: skip
    vectors = Vectors(*(torch.randn(n, size, generator=generator) for n in (queries, candidates)))
    before, wall, cpu = _peak(), time.perf_counter(), time.process_time()
    ranker = Ranker(RandomTables(facts, np.zeros(candidates, np.int64)))  # type: ignore[arg-type]
    found = per_query(ranker.rank(vectors, made).rank)
    return {
        "queries": queries,
        "candidates": candidates,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mib": _peak(),
        "before_mib": before,
        "mrr": float(found["mrr"].mean()),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def points(queries: int, candidates: int) -> list[tuple[int, int]]:
    """A quarter, a half and all of the queries and of the candidates, the other being whole."""
    shares = (4, 2, 1)
    found = [(max(queries // s, 1), candidates) for s in shares]
    return found + [(queries, max(candidates // s, 1)) for s in shares[:-1]]


def main(words: list[str] | None = None) -> None:
    """Measure each point in a process of its own."""
    parser = argparse.ArgumentParser(description="Time and memory of ranking.")
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.one:
        measured = measure(arguments.queries, arguments.candidates, arguments.size, arguments.threads)
        sys.stdout.write(json.dumps(measured) + "\n")
        return
    rows = []
    for queries, candidates in points(arguments.queries, arguments.candidates):
        command = [
            sys.executable, "-m", "benchmarks.ranking_cost", "--one", f"--queries={queries}",
            f"--candidates={candidates}", f"--size={arguments.size}", f"--threads={arguments.threads}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            raise SystemExit(f"error: {(done.stderr.strip().splitlines() or ['a point failed'])[-1]}")
        rows.append(json.loads(done.stdout))
    write_table(rows, list(rows[0]))
    write_result(arguments.out, result("ranking-cost", {"points": rows, "size": arguments.size}, seed=0))


if __name__ == "__main__":
    main()
