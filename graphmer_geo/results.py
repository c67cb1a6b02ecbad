"""Result files: what was measured, and everything needed to measure it again."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from graphmer_geo import __version__
from graphmer_geo.errors import UserError
from graphmer_geo.files import write_json

#: Raised whenever a reader of older files would misread a newer one.
SCHEMA = 1

_PACKAGES = (
    "torch",
    "torch-geometric",
    "transformers",
    "accelerate",
    "tokenizers",
    "rdflib",
    "pyoxigraph",
    "tree-sitter",
    "numpy",
)


def result(task: str, metrics: Mapping[str, Any], *, seed: int, command: str | None = None) -> dict[str, Any]:
    """``metrics`` with the command, seed, commit, versions and machine they were obtained with.

    ``compiled`` tells whether graphs were built by compiled code.

    Args:
        task: Name of the benchmark.
        metrics: JSON-able measurements.
        seed: Seed of the run.
        command: How to repeat it (default: this process's command line).
    """
    return {
        "schema": SCHEMA,
        "task": task,
        "command": command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "seed": seed,
        "commit": commit(),
        "compiled": is_compiled(),
        "versions": versions(),
        "machine": machine(),
        "metrics": dict(metrics),
    }


def write_result(path: Path, content: Mapping[str, Any]) -> None:
    """Write a result file in one step; an interrupted run leaves the old file."""
    write_json(path, content, sort_keys=True)


def read_result(path: Path) -> dict[str, Any]:
    """Read a result file.

    Raises:
        UserError: not a result file, or one of another schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"cannot read the result file {str(path)!r}: {error}") from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise UserError(
            f"{str(path)!r} has schema {schema!r}, this version reads {SCHEMA}; run the benchmark again"
        )
    return dict(content)


def commit() -> str | None:
    """The commit this code was checked out at, with ``+`` if changed since; None outside a checkout."""
    folder = Path(__file__).resolve().parent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--untracked-files=no", ":/graphmer_geo")
        return head + ("+" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def is_compiled() -> bool:
    """Whether this installation's modules for building graphs are compiled; see ``hatch_build.py``."""
    folder = Path(__file__).resolve().parent / "kg"
    return any((folder / f"facts{suffix}").is_file() for suffix in EXTENSION_SUFFIXES)


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Versions of Python, of this library and of what the numbers depend on."""
    found = {"python": platform.python_version(), "graphmer-geo": __version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Processor, cores, memory (GiB) and accelerator."""
    import torch

    names = [
        line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    memory = [int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "system": platform.system(),
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory[0] / 2**20, 1) if memory else None,
        "accelerator": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
