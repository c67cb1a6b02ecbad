"""Validation of a graph of a million triples: time, conformance of each shape, what corruption it notices.

Run: python benchmarks/validate.py --jdk FOLDER    FOLDER holds java.base's sources; without it, Python only
     python benchmarks/validate.py --kg KG         a graph that was built before

Time is that of one process and one thread, from the folder on disk to the report; wall and CPU seconds are
both given, and of the CPU seconds also the part per million triples.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.corpora import jdk, stdlib
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg.consistency import Evidence
from graphmer_geo.kg.detection import detect
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.shapes import load_shapes
from graphmer_geo.kg.validate import ValidationReport, validate
from graphmer_geo.kg.world import read_world
from graphmer_geo.results import result, write_result

RESULTS = Path(__file__).resolve().parent / "results"


def measure(folder: Path, seed: int, repeat: int) -> dict[str, Any]:
    """Everything the result file has."""
    runs, report = [], None
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        kg = KnowledgeGraph.open(folder)
        report = validate(kg, seed=seed)
        runs.append((time.process_time() - cpu, time.perf_counter() - wall))
    assert report is not None
    kg = KnowledgeGraph.open(folder)
    triples = len(kg.store)
    cpu, wall = sorted(runs)[len(runs) // 2]
    return {
        "triples": triples,
        "occurrences": kg.occurrences.num_rows,
        "cpu_seconds": round(cpu, 2),
        "wall_seconds": round(wall, 2),
        "cpu_seconds_per_million_triples": round(cpu / triples * 1e6, 2),
        **conformance(report),
        **detection(kg, seed),
    }


def conformance(report: ValidationReport) -> dict[str, Any]:
    """Per shape the share of checked nodes without a violation, and the consistency scores."""
    shares = {s.shape: 1 - min(s.violations, s.checked) / s.checked for s in report.shapes if s.checked}
    return {
        "conforms": report.conforms,
        "shapes": len(report.shapes),
        "shapes_with_focus_nodes": len(shares),
        "lowest_conformance": min(shares.values()),
        "violated": {s.shape: [s.violations, s.checked] for s in report.violated},
        "consistent": report.score,
        "consistent_on_shuffled": report.score_on_corrupted,
        "typed": report.type_score,
        "typed_on_shuffled": report.type_score_on_corrupted,
    }


def detection(kg: KnowledgeGraph, seed: int) -> dict[str, Any]:
    """Corruption -> how many facts were made wrong, how many were noticed, and the share."""
    world = read_world(kg.store, load_ontology())
    found = detect(world, load_ontology(), Evidence(world, kg.occurrences), load_shapes(), seed=seed)
    return {
        "detection": {
            d.corruption: {"corrupted": d.corrupted, "detected": d.detected, "rate": round(d.rate, 4)}
            for d in found
        }
    }


def main() -> None:
    """Build or open the graph, measure, write the result."""
    parser = argparse.ArgumentParser(
        description="Validate a graph of a million triples and its corrupted copies."
    )
    parser.add_argument("--kg", type=Path, help="a graph that was built before")
    parser.add_argument("--jdk", type=Path, help="folder of java.base's sources, or a src.zip's folder")
    parser.add_argument("--include", default="java/util/**", help="patterns of its files, comma-separated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=3, help="runs, of which the median counts")
    parser.add_argument("--out", type=Path, default=RESULTS / "validate.json")
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as place:
        folder = arguments.kg or Path(place) / "kg"
        if arguments.kg is None:
            sources = [stdlib()]
            if arguments.jdk:
                sources.append(jdk(arguments.jdk, include=arguments.include.split(",")))
            build_kg(sources, folder)
        metrics = measure(folder, arguments.seed, arguments.repeat)
    write_result(arguments.out, result("validate", metrics, seed=arguments.seed))


if __name__ == "__main__":
    main()
