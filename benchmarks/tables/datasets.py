"""What datasets hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.tables.markdown import caption, share, table
from graphmer_geo.data.splits import SPLITS

_SHOWN = 12  # relations in a table; the result file has all


def render(path: Path, result: dict[str, Any]) -> str:
    """The section of one dataset; empty if the file says nothing of one."""
    if result["task"] != "dataset":
        return ""
    metrics = result["metrics"]
    removed = ", ".join(f"{name} {count:,}" for name, count in metrics["files_removed"].items()) or "none"
    languages = ", ".join(f"{name} {count:,}" for name, count in metrics["languages"].items())
    lines = [
        "", f"### {metrics['name']}", "", caption(path, result, "../"), "",
        f"{metrics['projects']:,} projects, {metrics['files']:,} files ({languages}), "
        f"{metrics['lines']:,} lines, {metrics['entities']:,} entities, {metrics['triples']:,} triples, "
        f"{metrics['root_tokens']:,} root tokens. Files left out: {removed}.", "",
        *table(_HEAD, [_row(split, metrics["splits"][split]) for split in SPLITS]), "",
    ]  # fmt: skip
    relations = sorted(metrics["relations"].items(), key=lambda item: -item[1])
    lines += table(["relation", "triples"], [[name, f"{count:,}"] for name, count in relations[:_SHOWN]])
    if rest := relations[_SHOWN:]:
        lines.append(f"| {len(rest)} more | {sum(count for _, count in rest):,} |")
    return "\n".join([*lines, ""]) + "\n"


_HEAD = [
    "split", "units", "chains", "root tokens", "triples", "duplicates dropped", "near-duplicates dropped",
    "triples per chain", "visible tails",
]  # fmt: skip


def _row(split: str, counts: dict[str, Any]) -> list[str]:
    names = ("units", "chunks", "tokens", "triples", "duplicates_dropped", "near_duplicates_dropped")
    return [
        split,
        *(f"{counts.get(name, 0):,}" for name in names),
        f"{counts['triples_per_chain']:.1f}",
        share(counts["visible_share"]),
    ]
