"""Is a batch what a model may be given? Errors that name the graph at fault instead of a CUDA assertion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from graphmer_geo.errors import UserError

_LAYOUT = "build chains with graphmer_geo.data.build_chain and batch them with collate"
#: Pointers at nodes, and what each comes with.
_POINTERS = {
    "mlm_index": "mlm_label",
    "mlm_left_index": "mlm_label",
    "mlm_right_index": "mlm_label",
    "mnm_index": "mnm_label",
    "rank_index": "rank_rel",
}
_TOKENS = ("tok", "mlm_label", "mnm_label", "cand_tok")
_RELATIONS = ("edge_rel", "triple_rel", "rank_rel")


@dataclass(frozen=True)
class Limits:
    """What the ids of a batch must stay below; ``None`` where that is not known."""

    vocab_size: int | None = None
    num_relations: int | None = None
    max_leaves: int | None = None


def check_batch(batch: Mapping[str, Tensor], limits: Limits | None = None) -> None:
    """Check ids, pointers, numbers and the leafy layout of a batch (or, without ``batch``, of one chain).

    Raises:
        UserError: Something is out of range or inconsistent; names the attribute, the value and the graph.
    """
    limits = limits or Limits()
    for key in ("tok", "root", "group", "slot", "edge_index", "edge_rel", "leaf_index", "triple_rel"):
        if key not in batch:
            raise UserError(f"the batch has no {key!r}; {_LAYOUT}")
    _check_graphs(batch)
    for key in _TOKENS:
        _require(batch, key, 0, limits.vocab_size, "the tokenizer and the model belong together")
    for key in _RELATIONS:
        _require(batch, key, 1, limits.num_relations, "relations.json and the model belong together")
    n, m = batch["tok"].numel(), batch["triple_rel"].numel()
    for key in ("edge_index", "leaf_index", *_POINTERS):
        _require(batch, key, 0, n, _LAYOUT)
    for key in ("leaf_triple", "rank_triple"):
        _require(batch, key, 0, m, _LAYOUT)
    if "rank_target" in batch and "cand_ptr" in batch:
        _require(batch, "rank_target", 0, batch["cand_ptr"].numel() - 1, "give the row of a candidate")
    for key, value in _POINTERS.items():
        if key in batch and len(batch[key]) != len(batch[value]):
            counts = f"{key} has {len(batch[key])} entries, {value} has {len(batch[value])}"
            raise UserError(f"{counts}; {_LAYOUT}")
    _require(batch, "slot", -1, limits.max_leaves, "its tail has more leaves than there is room for")
    _check_leaves(batch)
    for key, numbers in batch.items():
        if isinstance(numbers, Tensor) and numbers.is_floating_point() and numbers.isnan().any():
            raise UserError(f"{key} is nan at {_first(numbers.isnan())}; look for a division by 0 before it")


def _check_graphs(batch: Mapping[str, Tensor]) -> None:
    """Nodes of a graph are consecutive."""
    if "batch" not in batch:
        return
    graph = batch["batch"]
    falls = graph[1:] < graph[:-1]
    if falls.any():
        place = _first(falls) + 1
        raise UserError(
            f"batch {int(graph[place])} at {place} comes after {int(graph[place - 1])}; the nodes of a graph "
            f"must be consecutive, {_LAYOUT}"
        )
    if "ptr" in batch:
        sizes = torch.bincount(graph, minlength=batch["ptr"].numel() - 1)
        if not torch.equal(sizes, batch["ptr"].diff()):
            raise UserError(f"ptr {batch['ptr'].tolist()} is not where the graphs of batch begin; {_LAYOUT}")


def _check_leaves(batch: Mapping[str, Tensor]) -> None:
    """Leaves are listed, hang on a root of their own graph, and get edges from roots of it."""
    leaf, root = batch["slot"] >= 0, batch["root"]
    graph = batch["batch"] if "batch" in batch else torch.zeros_like(root)
    if not torch.equal(leaf.nonzero().view(-1), batch["leaf_index"].sort().values):
        raise UserError(f"leaf_index does not list the nodes with a slot; {_LAYOUT}")
    roots = torch.bincount(graph[~leaf], minlength=int(graph[-1]) + 1 if graph.numel() else 0)
    lost = (root < 0) | (root >= roots[graph])
    if lost.any():
        node = _first(lost)
        raise UserError(
            f"root {int(root[node])} at {node} in graph {int(graph[node])} is none of its "
            f"{int(roots[graph[node]])} roots; {_LAYOUT}"
        )
    source, target = batch["edge_index"]
    bad = leaf[source] | ~leaf[target] | (graph[source] != graph[target])
    if bad.any():
        edge = _first(bad)
        ends = f"{int(source[edge])} → {int(target[edge])}"
        raise UserError(
            f"edge {edge} ({ends}) does not lead from a root to a leaf of the same graph; {_LAYOUT}"
        )


def _require(batch: Mapping[str, Tensor], key: str, low: int, high: int | None, remedy: str) -> None:
    """Every value of ``batch[key]``, if it is there, lies in ``low`` … ``high - 1``."""
    if key not in batch:
        return
    value = batch[key].view(-1)
    bad = value < low if high is None else (value < low) | (value >= high)
    if bad.any():
        place = _first(bad)
        graph = ""
        if key in ("tok", "slot") and "batch" in batch:
            graph = f" in graph {int(batch['batch'][place])}"
        allowed = f"at least {low}" if high is None else f"in {low}..{high - 1}"
        raise UserError(f"{key} {int(value[place])} at {place}{graph} is not {allowed}; {remedy}")


def _first(bad: Tensor) -> int:
    return int(bad.view(-1).nonzero()[0])
