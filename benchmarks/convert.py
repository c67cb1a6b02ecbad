"""Time and memory of conversion, export and the named queries on a graph of a million triples.

Run: python benchmarks/convert.py --kg KG
or:  python benchmarks/convert.py [--jdk src.zip]    (builds one of Python's library, and java.util)

Every conversion and export runs in a process of its own, three times; the peak is that of the whole process,
its imports included, the times are without the imports. Queries are timed warm, on disk and in memory, with
the arguments that give them the most to do.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.corpora import jdk, stdlib
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.results import result, write_result

REPEATS = 3
MILLION = 1_000_000
WARM = 5
RESULT = Path(__file__).resolve().parent / "results" / "convert.json"
#: Query -> what it answers of the issue.
QUERIES = ("callers", "subclasses", "most-called", "unused-private", "exceptions", "import-cycles")


def build(folder: Path, jdk_sources: Path | None) -> Path:
    """A graph of at least a million triples."""
    extra = [jdk(jdk_sources, include=["java/util"])] if jdk_sources else []
    build_kg([stdlib(), *extra], folder)
    return folder


def convert(kg: KnowledgeGraph, out: Path) -> dict[str, int]:
    from graphmer_geo.data import to_hetero

    data = to_hetero(kg)
    return {"nodes": int(data.num_nodes or 0), "edges": int(data.num_edges)}


def export_nq(kg: KnowledgeGraph, out: Path) -> dict[str, int]:
    from graphmer_geo.kg.export import export

    export(kg, out / "graph.nq", "nq")
    return {"bytes": (out / "graph.nq").stat().st_size}


def export_parquet(kg: KnowledgeGraph, out: Path) -> dict[str, int]:
    from graphmer_geo.kg.export import export

    export(kg, out / "tables", "parquet")
    return {"bytes": sum(f.stat().st_size for f in (out / "tables").iterdir())}


TASKS: dict[str, Callable[[KnowledgeGraph, Path], dict[str, int]]] = {
    "to_hetero": convert, "export nq": export_nq, "export parquet": export_parquet,
}  # fmt: skip


def measure(task: str, folder: Path) -> dict[str, Any]:
    """One task, in this process."""
    if task == "to_hetero":
        import graphmer_geo.data  # noqa: F401
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as out:
        wall, cpu = time.perf_counter(), time.process_time()
        counts = TASKS[task](KnowledgeGraph.open(folder), Path(out))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_mib": peak / 1024,
        "peak_of_imports_mib": imported / 1024,
        **counts,
    }


def in_fresh_processes(task: str, folder: Path) -> dict[str, Any]:
    """Medians over several processes."""
    runs = []
    for _ in range(REPEATS):
        command = [sys.executable, __file__, "--measure", task, "--kg", str(folder)]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]}


def hardest_arguments(kg: KnowledgeGraph) -> dict[str, dict[str, str]]:
    """The most-called function, the type with most subtypes, the function with most calls."""
    names = dict(zip(*(kg.entities()[c].to_pylist() for c in ("iri", "qualified_name")), strict=True))
    columns = (kg.triples()[c].to_pylist() for c in ("subject", "relation", "object"))
    called, above, calls = Counter[str](), Counter[str](), Counter[str]()
    for subject, relation, target in zip(*columns, strict=True):
        if relation == "calls":
            called[target] += 1
            calls[subject] += 1
        elif relation in ("extends", "implements"):
            above[target] += 1
    first = {name: names[min(counts, key=lambda iri: (-counts[iri], iri))]
             for name, counts in (("called", called), ("above", above), ("calls", calls))}  # fmt: skip
    return {
        "callers": {"function": first["called"]},
        "subclasses": {"type": first["above"]},
        "exceptions": {"function": first["calls"]},
    }


def time_queries(kg: KnowledgeGraph, arguments: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Every query once to warm up, then several times."""
    found: dict[str, Any] = {}
    for name in QUERIES:
        values = arguments.get(name, {})
        rows = kg.run(name, **values)
        walls, cpus = [], []
        for _ in range(WARM):
            wall, cpu = time.perf_counter(), time.process_time()
            kg.run(name, **values)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        found[name] = {
            "arguments": values, "rows": len(rows),
            "wall_s": round(statistics.median(walls), 4), "cpu_s": round(statistics.median(cpus), 4),
        }  # fmt: skip
    return found


def in_memory(kg: KnowledgeGraph) -> KnowledgeGraph:
    """The same graph in a store without a folder."""
    import pyoxigraph as ox

    store = ox.Store()
    store.bulk_extend(iter(kg.store))
    return KnowledgeGraph(store, kg.occurrences, kg.manifest)


def _elsewhere(function: Callable[..., Path], *arguments: Any) -> Path:
    """In a process of its own: a new process begins with the peak memory of the one that starts it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def main() -> None:
    """Measure everything and write the result file."""
    parser = argparse.ArgumentParser(description="Conversion, export and queries on a million triples.")
    parser.add_argument("--kg", type=Path, help="folder of a knowledge graph (default: build one)")
    parser.add_argument("--jdk", type=Path, help="a JDK's src.zip or what it unpacks to, to build from")
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    parser.add_argument("--measure", choices=TASKS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        json.dump(measure(args.measure, args.kg), sys.stdout)
        return
    with tempfile.TemporaryDirectory() as folder:
        place = args.kg or _elsewhere(build, Path(folder) / "kg", args.jdk)
        kg = KnowledgeGraph.open(place)
        if len(kg.store) < MILLION:
            raise SystemExit(f"error: only {len(kg.store):,} triples; give --jdk or a larger --kg")
        tasks = {task: in_fresh_processes(task, place) for task in TASKS}
        arguments = hardest_arguments(kg)
        queries = {"disk": time_queries(kg, arguments), "memory": time_queries(in_memory(kg), arguments)}
        metrics = {"quads": len(kg.store), "tasks": tasks, "queries": queries}
    write_result(args.out, result("convert", metrics, seed=0))
    json.dump(metrics, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
