from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.compare import tables
from benchmarks.tables import graph, speed

RATES = {"graphmer": 500.0, "roberta": 400.0, "ratio": 1.25}
STEP = {
    "graphmer": {"sizes": [768, 12, 12, 3072], "parameters": 98_000_000, "dropout": 0.1,
                 "attention_dropout": 0.0, "optimizer": "AdamW, fused"},
    "roberta": {"parameters": 92_800_000, "attention": "sdpa"},
    "batch_tokens": 2048,
    "even": {"fp32": RATES, "bf16": RATES | {"ratio": 0.8}, "padding_of_roberta": 0.01},
    "as trained": {"fp32": RATES, "bf16": RATES, "padding_of_roberta": 0.2},
}  # fmt: skip
PIPELINE = {"tokens_per_cpu_second": 50_000.0, "through_a_loader_with_one_worker": 40_000.0}


def rendered(tmp_path: Path, device: str = "cpu", **parts: Any) -> str:
    metrics = {
        "setting": {"threads": 2, "repeats": 3, "clock": "wall", "device": device},
        "data": {"train": {"chunks": 1000}, "relations": 39, "vocabulary": 8192},
        **parts,
    }
    content = {
        "schema": 1, "task": "throughput", "command": "python benchmarks/throughput.py", "commit": None,
        "machine": {"processor": "CPU", "cores": 2}, "metrics": metrics,
    }  # fmt: skip
    (tmp_path / "throughput.json").write_text(json.dumps(content))
    assert tables(graph.render, tmp_path) == ""
    return tables(speed.render, tmp_path)


def test_bars_say_whether_they_are_met(tmp_path: Path) -> None:
    text = rendered(tmp_path, step=STEP, pipeline=PIPELINE)
    assert (
        "| training step, real tokens/s, fp32 | RoBERTa, same tokens and batches | ≥ 0.90× | 1.25× | yes |"
        in text
    )
    assert "| ≥ 0.90× | 0.80× | **no** |" in text
    assert "| data pipeline, one worker | what the base model takes in here | ≥ 20× | 100× | yes |" in text
    assert "| ≥ 37,500 | 50,000 | yes |" in text


def test_shares_are_better_small(tmp_path: Path) -> None:
    text = rendered(tmp_path, bias={"fp32": {"share": 0.01}, "bf16": {"share": 0.04}})
    assert "| share of a step | ≤ 3.00 % | 1.00 % | yes |" in text
    assert "| ≤ 3.00 % | 4.00 % | **no** |" in text


def test_parts_that_were_not_measured_are_not_shown(tmp_path: Path) -> None:
    text = rendered(tmp_path, pipeline=PIPELINE)
    assert "RoBERTa" not in text
    assert "what the base model takes in" not in text  # needs the step


def test_a_card_has_its_own_section(tmp_path: Path) -> None:
    run = {"model": "graphmer", "kernel": "flex", "compiled": True, "batch_tokens": 8192}
    measured = run | {"tokens_per_s": 300_000.0, "model_flops_utilisation": 0.4, "peak_gib": 20.0}
    runs = [measured, run | {"batch_tokens": 16_384, "error": "no"}]
    text = rendered(tmp_path, "cuda", card={"device": "a card", "runs": runs})
    assert "### On a CUDA device" in text
    assert "| graphmer | flex | compiled | 8,192 | 300,000 | 40.00 % | 20.0 GiB |" in text
    assert "| graphmer | flex | compiled | 16,384 | - | - | - |" in text
