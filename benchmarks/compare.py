"""Write the tables of README.md from the result files.

Run: python benchmarks/compare.py [--check]

Every `benchmarks/results/*.json` with an evaluation becomes one table, between the markers in README.md.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from graphmer_geo.results import read_result

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MARKED = re.compile(r"(<!-- results:begin [^>]*-->\n).*?(<!-- results:end -->)", re.DOTALL)
METRICS = {"mrr": "MRR", "hits@1": "Hits@1", "hits@3": "Hits@3", "hits@10": "Hits@10"}


def tables(folder: Path = RESULTS) -> str:
    """Markdown of all result files, by name."""
    return "".join(_table(path, read_result(path)) for path in sorted(folder.glob("*.json")))


def fill(readme: str, content: str) -> str:
    """``readme`` with ``content`` between its markers."""
    filled, count = MARKED.subn(lambda match: match[1] + content + match[2], readme)
    if count != 1:
        raise SystemExit(f"README.md must have one pair of results markers (has {count})")
    return filled


def _table(path: Path, result: dict[str, Any]) -> str:
    evaluation = result["metrics"].get("evaluation")
    if evaluation is None:
        return ""
    machine, commit = result["machine"], result["commit"] or "unknown"
    lines = [
        "",
        f"`{result['command']}`, {machine['processor']}, {machine['cores']} cores, "
        f"commit {commit[:9]} ([{path.name}](benchmarks/results/{path.name})):",
        "",
        "| tails | by | " + " | ".join(METRICS.values()) + " | queries |",
        "|---|---|" + "---:|" * (len(METRICS) + 1),
    ]
    for group in ("hidden", "visible"):
        for name, metrics in evaluation["ranking"].get(group, {}).items():
            cells = " | ".join(_bold(f"{metrics[key]:.3f}", name) for key in METRICS)
            lines.append(f"| {group} | {_bold(name, name)} | {cells} | {metrics['count']:,} |")
    mlm = evaluation["mlm"]
    shown = ", ".join(f"{name} {value:.3f}" for name, value in mlm.items() if name != "count")
    lines += ["", f"Masked tokens, top-1 on {mlm['count']:,}: {shown}.", ""]
    return "\n".join(lines) + "\n"


def _bold(text: str, scorer: str) -> str:
    return f"**{text}**" if scorer == "model" else text


def main() -> None:
    """Rewrite README.md, or say whether it needs that."""
    parser = argparse.ArgumentParser(description="Write the tables of README.md from the result files.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if README.md is out of date"
    )
    check = parser.parse_args().check
    readme = ROOT / "README.md"
    found = readme.read_text(encoding="utf-8")
    wanted = fill(found, tables())
    if check and found != wanted:
        raise SystemExit("README.md disagrees with benchmarks/results; run: python benchmarks/compare.py")
    readme.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
