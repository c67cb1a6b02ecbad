"""Peak memory of one training step, each layout in a process of its own."""

from __future__ import annotations

import json
import resource
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
MIB = 2**20


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
    before = _resident()
    step(batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"step_mib": (peak - before) / MIB, "process_mib": peak / MIB}


def _with_loss(step: Step) -> Step:
    step.loss = lambda batch: fixed_loss(step.model, batch)
    return step


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


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
