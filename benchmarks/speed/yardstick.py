"""A stock transformer's training step: what our tokens per second, and those of others, are measured against.

It is Hugging Face's RoBERTa encoder of the same sizes, with SDPA and fused AdamW (:mod:`.encoders`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.speed.encoders import Batch, Step, roberta, roberta_step
from benchmarks.speed.timing import Bench
from graphmer_geo.models import GraphMERConfig

#: What the earlier system was measured beside: sequences, their length, vocabulary; float32, every position
#: scored.
SEQUENCES, LENGTH, VOCABULARY = 4, 512, 8192
#: Tokens per second of a training step on two threads of the same kind of processor: of the earlier system
#: (an encoder of code at base dimensions, 96 to 110 tokens per step), slowest and fastest run, and of the
#: yardstick at that time. Both were measured before this project began.
EARLIER: dict[str, Any] = {"tokens_per_second": (153.0, 236.0), "yardstick": 256.0}


def common_rate(bench: Bench, config: GraphMERConfig, repeats: int) -> float:
    """Tokens per second of the setting that the earlier system was measured beside."""
    torch.manual_seed(bench.seed)
    sizes = GraphMERConfig.from_dict(config.to_dict() | {"vocab_size": VOCABULARY})
    model = roberta(sizes, LENGTH).to(bench.device)
    step = Step(model, lambda batch: model(input_ids=batch["tok"], labels=batch["tok"]).loss, bench.device)
    first = sizes.pad_id + 1
    tokens = torch.randint(first, VOCABULARY, (SEQUENCES, LENGTH), device=bench.device)
    return _rate(bench, step, [{"tok": tokens}] * repeats)


def rate_on(bench: Bench, config: GraphMERConfig, batches: Sequence[Batch], bf16: bool) -> float:
    """Tokens per second on training batches: the same tokens, the same of them masked and scored."""
    longest = max(int(batch["ptr"].diff().max()) for batch in batches)
    step = roberta_step(config, bench.device, bench.seed, longest)
    step.bf16 = bf16
    return _rate(bench, step, batches)


def times_earlier(rate: float, yardstick: float) -> list[float]:
    """``rate`` over the earlier system's slowest and fastest, had they run beside ``yardstick``."""
    return [rate / yardstick / (earlier / EARLIER["yardstick"]) for earlier in EARLIER["tokens_per_second"]]


def _rate(bench: Bench, step: Step, batches: Sequence[Batch]) -> float:
    step(batches[0])  # warm
    seconds = sum(bench.seconds(lambda b=batch: step(b)) for batch in batches)
    return sum(batch["tok"].numel() for batch in batches) / seconds
