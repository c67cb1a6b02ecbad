"""Training steps of the base size: against RoBERTa, against the fixed layout, and what the bias costs."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.speed.corpus import Corpus, padding
from benchmarks.speed.encoders import (
    Batch,
    Step,
    our_step,
    roberta_step,
    setting,
    without_ranking,
)
from benchmarks.speed.fixed import FixedLayout, first_roots, fixed_layout, fixed_loss, fixed_states
from benchmarks.speed.timing import Bench, to_device
from graphmer_geo.data import collate
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.nn import ChainStructure

PRECISIONS = {"fp32": False, "bf16": True}


def steps(bench: Bench, corpus: Corpus, config: GraphMERConfig, batch_tokens: int) -> dict[str, Any]:
    """Real tokens per second of ours and of RoBERTa, on even batches and on batches as training has them."""
    stream = corpus.stream(batch_tokens)
    packings: dict[str, list[Batch]] = {
        "even": corpus.even_batches(bench.repeats, batch_tokens),
        "as trained": [without_ranking(stream.batch(k)) for k in range(bench.repeats)],
    }
    packings = {name: [to_device(b, bench.device) for b in batches] for name, batches in packings.items()}
    longest = max(int(b["ptr"].diff().max()) for batches in packings.values() for b in batches)
    ours = our_step(config, bench.device, bench.seed)
    theirs = roberta_step(config, bench.device, bench.seed, longest)
    found: dict[str, Any] = {
        "graphmer": setting(config, ours),
        "roberta": setting(config, theirs) | {"attention": theirs.model.config._attn_implementation},
        "batch_tokens": batch_tokens,
    }
    for packing, batches in packings.items():
        row: dict[str, Any] = {
            "real_tokens": [b["tok"].numel() for b in batches],
            "chains": [b["ptr"].numel() - 1 for b in batches],
            "scored_tokens": [b["mlm_index"].numel() + b["mnm_index"].numel() for b in batches],
            "padding_of_roberta": statistics.mean(padding(b) for b in batches),
        }
        for precision, bf16 in PRECISIONS.items():
            rates = _rates(bench, {"graphmer": ours, "roberta": theirs}, batches, bf16)
            row[precision] = rates | {"ratio": rates["graphmer"] / rates["roberta"]}
        found[packing] = row
    return found


def _rates(bench: Bench, models: dict[str, Step], batches: list[Batch], bf16: bool) -> dict[str, float]:
    """Median over rounds, each with a batch of its own, of real tokens per second."""
    calls: dict[str, Callable[[int], Any]] = {}
    for name, step in models.items():
        step.bf16 = bf16
        calls[name] = lambda k, step=step: step(batches[k % len(batches)])
    times = bench.alternate(calls, repeats=len(batches))
    return {
        name: statistics.median(b["tok"].numel() / t for b, t in zip(batches, seconds, strict=True))
        for name, seconds in times.items()
    }


def layout(bench: Bench, corpus: Corpus, config: GraphMERConfig) -> dict[str, Any]:
    """Real tokens per second of the flat layout and of 1,024 fixed positions, on the same chains."""
    chains = first_roots(corpus.chains(2000), FixedLayout())[: bench.repeats * 8]
    step = our_step(config, bench.device, bench.seed)
    # One graph of 1,024 positions, and as many flat chains as about as many positions hold.
    flat = [to_device(collate(chains[8 * k : 8 * k + 6]), bench.device) for k in range(bench.repeats)]
    fixed = [
        fixed_layout(chains[8 * k : 8 * k + 1], config.pad_id, bench.device) for k in range(bench.repeats)
    ]
    fixed_step = Step(step.model, lambda b: fixed_loss(step.model, b), bench.device)
    found: dict[str, Any] = {
        "difference_of_states": _difference(step, chains[:2], config.pad_id, bench.device),
        "real_share_of_positions": statistics.mean(b["real"].numel() / b["tok"].numel() for b in fixed),
    }
    for precision, bf16 in PRECISIONS.items():
        step.bf16 = fixed_step.bf16 = bf16
        times = bench.alternate({"flat": lambda k: step(flat[k]), "fixed": lambda k: fixed_step(fixed[k])})
        rates = {
            "flat": statistics.median(b["tok"].numel() / t for b, t in zip(flat, times["flat"], strict=True)),
            "fixed": statistics.median(
                b["real"].numel() / t for b, t in zip(fixed, times["fixed"], strict=True)
            ),
        }
        found[precision] = rates | {"ratio": rates["flat"] / rates["fixed"]}
    return found


@torch.no_grad()
def _difference(step: Step, chains: list[Any], pad_id: int, device: str) -> float:
    """Largest difference of the two layouts' states at the masked tokens: are they the same model?"""
    step.model.eval()
    flat, fixed = to_device(collate(chains), device), fixed_layout(chains, pad_id, device)
    ours = step.model.encode(flat)[flat["mlm_index"]]
    theirs = fixed_states(step.model, fixed)[fixed["mlm_index"]]
    step.model.train()
    return float((ours - theirs).abs().max())


def bias(bench: Bench, corpus: Corpus, config: GraphMERConfig, batch_tokens: int) -> dict[str, Any]:
    """Share of a step that goes into making the attention's bias, forward and backward."""
    stream = corpus.stream(batch_tokens)
    batches = [to_device(without_ranking(stream.batch(k)), bench.device) for k in range(bench.repeats)]
    step = our_step(config, bench.device, bench.seed)
    module: Any = step.model.encoder.bias
    found: dict[str, Any] = {}
    for precision, bf16 in PRECISIONS.items():
        step.bf16 = bf16
        grads: dict[int, list[Tensor]] = {}

        def construct(k: int, bf16: bool = bf16, grads: dict[int, list[Tensor]] = grads) -> None:
            batch = batches[k]
            with torch.autocast(bench.device, torch.bfloat16, enabled=bf16):
                parts = module.ragged(ChainStructure.of(batch)).parts
            tensors = [part.bias for part in parts]
            if k not in grads:  # made in the round that is not timed
                grads[k] = [torch.ones_like(tensor) for tensor in tensors]
            torch.autograd.backward(tensors, grads[k])

        for k in range(bench.repeats):
            construct(k)
        times = bench.alternate({"bias": construct, "step": lambda k: step(batches[k])}, warm=False)
        shares = [b / s for b, s in zip(times["bias"], times["step"], strict=True)]
        found[precision] = {"share": statistics.median(shares), "seconds": times}
    return found
