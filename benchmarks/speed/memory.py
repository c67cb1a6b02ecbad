"""Peak memory of one training step, each layout in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.corpus import Corpus
from benchmarks.speed.encoders import Step, our_step
from benchmarks.speed.fixed import FixedLayout, first_roots, fixed_layout, fixed_loss
from graphmer_geo.data import collate
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.memory import return_free_memory

GRAPHS = 4
LAYOUTS = ("flat", "dense")


def measure(data: Path, layout: str, seed: int, model: GraphMERConfig) -> dict[str, float]:
    """One step in this process, in bf16: what it needs beyond model, gradients and optimiser."""
    torch.set_num_threads(1)
    corpus = Corpus(data, seed)
    config = corpus.config(model)
    chains = first_roots(corpus.chains(400), FixedLayout())[:GRAPHS]
    step = our_step(config, "cpu", seed)
    step.bf16 = True
    step(collate(chains[:1]))  # makes the optimiser's state
    if layout == "dense":
        batch = fixed_layout(chains, config.pad_id, "cpu")
        step = _with_loss(step)
    else:
        batch = collate(chains)
    return_free_memory()
    # Not getrusage's peak: a process begins with that of the one that started it.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status("VmRSS")
    step(batch)
    peak = _status("VmHWM")
    return {"step_mib": (peak - before) / 1024, "process_mib": peak / 1024}


def _with_loss(step: Step) -> Step:
    step.loss = lambda batch: fixed_loss(step.model, batch)
    return step


def _status(field: str) -> int:
    """In KiB, what this process has in memory now (VmRSS), or had at most since that was cleared (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def memory(script: Path, data: Path, seed: int) -> dict[str, Any]:
    """Both layouts on the same chains."""
    found: dict[str, Any] = {"graphs": GRAPHS, "precision": "bf16"}
    for layout in LAYOUTS:
        command = [sys.executable, str(script), "--measure-memory", layout, "--data", str(data.parent)]
        done = subprocess.run([*command, "--seed", str(seed)], check=True, stdout=subprocess.PIPE, text=True)
        found[layout] = json.loads(done.stdout.splitlines()[-1])
    found["ratio"] = found["flat"]["step_mib"] / found["dense"]["step_mib"]
    found["ratio_of_processes"] = found["flat"]["process_mib"] / found["dense"]["process_mib"]
    return found
