"""Build, validate and query real projects, and write down what came of it.

Run: python -m benchmarks.real_projects --jdk src.zip     20 PyPI packages and java.base, a process each
     python -m benchmarks.real_projects --page            only docs/real-projects.md, from the result file
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpora import jdk, pypi, pypi_packages
from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.kg.stats import statistics
from graphmer_geo.results import read_result, result, write_result

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "real-projects.json"
PAGE = ROOT / "docs" / "real-projects.md"
JDK_MODULE = "java.base"
#: Queries that need no argument and whose answers say something of a whole project.
QUERIES = ("most-called", "unused-private", "import-cycles", "undocumented", "heuristic", "undeclared-terms")

_WORD_BEFORE = re.compile(rb"([\w$]+)\s*$")
_STAR = re.compile(rb"\s+import\s*\*")
_SELF = {b"self", b"cls", b"this", b"super"}


def examine(source: Source, folder: Path) -> dict[str, Any]:
    """Everything about one project, in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    kg = build_kg([source], folder / "kg")
    build = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "peak_mib": _peak()}
    cpu = time.process_time()
    report = kg.validate()
    validation = {
        "cpu_s": time.process_time() - cpu,
        "conforms": report.conforms,
        "score": report.score,
        "score_on_corrupted": report.score_on_corrupted,
        "violations": {s.shape: s.violations for s in report.shapes if s.violations},
        "examples": {s.shape: list(s.examples)[:3] for s in report.shapes if s.violations},
    }
    cpu = time.process_time()
    rows = {name: len(kg.run(name)) for name in QUERIES}
    files = [[r.path, r.status, r.problems[0]] for r in kg.manifest.files if r.status != "ok"]
    return {
        "build": build,
        "validation": validation,
        "queries": {"cpu_s": time.process_time() - cpu, "rows": rows},
        "statistics": statistics(kg),
        "statuses": dict(Counter(r.status for r in kg.manifest.files)),
        "not_ok": files[:50],
        "unresolved": dict(Counter(reasons(kg)).most_common()),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# Why a reference is unresolved
# --------------------------------------------------------------------------------------------------------


def reasons(kg: KnowledgeGraph) -> Iterator[str]:
    """For every unresolved reference, what its text says of the reason."""
    entities = kg.entities().select(["iri", "kind", "name", "parent"]).to_pylist()
    parents = {row["iri"]: row["parent"] for row in entities}
    parameters: dict[str, set[bytes]] = {}
    for row in entities:
        if row["kind"] == "Parameter":
            parameters.setdefault(row["parent"], set()).add(row["name"].encode())
    rows = [r for r in kg.occurrences.to_pylist() if r["role"] != "definition"]
    unresolved = [r for r in rows if r["how"] == "unresolved"]
    texts = {file: kg.read_source(file) for file in {r["file"] for r in unresolved}}
    starred = {
        r["file"]
        for r in rows
        if r["role"] == "import" and _outside(r["entity"])
        if _STAR.match(texts.get(r["file"], b""), r["end"])
    }
    for row in unresolved:
        before = texts[row["file"]][max(0, row["start"] - 200) : row["start"]]
        known = _parameters_around(row["subject"], parents, parameters)
        yield _reason(row, before, known, row["file"] in starred)


def _outside(entity: str | None) -> bool:
    return entity is None or "/external/" in entity


def _parameters_around(
    subject: str | None, parents: dict[str, str | None], parameters: dict[str, set[bytes]]
) -> set[bytes]:
    found: set[bytes] = set()
    while subject:
        found |= parameters.get(subject, set())
        subject = parents.get(subject)
    return found


def _reason(row: dict[str, Any], before: bytes, parameters: set[bytes], starred: bool) -> str:
    before = before.rstrip()
    if row["role"] == "import":
        return "import of something that is not there"
    if not before.endswith((b".", b"::")):
        if row["role"] in ("type", "annotation"):
            return "name in a type that is no class: type variable, alias, value"
        if row["name"].encode() in parameters:
            return "a parameter: its value is not known from the callers"
        return (
            "name that a star import from outside may bring"
            if starred
            else "name of a value that is not known"
        )
    before = before.rstrip(b".:?").rstrip()
    if before.endswith((b")", b"]", b"}")):
        return "member of the result of a call, an item or a display"
    if before.endswith((b'"', b"'")):
        return "member of a literal"
    match = _WORD_BEFORE.search(before)
    receiver = match[1] if match else b""
    rest = before[: match.start()].rstrip() if match else b""
    if rest.endswith(b"."):
        return "member of a member whose value is not known"
    if receiver in _SELF:
        return "member of the object itself that no class in the corpus defines"
    if receiver in parameters:
        return "member of a parameter without a known type"
    return "member of a variable whose value is not known"


# The page
# --------------------------------------------------------------------------------------------------------


def page(content: dict[str, Any]) -> str:
    """Markdown of a result."""
    projects: dict[str, Any] = content["metrics"]["projects"]
    python = {name: p for name, p in projects.items() if name != JDK_MODULE}
    groups = {f"{len(python)} packages": python}
    if JDK_MODULE in projects:
        groups[JDK_MODULE] = {JDK_MODULE: projects[JDK_MODULE]}
    machine = content["machine"]
    lines = [
        "# Real projects",
        "",
        f"Generated by `{content['command']}` on {machine['processor']}, {machine['cores']} cores;",
        "the figures are in `benchmarks/results/real-projects.json`. Each project is built alone, on disk,",
        "in a process of its own; what it imports from elsewhere is outside of the corpus.",
        "",
        *_table(
            ("project", "style", "files ok / partial / skipped", "lines", "entities", "relations",
             "unresolved", "CPU s", "peak MiB", "violations", "score (corrupted)"),
            (_project_row(name, p) for name, p in projects.items()),
        ),
        "",
        "The score is the share of triples that the text confirms by name, a lower bound: where decorators",
        "replace functions by wrappers, as networkx does with nearly all of its own, a call runs the wrapper",
        "under the function's name.",
        "",
        "## Entities by class",
        "",
        *_counts(groups, lambda p: p["statistics"]["classes"], "class"),
        "",
        "## Relations",
        "",
        *_counts(groups, lambda p: p["statistics"]["relations"], "relation"),
        "",
        "## How references resolved",
        "",
        *_counts(groups, lambda p: p["statistics"]["resolution"], "how"),
        "",
        "## Why references are unresolved",
        "",
        "Told from the text around each one.",
        "",
        *_counts(groups, lambda p: p["unresolved"], "reason"),
        "",
        "## Rows of the named queries",
        "",
        *_counts(groups, lambda p: p["queries"]["rows"], "query"),
        "",
        "## Violations",
        "",
        *(_violations(projects) or ["None."]),
        "",
        "## Files that are not wholly in the graph",
        "",
        *(_not_ok(projects) or ["None."]),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _project_row(name: str, p: dict[str, Any]) -> tuple[str, ...]:
    totals, checked = p["statistics"]["totals"], p["validation"]
    files = " / ".join(f"{p['statuses'].get(s, 0):,}" for s in ("ok", "partial", "skipped"))
    return (
        f"{name} {p['version']}", p["style"], files, f"{totals['lines']:,}", f"{totals['entities']:,}",
        f"{totals['relations']:,}", f"{p['statistics']['unresolved_share']:.1%}",
        f"{p['build']['cpu_s']:.1f}", f"{p['build']['peak_mib']:.0f}",
        f"{sum(checked['violations'].values()):,}",
        f"{checked['score']:.4f} ({checked['score_on_corrupted']:.4f})",
    )  # fmt: skip


def _counts(groups: dict[str, dict[str, Any]], of: Any, title: str) -> list[str]:
    summed = {
        group: sum((Counter(of(p)) for p in some.values()), Counter()) for group, some in groups.items()
    }
    names = sorted(set().union(*summed.values()), key=lambda n: (-sum(c[n] for c in summed.values()), n))
    return _table((title, *groups), ((name, *(f"{summed[g][name]:,}" for g in groups)) for name in names))


def _violations(projects: dict[str, Any]) -> list[str]:
    return [
        f"- {name}: {shape}, {count:,}, such as `{p['validation']['examples'][shape][0]}`"
        for name, p in projects.items()
        for shape, count in p["validation"]["violations"].items()
    ]


def _not_ok(projects: dict[str, Any]) -> list[str]:
    found = [
        f"- {name}, {status}: `{path}`: {problem}"
        for name, p in projects.items()
        for path, status, problem in p["not_ok"][:10]
    ]
    return [line.replace("\n", " ") for line in found]


def _table(head: tuple[str, ...], rows: Any) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def main() -> None:
    """Examine every project and write result and page."""
    parser = argparse.ArgumentParser(description="Build, validate and query real projects.")
    parser.add_argument("--jdk", type=Path, help="a JDK's src.zip or the folder it unpacks to, for java.base")
    parser.add_argument("--packages", nargs="*", help="some of the PyPI packages (default: all)")
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    parser.add_argument("--page", action="store_true", help="only write the page from the result file")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        source = jdk(args.jdk) if args.one == JDK_MODULE else pypi([args.one])[0]
        with tempfile.TemporaryDirectory() as folder:
            json.dump(examine(source, Path(folder)), sys.stdout)
        return
    if not args.page:
        projects: dict[str, Any] = {}
        wanted = [p for p in pypi_packages() if args.packages is None or p.name in args.packages]
        pypi([p.name for p in wanted])
        about = [(p.name, p.version, p.style) for p in wanted] + [(JDK_MODULE, "17", "Java")] * bool(args.jdk)
        for name, version, style in about:
            command = [sys.executable, "-m", "benchmarks.real_projects", "--one", name]
            command += ["--jdk", str(args.jdk)] if name == JDK_MODULE else []
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            projects[name] = {"version": version, "style": style, **json.loads(done.stdout)}
        write_result(args.out, result("real-projects", {"projects": projects}, seed=0))
    PAGE.write_text(page(read_result(args.out)), encoding="utf-8")


if __name__ == "__main__":
    main()
