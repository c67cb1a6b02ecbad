"""Is a batch what a model may be given? Errors that name the graph at fault instead of a CUDA assertion."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from graphmer_geo.errors import UserError

_POINTERS = {"mlm_index": "mlm_label", "mnm_index": "mnm_label", "rank_index": "rank_rel"}


def check_batch(batch: Mapping[str, Tensor], vocab_size: int, num_relations: int) -> None:
    """Check ids, pointers and the leafy layout of a batch (or, without ``batch``, of one chain).

    Raises:
        UserError: Something is out of range or inconsistent; names the attribute, the value and the graph.
    """
    _require(batch, "tok", 0, vocab_size, "the tokenizer and the model belong together")
    _require(batch, "edge_rel", 1, num_relations, "relations.json and the model belong together")
    _require(batch, "triple_rel", 1, num_relations, "relations.json and the model belong together")
    n, m = batch["tok"].numel(), batch["triple_rel"].numel()
    layout = "build chains with graphmer_geo.data.build_chain and batch them with collate"
    for key in ("edge_index", "leaf_index", *_POINTERS):
        if key in batch:
            _require(batch, key, 0, n, layout)
    for key in ("leaf_triple", "rank_triple"):
        if key in batch:
            _require(batch, key, 0, m, layout)
    for key, value in _POINTERS.items():
        if key in batch and len(batch[key]) != len(batch[value]):
            raise UserError(f"{key} has {len(batch[key])} entries, {value} has {len(batch[value])}; {layout}")

    leaf = batch["slot"] >= 0
    if not torch.equal(leaf.nonzero().view(-1), batch["leaf_index"].sort().values):
        raise UserError(f"leaf_index does not list the nodes with a slot; {layout}")
    source, target = batch["edge_index"]
    bad = leaf[source] | ~leaf[target]
    if "batch" in batch:
        bad = bad | (batch["batch"][source] != batch["batch"][target])
    if bad.any():
        edge = int(bad.nonzero()[0])
        ends = f"{int(source[edge])} → {int(target[edge])}"
        raise UserError(
            f"edge {edge} ({ends}) does not lead from a root to a leaf of the same graph; {layout}"
        )


def _require(batch: Mapping[str, Tensor], key: str, low: int, high: int, remedy: str) -> None:
    """Every value of ``batch[key]`` lies in ``low`` … ``high - 1``."""
    if key not in batch:
        raise UserError(f"the batch has no {key!r}; {remedy}")
    value = batch[key]
    bad = (value < low) | (value >= high)
    if bad.any():
        place = int(bad.view(-1).nonzero()[0])
        graph = ""
        if key == "tok" and "batch" in batch:
            graph = f" in graph {int(batch['batch'][place])}"
        raise UserError(
            f"{key} {int(value.view(-1)[place])} at {place}{graph} is not in {low}..{high - 1}; {remedy}"
        )
