"""The whole pipeline on real code: ``graphmer demo``.

Every stage writes its output in one step and is skipped when its input has not changed, so a run that was
interrupted at any point goes on where it stopped.
"""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch_geometric.data import HeteroData

from graphmer_geo.cli.output import progress_bar, write_line, write_renderables, write_table
from graphmer_geo.data import LeafyChainDataset, prepare, to_hetero
from graphmer_geo.data.config import DataConfig
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.datasets import fetch_corpus
from graphmer_geo.errors import UserError
from graphmer_geo.inference import evaluate
from graphmer_geo.inference.report import EvaluationReport
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg.queries import named_query
from graphmer_geo.kg.stats import statistics
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.results import result, write_result
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.memory import return_free_memory
from graphmer_geo.train.run import train
from graphmer_geo.viz.leafy_chain import most_telling
from graphmer_geo.viz.report import ChainExample, QueryResult, ReportData, write_report

#: Three questions a developer would ask: shipped query, its parameters, and the question in words.
QUESTIONS = (
    ("callers", {"function": "json.loads"}, "Who calls json.loads, directly or within three hops?"),
    ("exceptions", {"function": "json.loads"}, "Which exceptions may leave json.loads?"),
    ("subclasses", {"type": "http.server.BaseHTTPRequestHandler"}, "What extends BaseHTTPRequestHandler?"),
)
ROOTS = 192  # most tokens of a chunk
QUERIES = 3000  # ranking queries of the evaluation, about
EXAMPLES = 200  # test chains among which one is drawn

_ROWS = 8  # of each answer on the terminal
_LEAD = (
    "Source code became a validated knowledge graph, the graph became leaves on the code, and an encoder "
    "learned from both for {minutes} minutes. It is measured on packages it has never seen, beside baselines "
    "that need no training."
)


def demo(out: str | Path = "demo", minutes: float = 3.0, threads: int = 2, seed: int = 0) -> Path:
    """Run the pipeline and write ``OUT/report.html`` and ``OUT/result.json``.

    Args:
        out: Folder for everything that is made.
        minutes: How long to train.
        threads: CPU threads.
        seed: Seed of the split, the weights and the masks.

    Returns:
        The report.

    Raises:
        UserError: a setting cannot work, or ``out`` holds something else.
    """
    if minutes <= 0:
        raise UserError(f"minutes is {minutes}; training needs some time: give a positive number")
    if threads < 1:
        raise UserError(f"threads is {threads}; give at least 1")
    folder = Path(out)
    if folder.is_file():
        raise UserError(f"{str(folder)!r} is a file; give a folder with --out")
    torch.set_num_threads(threads)
    run = _Demo(folder, minutes, threads, seed)
    return run.all()


class _Demo:
    def __init__(self, out: Path, minutes: float, threads: int, seed: int) -> None:
        self.out, self.minutes, self.threads, self.seed = out, minutes, threads, seed
        self.seconds: dict[str, float] = {}
        self.peaks: dict[str, int] = {}  # MiB, so far
        self.console = Console(highlight=False)

    def all(self) -> Path:
        """Every stage in order; each has a heading, is timed, and keeps only what the report needs."""
        graph = self.graph()
        with self.stage("training", f"Training an encoder (256/4/4/1024) for {self.minutes:g} minutes"):
            self.train()
        with self.stage("evaluation", "Evaluation on packages not seen in training"):
            evaluation = self.evaluate()
            write_renderables(evaluation.to_rich())
        outcome = self.outcome(graph.validation, evaluation)
        report = write_report(
            self.out / "report.html",
            replace(
                graph,
                title="graphmer-geo on this machine's own code",
                lead=_LEAD.format(minutes=f"{self.minutes:g}"),
                chain=self.example(),
                training=self.log(),
                evaluation=evaluation.to_dict(),
                environment=_environment(outcome),
                next_steps=self.next_steps(),
            ),
        )
        write_line(f"\nOpen {report}. What to try next:")
        for purpose, line in self.next_steps():
            write_line(f"  {line:<58}  {purpose}")
        return report

    def graph(self) -> ReportData:
        """The stages up to training data, and what the report says of them."""
        with self.stage("graph", "Knowledge graph: the standard library of this Python, and a Java project"):
            kg, counts = self.build()
        with self.stage("validation", "Validation: ontology and shapes, and the same for a corrupted copy"):
            validation = kg.validate()
            write_line(str(validation))
        with self.stage("questions", "Three questions in SPARQL"):
            answers = [self.ask(kg, *question) for question in QUESTIONS]
        with self.stage("heterodata", "HeteroData for PyTorch Geometric"):
            hetero = summary(to_hetero(kg))
            write_line(hetero)
        with self.stage("chains", "Leafy chains, split by top-level package"):
            self.prepare(kg)
        return ReportData("", kg=counts, validation=validation.to_dict(), queries=answers, hetero=hetero)

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[None]:
        """Print a heading, then how long it took."""
        self.console.rule(f"[bold]{title}", align="left")
        start = time.perf_counter()
        yield
        return_free_memory()  # or each stage starts with what the last one left behind
        self.seconds[name] = round(time.perf_counter() - start, 1)
        self.peaks[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self.console.print(f"[dim]{self.seconds[name]:.0f} s, at most {self.peaks[name]:,} MiB so far[/dim]")

    def build(self) -> tuple[KnowledgeGraph, dict[str, Any]]:
        """Read the sources and print what there is."""
        with progress_bar() as progress:
            kg = build_kg(fetch_corpus("demo").sources, self.out / "kg", workers=2, progress=progress)
        counts = statistics(kg)
        write_line(", ".join(f"{value:,} {name}" for name, value in counts["totals"].items()))
        return kg, counts

    def ask(self, kg: KnowledgeGraph, name: str, parameters: dict[str, str], question: str) -> QueryResult:
        """Run one of the shipped queries and print the first rows."""
        rows = kg.run(name, **parameters)
        write_line(question)
        readable = [{k: v for k, v in row.items() if not str(v).startswith("https://")} for row in rows]
        if readable:
            write_table(readable[:_ROWS], list(readable[0]))
        if len(rows) > _ROWS:
            write_line(f"… {len(rows):,} rows")
        return QueryResult(question, named_query(name).text, readable)

    def prepare(self, kg: KnowledgeGraph) -> None:
        """Cut, split and tokenise; print what each split holds."""
        config = DataConfig(max_roots=ROOTS, seed=self.seed)
        with progress_bar() as progress:
            manifest = prepare(kg, self.out / "data", config, progress=progress)
        rows = [{"split": split, **counts} for split, counts in manifest.counts.items()]
        write_table(rows, list(dict.fromkeys(key for row in rows for key in row)))
        unseen = [unit for unit, split in manifest.units.items() if split == "test"]
        write_line("unseen packages (test): " + ", ".join(sorted(unseen)))

    def train(self) -> None:
        """Train, go on with a run that was interrupted, or keep one that is complete."""
        run, note = self.out / "run", self.out / "run.json"
        recipe = json.dumps(
            {"minutes": self.minutes, "seed": self.seed, "data": self.data.manifest.fingerprint}
        )
        if note.is_file() and note.read_text(encoding="utf-8") == recipe:
            if (run / "metrics.json").is_file():
                write_line(f"{run} is complete; delete it to train again")
                return
        else:
            shutil.rmtree(run, ignore_errors=True)
            note.write_text(recipe, encoding="utf-8")
        resume = (run / "checkpoints").is_dir() and any((run / "checkpoints").iterdir())
        if not resume:
            shutil.rmtree(run, ignore_errors=True)
        args = TrainArgs(
            max_seconds=self.minutes * 60,
            batch_tokens=2048,
            precision="bf16" if bf16_is_faster() else "fp32",
            threads=self.threads,
            seed=self.seed,
            save_steps=100,
            resume=resume,
        )
        train(self.out / "data", run, args, GraphMERConfig.small())

    def evaluate(self) -> EvaluationReport:
        """On the test split; the baselines are tuned on validation queries."""
        run, data = self.out / "run", self.out / "data"
        return evaluate(run, data, "test", seed=self.seed, limit=QUERIES, tune_limit=QUERIES // 4)

    def outcome(self, validation: Mapping[str, Any], evaluation: EvaluationReport) -> dict[str, Any]:
        """Write and return the result file."""
        metrics = {
            "evaluation": evaluation.to_dict(),
            "validation": validation,
            "training": self.log()[-1],
            "seconds": self.seconds,
            "peak_memory_mib": self.peaks,
        }
        command = f"graphmer demo --minutes {self.minutes:g} --threads {self.threads} --seed {self.seed}"
        outcome = result("demo", metrics, seed=self.seed, command=command)
        write_result(self.out / "result.json", outcome)
        return outcome

    @cached_property
    def data(self) -> DataFolder:
        """The prepared data."""
        return DataFolder.open(self.out / "data")

    def log(self) -> list[dict[str, Any]]:
        """Rows of the training log."""
        text = (self.out / "run" / "log.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def example(self) -> ChainExample:
        """The test chain whose drawing shows most."""
        dataset = LeafyChainDataset(self.data, "test", seed=self.seed)
        chains = [dataset[i] for i in range(min(EXAMPLES, len(dataset)))]
        names = {index: name for name, index in self.data.relations.items()}
        token_bytes = self.data.tokenizer.token_bytes
        best = most_telling(chains, token_bytes, names)
        return ChainExample(chains[best], token_bytes, names, self.data.chunks("test")["file"][best].as_py())

    def next_steps(self) -> list[tuple[str, str]]:
        """What for, and the command."""
        run, data, kg = (self.out / name for name in ("run", "data", "kg"))
        return [
            ("longer training, better ranks", f"graphmer demo --minutes 20 --out {self.out}-20"),
            ("a graph of your own code", "graphmer kg build YOUR/SRC --out kg"),
            ("ask it something; a wrong name lists all", "graphmer kg query kg --name most-called"),
            ("what the graph holds", f"graphmer kg stats {kg}"),
            ("all numbers of the evaluation", f"graphmer eval {run} --data {data} --json"),
        ]


def _environment(outcome: dict[str, Any]) -> dict[str, Any]:
    seconds = {f"seconds, {name}": value for name, value in outcome["metrics"]["seconds"].items()}
    told = {key: outcome[key] for key in ("command", "commit")}
    return told | outcome["versions"] | outcome["machine"] | seconds


def summary(data: HeteroData) -> str:
    """Nodes per type and the most frequent edge types of a HeteroData."""
    nodes = sorted(((data[kind].num_nodes, kind) for kind in data.node_types), reverse=True)
    edges = sorted(((data[edge].edge_index.size(1), edge) for edge in data.edge_types), reverse=True)
    lines = [f"HeteroData: {len(nodes)} node types, {len(edges)} edge types"]
    lines += [f"  {count:>9,}  {kind}" for count, kind in nodes]
    lines += [f"  {count:>9,}  ({', '.join(edge)})" for count, edge in edges[:10]]
    if len(edges) > 10:
        lines.append(f"  {sum(count for count, _ in edges[10:]):>9,}  in {len(edges) - 10} more edge types")
    return "\n".join(lines)


def bf16_is_faster() -> bool:
    """Whether bfloat16 matrix products are at least 1.5 times as fast as float32 here, by measurement."""
    a, b = torch.randn(2048, 256), torch.randn(256, 1024)
    best = {}
    for dtype in (torch.float32, torch.bfloat16):
        x, y = a.to(dtype), b.to(dtype)
        x @ y
        times = []
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(5):
                x @ y
            times.append(time.perf_counter() - start)
        best[dtype] = min(times)
    return best[torch.bfloat16] * 1.5 < best[torch.float32]
