"""The card of a trained model: what it is, what it was made from, how well it did, how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from graphmer_geo.data.folder import DataFolder
from graphmer_geo.files import write_text
from graphmer_geo.models import GraphMER

LOSSES = {"loss": "total", "mlm": "masked tokens", "mnm": "masked nodes", "sbo": "span boundaries",
          "rank": "entity ranking", "search": "search"}  # fmt: skip

INTRODUCTION = """\
An encoder of leafy chains: source code with the facts of its knowledge graph grafted onto its tokens.
Trained with graphmer-geo, which wrote this page when training ended.

## Use

```python
from graphmer_geo.models import GraphMER

model = GraphMER.from_pretrained("FOLDER")  # refuses weights that do not fit
```
"""
LIMITS = """\
## Limits

The numbers above are of training batches; `graphmer eval` measures on packages that were not seen, beside
baselines. The model knows the relations of its ontology version and the languages of its training code.
"""


def write_card(out: Path, folder: DataFolder, network: GraphMER, metrics: Mapping[str, Any]) -> None:
    """Write ``README.md`` of a run folder; its front matter is what the Hugging Face Hub reads."""
    described = json.loads((out / "train_args.json").read_text(encoding="utf-8"))
    header = {
        "library_name": "graphmer-geo",
        "pipeline_tag": "feature-extraction",
        "tags": ["code", "knowledge-graph", "graph-neural-network", "pytorch-geometric"],
    }
    parts = [
        f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n",
        f"# {out.resolve().name}\n",
        INTRODUCTION,
        _model(network),
        _data(folder, described),
        _training(described, metrics),
        LIMITS,
    ]
    write_text(out / "README.md", "\n".join(parts))


def _table(rows: Mapping[str, Any], head: tuple[str, str]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {key} | {_text(value)} |" for key, value in rows.items())]) + "\n"


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _model(network: GraphMER) -> str:
    config, parts = network.config, network.num_parameters_by_part()
    rows = {
        "states / layers / heads / feed-forward": (
            f"{config.hidden_size} / {config.num_layers} / {config.num_heads} / {config.ffn_size}"
        ),
        "vocabulary": config.vocab_size,
        "relations": len(config.relation_map),
        "ontology version": config.ontology_version,
        **{f"parameters: {part}": count for part, count in parts.items()},
        "parameters": sum(parts.values()),
    }
    return "## Model\n\n" + _table(rows, ("", ""))


def _data(folder: DataFolder, described: Mapping[str, Any]) -> str:
    manifest = folder.manifest
    units: dict[str, list[str]] = {}
    for unit, split in manifest.units.items():
        units.setdefault(split, []).append(unit)
    lines = [f"- {split}: {len(names)} units ({_some(names)})" for split, names in units.items()]
    counts = _table({k: v for k, v in manifest.counts["train"].items() if v}, ("train split", "count"))
    fingerprint = described["data"]["manifest_sha256"]
    return "## Data\n\n" + "\n".join(lines) + f"\n\nManifest: sha256 `{fingerprint}`.\n\n" + counts


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def _training(described: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    last, session = metrics["last"], described["sessions"][-1]
    code = session["code"]
    rows = {
        "optimiser steps": metrics["steps"],
        "seconds": metrics["seconds"],
        "tokens per second, last line": last.get("tokens_per_second"),
        "code": f"graphmer-geo {code['version']}, commit {code['commit']}",
        "machine": session["environment"]["machine"]["processor"],
        "accelerator": session["environment"]["machine"]["accelerator"],
        **{f"loss: {title}": last[key] for key, title in LOSSES.items() if key in last},
        **{f"accuracy: {LOSSES[k.removesuffix('_acc')]}": v for k, v in last.items() if k.endswith("_acc")},
    }
    table = _table({key: value for key, value in rows.items() if value is not None}, ("", ""))
    return f"## Training\n\n{table}\nAll settings are in `train.yaml`; run with `{session['command']}`.\n"
