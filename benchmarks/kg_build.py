"""How fast a knowledge graph is built: lines per second, memory, growth, and the cost of one edit.

Run: python benchmarks/kg_build.py --jdk /usr/lib/jvm/…/lib/src.zip [--parts rates growth edit pycg]

Every measurement is a fresh process; configurations alternate, medians are reported. With one process
everything, the store's threads too, is pinned to one core. Nothing that is read is run.

With compiled code: make compile, then the same command behind PYTHONPATH=build/compiled. The result's field
``compiled`` says which of the two was measured.

PyCG: pip install pycg==0.0.8 'setuptools<80' in an environment of its own; its wheel unpacks to PyCG/ but
imports itself as pycg, so link one to the other there.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from subprocess import PIPE
from typing import Any

import psutil

import graphmer_geo
from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg.build import _Build, _known
from graphmer_geo.kg.collector import paused
from graphmer_geo.kg.extract import load_language
from graphmer_geo.kg.loading import StoreLoader
from graphmer_geo.kg.sources import Source, find_files
from graphmer_geo.results import is_compiled, result, write_result

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PARTS = ("rates", "growth", "edit", "pycg")
GROWTH = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
#: What PyCG is compared on: it fails on requests, and takes minutes for click, httpx and starlette.
PYCG_PACKAGES = ("flask", "jinja2")
STORE_ALONE = "disk, the store alone"
_PIECE = 1 << 20
_EVERY = 0.2  # seconds between two looks at the memory
PLOT = ROOT / "docs" / "kg-growth.png"


class TextOnly:
    """Takes the quads of a build as N-Quads, without a store."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: bytes) -> None:
        """Append some lines."""
        self._file.write(text)


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """One build, in this process."""
    if job["workers"] == 1:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sources = [Source(**source) for source in job["sources"]]
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "graph.nq"
        if job["to"] == STORE_ALONE:
            counts = _nquads(sources, job["workers"], text)
        started = time.perf_counter()
        if job["to"] == STORE_ALONE:
            _load(text, Path(folder) / "store")
        elif job["to"] == "N-Quads":
            counts = _nquads(sources, job["workers"], text)
        else:
            out = None if job["to"] == "memory" else Path(job.get("out") or folder) / "kg"
            counts = _counts(build_kg(sources, out, workers=job["workers"]))
        seconds = time.perf_counter() - started
    return {**counts, "seconds": seconds, "lines_per_s": counts["lines"] / seconds}


def _nquads(sources: list[Source], workers: int, path: Path) -> dict[str, Any]:
    build = _Build(_known(None), workers, lambda stage, done, total: None)
    build.hire()
    build.find(sources)
    with paused(), path.open("wb") as file:
        build.run(TextOnly(file))  # type: ignore[arg-type]
    records = build.records.values()
    return {"lines": sum(r.lines for r in records), "files": len(records), "quads": build.counts["quads"],
            "stages": build.seconds}  # fmt: skip


def _load(text: Path, folder: Path) -> None:
    with StoreLoader(folder) as loader, text.open("rb") as file:
        while lines := file.readlines(_PIECE):
            loader.write(b"".join(lines))
        loader.finish()


def _counts(kg: KnowledgeGraph) -> dict[str, Any]:
    manifest = kg.manifest
    return {"lines": sum(r.lines for r in manifest.files), "files": len(manifest.files),
            "quads": manifest.counts["quads"], "stages": manifest.seconds}  # fmt: skip


def run(sources: list[Source], to: str, workers: int, out: Path | None = None) -> dict[str, Any]:
    """One build in a fresh process."""
    job = {"sources": [_plain(s) for s in sources], "to": to, "workers": workers, "out": out and str(out)}
    command = [sys.executable, __file__, "--measure", "-"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        json.dump(job, file)
        file.seek(0)
        with subprocess.Popen(command, stdin=file, stdout=PIPE, stderr=PIPE, text=True) as process:
            output, errors, peak_mib = watch(process)
    if process.returncode:
        raise SystemExit(f"kg_build: {to} with {workers} processes failed:\n{errors[-2000:]}")
    found: dict[str, Any] = {**json.loads(output.splitlines()[-1]), "peak_mib": peak_mib}
    print(f"  {to}, {workers} process(es): {found['lines']:,} lines, {found['seconds']:.1f} s, "
          f"{found['lines_per_s']:,.0f} lines/s, {found['peak_mib']:,.0f} MiB", flush=True)  # fmt: skip
    return found


def watch(process: subprocess.Popen[str]) -> tuple[str, str, float]:
    """What a process prints, and the most memory, in MiB, that it and its children had at one time.

    Pages that processes share count once (the proportional set size), which a sum of the peaks of each, at
    whatever time it had it, would not do. Looked at five times a second.
    """
    peak = 0.0
    while True:
        try:
            output, errors = process.communicate(timeout=_EVERY)
            return output, errors, peak
        except subprocess.TimeoutExpired:
            peak = max(peak, memory(process.pid))


def memory(pid: int) -> float:
    """What a process and its children have in memory now, in MiB."""
    held = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for each in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # one may end meanwhile
                held += each.memory_full_info().pss
    return held / 2**20


def _plain(source: Source) -> dict[str, Any]:
    return {**asdict(source), "path": str(source.path), "include": source.include and list(source.include)}


def rates(corpus: dict[str, list[Source]], repeats: int) -> dict[str, Any]:
    """Each language to text, memory and disk on one core, and to text and disk with two processes.

    Once for each, the finished text goes to a store on disk: what loading costs whatever makes the quads.
    """
    configurations = [("N-Quads", 1), ("N-Quads", 2), ("memory", 1), ("disk", 1), ("disk", 2)]
    found: dict[str, Any] = {}
    for name, sources in corpus.items():
        print(name)
        runs: dict[tuple[str, int], list[dict[str, Any]]] = {c: [] for c in configurations}
        for _ in range(repeats):
            for to, workers in configurations:
                runs[to, workers].append(run(sources, to, workers))
        found[name] = {f"{to}, {w}": _median(group) for (to, w), group in runs.items()}
        for to in ("N-Quads", "disk"):
            one, two = (found[name][f"{to}, {w}"]["seconds"] for w in (1, 2))
            found[name][f"{to}, speed-up"] = one / two
        found[name][f"{STORE_ALONE}, 1"] = run(sources, STORE_ALONE, 1)
    return found


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    middle = sorted(runs, key=lambda r: r["seconds"])[len(runs) // 2]
    seconds = [round(r["seconds"], 2) for r in runs]
    return {**middle, "all_seconds": seconds}


def growth(sources: list[Source], largest: int) -> list[dict[str, Any]]:
    """Builds of growing parts of everything, on disk with two processes: cold cost by size."""
    print("growth")
    found = []
    for size in (s for s in GROWTH if s <= largest):
        part = first_lines(sources, size)
        found.append({"wanted_lines": size, **run(part, "disk", 2)})
    return found


def first_lines(sources: list[Source], lines: int) -> list[Source]:
    """Whole files from the front of some sources, until there are about so many lines."""
    parts, have = [], 0
    extensions = {e: name for name, spec in _known(None).items() for e in load_language(spec).extensions}
    for source in sources:
        kept = []
        for file in find_files([source], extensions):
            if have >= lines:
                break
            path = file.root / file.path
            have += path.read_bytes().count(b"\n")
            kept.append(path.relative_to(source.path).as_posix())
        if kept:
            parts.append(replace(source, include=kept))
    return parts


def draw(points: list[dict[str, Any]]) -> None:
    """Time and memory by size, for the documentation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = [p["lines"] for p in points]
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for axis, key, label in zip(axes, ("seconds", "peak_mib"), ("seconds", "peak MiB"), strict=True):
        axis.loglog(lines, [p[key] for p in points], "o-")
        axis.set(xlabel="lines of code", ylabel=label)
        axis.grid(alpha=0.3)
    figure.savefig(PLOT, dpi=110)


def edit(sources: list[Source], repeats: int) -> dict[str, Any]:
    """One function appended to one file of a project on disk, built again; against a build from nothing."""
    print("edit")
    with tempfile.TemporaryDirectory() as temporary:
        copies = [_copied(s, Path(temporary) / str(i)) for i, s in enumerate(sources)]
        first = run(copies, "disk", 2, Path(temporary))
        victim = _victim(Path(copies[0].path))
        seconds = []
        for number in range(repeats):
            _append(victim, number)
            seconds.append(run(copies, "disk", 1, Path(temporary))["seconds"])
        whole = run(copies, "disk", 2)
        updated = KnowledgeGraph.open(Path(temporary) / "kg")
        return {
            "lines": first["lines"],
            "first_s": first["seconds"],
            "edit_s": statistics.median(seconds),
            "whole_s": whole["seconds"],
            "same_number_of_quads": updated.manifest.counts["quads"] == whole["quads"],
        }


def _victim(folder: Path) -> Path:
    """The first Python module, or the first Java file of a public class."""
    modules = sorted(folder.rglob("*.py"))
    if modules:
        return modules[0]
    files = sorted(folder.rglob("*.java"))
    return next(file for file in files if b"\npublic class " in file.read_bytes())


def _append(file: Path, number: int) -> None:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        text += f"\n\ndef _edited_{number}(value):\n    return str(value)\n"
    else:
        head, _, tail = text.rpartition("}")
        text = f"{head}    String edited{number}(Object value) {{ return value.toString(); }}\n}}{tail}"
    file.write_text(text, encoding="utf-8")


def _copied(source: Source, folder: Path) -> Source:
    shutil.copytree(source.path, folder, ignore=shutil.ignore_patterns("*.so", "*.dist-info"))
    return replace(source, path=folder)


def pycg(python: str, repeats: int) -> dict[str, Any]:
    """PyCG's speed and ours on the same files, alternating."""
    from benchmarks import corpora

    print("pycg")
    found: dict[str, Any] = {}
    for source in corpora.pypi(list(PYCG_PACKAGES)):
        package = str(source.package)
        files = [str(f.root / f.path) for f in find_files([source], {".py": "python"})]
        command = [python, "-m", "pycg", "--package", package, *files, "--output", os.devnull]
        theirs, ours = [], []
        for _ in range(repeats):
            started = time.perf_counter()
            done = subprocess.run(
                ["taskset", "-c", "0", *command], check=False, capture_output=True, text=True, cwd=source.path
            )
            if done.returncode:
                raise UserError(f"PyCG fails on {package}: {done.stderr.strip().splitlines()[-1]}")
            theirs.append(time.perf_counter() - started)
            ours.append(run([source], "N-Quads", 1))
        lines = ours[0]["lines"]
        them, us = statistics.median(theirs), statistics.median(r["seconds"] for r in ours)
        found[package] = {"lines": lines, "pycg_s": them, "ours_s": us, "ratio": them / us}
        print(f"  {package}: PyCG {lines / them:,.0f} lines/s, here {lines / us:,.0f} lines/s")
    return found


def check_code(imported: Path, checkout: Path) -> None:
    """Measure the code of this checkout, not what was compiled before it changed.

    Raises:
        UserError: If the imported code is another one.
    """
    mine, theirs = (
        {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.py")}
        for folder in (imported, checkout)
    )
    if mine != theirs:
        raise UserError(f"{str(imported)!r} is not the code of {str(checkout)!r}; run `make compile` again")


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(description="Speed of building knowledge graphs.", allow_abbrev=False)
    parser.add_argument("--jdk", type=Path, help="src.zip of a JDK 17, or the folder it unpacks to")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["rates", "growth", "edit"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--largest", type=int, default=GROWTH[-1], help="lines of growth's largest build")
    parser.add_argument("--pycg", help="a Python interpreter that has pycg==0.0.8, for the part of that name")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of result files, one per part")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        if arguments.measure:
            print(json.dumps(measure(json.load(sys.stdin))))
            return
        check_code(Path(graphmer_geo.__file__).parent, ROOT / "graphmer_geo")
        for part, metrics in _measured(arguments):  # a later failure loses nothing
            task = "kg-build" if part == "rates" else f"kg-build-{part}"
            stem = f"{task}-compiled" if is_compiled() else task
            write_result(arguments.out / f"{stem}.json", result(task, metrics, seed=0))
    except UserError as error:
        raise SystemExit(f"kg_build: {error}") from None


def _measured(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each part that was asked for, and what was found."""
    from benchmarks import corpora  # imports torch: not in the processes that are measured

    corpus = {"python": [corpora.stdlib()]}
    if arguments.jdk:
        corpus["java"] = [corpora.jdk(arguments.jdk)]
    if "rates" in arguments.parts:
        yield "rates", {"rates": rates(corpus, arguments.repeats)}
    if "growth" in arguments.parts:
        everything = [*corpora.pypi(), *(s for sources in corpus.values() for s in sources)]
        points = growth(everything, arguments.largest)
        draw(points)
        yield "growth", {"points": points}
    if "edit" in arguments.parts:
        projects = {**corpus, "python": corpora.pypi()}
        yield "edit", {name: edit(sources, arguments.repeats) for name, sources in projects.items()}
    if "pycg" in arguments.parts:
        if not arguments.pycg:
            raise UserError("the part pycg needs --pycg PYTHON, an interpreter that has pycg==0.0.8")
        yield "pycg", pycg(arguments.pycg, arguments.repeats)


if __name__ == "__main__":
    main()
