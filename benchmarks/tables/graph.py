"""How right and how fast the knowledge graph is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.tables.markdown import caption, share, table

ROOT = "../"  #: from docs/ to the top folder


def render(path: Path, result: dict[str, Any]) -> str:
    """The section of one result file; empty if it says nothing of the graph."""
    found = _SECTIONS.get(result["task"])
    if found is None:
        return ""
    title, body = found
    title += ", compiled" if result.get("compiled") else ""
    lines = ["", f"### {title}", "", caption(path, result, ROOT), "", *body(result["metrics"]), ""]
    return "\n".join(lines) + "\n"


def _exact(metrics: dict[str, Any]) -> list[str]:
    rows = [
        [kind, f"{row['wanted']:,}", f"{row['found']:,}", f"{row['wanted'] - row['equal']:,}",
         f"{row['found'] - row['equal']:,}", share(row["precision"]), share(row["recall"])]
        for kind, row in metrics["kinds"].items()
    ]  # fmt: skip
    head = ["kind", "oracle", "graph", "missing", "surplus", "precision", "recall"]
    return [*table(head, rows), "", "The result file lists the differences."]


def _truth(metrics: dict[str, Any]) -> list[str]:
    rows = []
    for suite, runs in metrics.items():
        for run, groups in runs.items():
            parts = groups["part"].items() if len(groups["part"]) > 1 else ()
            name = suite if run == "all" else f"{suite}, without heuristic edges"
            for label, row in ((name, groups["whole"]), *((f"— {part}", row) for part, row in parts)):
                shares = [share(row[c]) for c in ("recall", "precision", "sound", "complete")]
                rows.append([label, str(row["cases"]), str(row["expected"]), *shares])
    return table(["suite", "cases", "expected", "recall", "precision", "sound", "complete"], rows)


def _convert(metrics: dict[str, Any]) -> list[str]:
    tasks = [
        [task, f"{row['wall_s']:.1f} s", f"{row['cpu_s']:.1f} s", f"{row['peak_mib']:,.0f} MiB"]
        for task, row in metrics["tasks"].items()
    ]
    disk, memory = metrics["queries"]["disk"], metrics["queries"]["memory"]
    queries = [
        [name, f"{row['rows']:,}", *(f"{1000 * place[name]['wall_s']:.0f} ms" for place in (disk, memory))]
        for name, row in disk.items()
    ]
    return [
        f"A graph of {metrics['quads']:,} quads; medians, each conversion in a fresh process.",
        "", *table(["conversion", "wall", "CPU", "peak memory"], tasks),
        "", *table(["query, warm", "rows", "on disk", "in memory"], queries),
    ]  # fmt: skip


def _rates(metrics: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for language, runs in metrics["rates"].items():
        rows = []
        for name, row in runs.items():
            if isinstance(row, dict):
                to, workers = name.rsplit(", ", 1)
                rows.append([to, workers, f"{row['lines_per_s']:,.0f}", f"{row['seconds']:.1f} s",
                             f"{row['quads']:,}", f"{row['peak_mib']:,.0f} MiB"])  # fmt: skip
        size = f"{next(r['lines'] for r in runs.values() if isinstance(r, dict)):,} lines"
        lines += [f"{language.capitalize()}, {size}:", ""]
        lines += table(["to", "processes", "lines/s", "time", "quads", "peak memory"], rows)
        gains = ", ".join(f"{n.partition(',')[0]} {v:.2f}×" for n, v in runs.items() if isinstance(v, float))
        lines += ["", f"Two processes against one: {gains}.", ""]
    return lines


def _growth(metrics: dict[str, Any]) -> list[str]:
    rows = [
        [f"{p['lines']:,}", f"{p['seconds']:.1f} s", f"{p['lines_per_s']:,.0f}", f"{p['peak_mib']:,.0f} MiB"]
        for p in metrics["points"]
    ]
    head = ["lines", "time", "lines/s", "peak memory"]
    lines = ["Cold, on disk, two processes:", "", *table(head, rows, words=0)]
    return [*lines, "", "![time and memory by size](kg-growth.png)"]


def _edit(metrics: dict[str, Any]) -> list[str]:
    rows = [
        [language.capitalize(), f"{row['lines']:,}", f"{row['edit_s']:.1f} s", f"{row['whole_s']:.1f} s"]
        for language, row in metrics.items()
    ]
    return table(["one function added to a project of", "lines", "update", "from nothing"], rows)


def _pycg(metrics: dict[str, Any]) -> list[str]:
    rows = [
        [name, f"{p['lines']:,}", f"{p['pycg_s']:.1f} s", f"{p['ours_s']:.1f} s", f"{p['ratio']:.1f}×"]
        for name, p in metrics.items()
    ]
    return table(["package", "lines", "PyCG", "here, to N-Quads", "ratio"], rows)


def _validate(metrics: dict[str, Any]) -> list[str]:
    rows = [
        [name.replace("-", " "), f"{row['corrupted']:,}", f"{row['detected']:,}", share(row["rate"])]
        for name, row in metrics["detection"].items()
    ]
    violated = ", ".join(f"{n} {bad:,} of {all_:,}" for n, (bad, all_) in metrics["violated"].items())
    return [
        f"{metrics['triples']:,} triples, {metrics['shapes']} shapes, "
        f"{metrics['cpu_seconds_per_million_triples']:.1f} CPU seconds for a million triples. The lowest "
        f"conformance of a shape is {share(metrics['lowest_conformance'])} (violated: {violated or 'none'}). "
        f"Consistent triples: {share(metrics['consistent'])}, on the shuffled copy "
        f"{share(metrics['consistent_on_shuffled'])}.",
        "", *table(["corruption", "triples", "noticed", "share"], rows),
    ]  # fmt: skip


def _oracle(metrics: dict[str, Any]) -> list[str]:
    kept = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    lines = table(["what", "value"], [[_words(n), _number(v)] for n, v in kept.items()])
    for name, counts in metrics.items():
        if isinstance(counts, dict) and counts and all(isinstance(v, int) for v in counts.values()):
            ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            lines += ["", *table([_words(name), "sites"], [[_words(n), f"{v:,}"] for n, v in ordered])]
    return lines


def _words(name: str) -> str:
    return name.replace("_", " ").replace("|", "/")


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


#: task of a result file -> title and body of its section
_SECTIONS: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "kg-exact-python": ("Python definitions against `ast` and `symtable`", _exact),
    "kg-exact-java": ("Java definitions against compiled classes", _exact),
    "kg_truth": ("Calls, references and types against ground truth that others wrote", _truth),
    "kg-oracles-python": ("Call targets in PyPI packages against jedi", _oracle),
    "kg-oracles-java": ("Call targets in java.base against javac", _oracle),
    "validate": ("Validation, and what it notices of corruption", _validate),
    "kg-build": ("Speed", _rates),
    "kg-build-growth": ("Speed by size", _growth),
    "kg-build-edit": ("What an edit costs", _edit),
    "kg-build-pycg": ("Speed beside PyCG", _pycg),
    "convert": ("Conversion, export and queries", _convert),
}
