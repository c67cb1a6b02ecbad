"""Files that appear complete or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A name beside ``target`` to write under; what was written takes its place if the block ends well.

    The previous file stays until then, also if the process is killed or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write a text file in one step."""
    with replacing(target) as part:
        part.write_text(text, encoding="utf-8")


def write_json(target: Path, values: Any, *, sort_keys: bool = False) -> None:
    """Write JSON in one step."""
    write_text(target, json.dumps(values, indent=1, sort_keys=sort_keys) + "\n")


def complete_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file, but for a last one that a killed process has left half written."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines
