"""H-GAT against a literal loop over triples, and HGATConv against PyG's operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv, HGTConv, RGATConv

from benchmarks.speed.corpus import Corpus
from benchmarks.speed.timing import Bench, medians
from graphmer_geo.data import collate
from graphmer_geo.nn import HGATConv

TRIPLES = 2000
WIDTH = 512  # the paper's
#: Nodes, edges, relations and width of the comparison of operators.
GRAPH = {"nodes": 4000, "edges": 12_000, "relations": 24, "width": 256}


def fusion(bench: Bench, corpus: Corpus) -> dict[str, Any]:
    """Forward and backward of fusion, all relations with matrices of their own, without dropout.

    Two loops: the equations as they stand, for a fortieth of the triples and scaled up, since each triple
    costs the same; and one whose gradients are collected as cheaply as autograd can, for all of them.
    """
    batch = collate(corpus.chains(TRIPLES // 12))
    torch.manual_seed(bench.seed)
    conv = HGATConv(WIDTH, WIDTH, len(corpus.folder.relations)).to(bench.device)
    x = torch.randn(batch["tok"].numel(), WIDTH, device=bench.device, requires_grad=True)
    edge_index, edge_rel = batch["edge_index"].to(bench.device), batch["edge_rel"].to(bench.device)
    triples = triples_of(batch)
    few = triples[::40]

    def run(out: Callable[[], Tensor]) -> Callable[[int], list[Tensor]]:
        return lambda _: list(torch.autograd.grad(out().pow(2).sum(), [x, *conv.parameters()]))

    calls = {
        "HGATConv": run(lambda: conv(x, edge_index, edge_rel)),
        "tuned loop": run(lambda: tuned_fusion(conv, x, triples)),
        "literal loop": run(lambda: literal_fusion(conv, x, few)),
    }
    difference = max(
        (ours - theirs).abs().max().item() / max(theirs.abs().max().item(), 1e-30)
        for ours, theirs in zip(*(calls[name](0) for name in ("HGATConv", "tuned loop")), strict=True)
    )
    times = bench.alternate(calls, warm=False)
    scale = len(triples) / len(few)
    times["literal loop"] = [scale * seconds for seconds in times["literal loop"]]
    middle = medians(times)
    return {
        "triples": len(triples), "edges": edge_rel.numel(), "relations": conv.num_relations, "width": WIDTH,
        "literal_loop_measured_on": len(few), "seconds": times,
        "ratio": middle["literal loop"] / middle["HGATConv"],
        "ratio_of_tuned_loop": middle["tuned loop"] / middle["HGATConv"],
        "largest_relative_difference_of_gradients": difference,
    }  # fmt: skip


def triples_of(batch: dict[str, Tensor]) -> list[tuple[list[int], list[int], int]]:
    """Head nodes, leaves and relation of every triple of a batch."""
    heads: dict[int, list[int]] = {}
    relation: dict[int, int] = {}
    for head, leaf, rel in zip(*batch["edge_index"].tolist(), batch["edge_rel"].tolist(), strict=True):
        heads.setdefault(leaf, []).append(head)
        relation[leaf] = rel
    leaves: dict[int, list[int]] = {}
    for leaf, triple in zip(batch["leaf_index"].tolist(), batch["leaf_triple"].tolist(), strict=True):
        leaves.setdefault(triple, []).append(leaf)
    return [(heads[nodes[0]], nodes, relation[nodes[0]]) for nodes in leaves.values()]


def literal_fusion(conv: HGATConv, x: Tensor, triples: list[tuple[list[int], list[int], int]]) -> Tensor:
    """The paper's equations, triple by triple; all tail tokens of a triple at once."""
    out = torch.zeros_like(x)
    for heads, tails, relation in triples:
        w = conv.weight[relation]
        h, t = x[heads] @ w, x[tails] @ w
        logit = (t * conv.att_dst[relation]).sum(-1, keepdim=True) + (h * conv.att_src[relation]).sum(-1)
        out[tails] = F.leaky_relu(logit, conv.negative_slope).softmax(dim=1) @ h
    return out


def tuned_fusion(conv: HGATConv, x: Tensor, triples: list[tuple[list[int], list[int], int]]) -> Tensor:
    """The same loop, but what it indexes is cut up before it.

    ``unbind`` and ``split`` let autograd collect one gradient per relation and per node; indexing inside the
    loop makes it build a gradient of all relations and all nodes for every triple.
    """
    weights, att_src, att_dst = (p.unbind(0) for p in (conv.weight, conv.att_src, conv.att_dst))
    head_of, tail_of = ([row for triple in triples for row in triple[side]] for side in (0, 1))
    heads = x[head_of].split([len(triple[0]) for triple in triples])
    tails = x[tail_of].split([len(triple[1]) for triple in triples])
    values = []
    for head, tail, (_, _, relation) in zip(heads, tails, triples, strict=True):
        w = weights[relation]
        h, t = head @ w, tail @ w
        logit = (t * att_dst[relation]).sum(-1, keepdim=True) + (h * att_src[relation]).sum(-1)
        values.append(F.leaky_relu(logit, conv.negative_slope).softmax(dim=1) @ h)
    return torch.zeros_like(x).index_copy(0, torch.tensor(tail_of, device=x.device), torch.cat(values))


def operators(bench: Bench, corpus: Corpus) -> dict[str, Any]:
    """Forward and backward of one operator on random edges; on those of leafy chains only the fast ones."""
    generator = torch.Generator().manual_seed(bench.seed)
    nodes, edges, relations = GRAPH["nodes"], GRAPH["edges"], GRAPH["relations"]
    edge_index = torch.randint(0, nodes, (2, edges), generator=generator)
    edge_type = torch.randint(0, relations, (edges,), generator=generator)
    found = {"random": _operators(bench, edge_index, edge_type, nodes, relations, ("HGTConv", "RGATConv"))}
    batch = collate(corpus.chains(TRIPLES // 12))
    kept = batch["edge_index"][:, :edges]
    nodes = int(kept.max()) + 1
    types = len(corpus.folder.relations)
    found["leafy chains"] = _operators(bench, kept, batch["edge_rel"][:edges], nodes, types, ())
    return found


def _operators(
    bench: Bench, edge_index: Tensor, edge_type: Tensor, nodes: int, relations: int, slow: tuple[str, ...]
) -> dict[str, Any]:
    width, device = GRAPH["width"], bench.device
    torch.manual_seed(bench.seed)
    edge_index, edge_type = edge_index.to(device), edge_type.to(device)
    kinds = [("node", str(r), "node") for r in range(relations)]
    by_type = {kind: edge_index[:, edge_type == r] for r, kind in enumerate(kinds)}
    hgat, rgat = HGATConv(width, width, relations), RGATConv(width, width, relations)
    hgt, gat = HGTConv(width, width, (["node"], kinds)), GATv2Conv(width, width)
    layers: dict[str, tuple[nn.Module, Callable[[Tensor], Tensor]]] = {
        "HGATConv": (hgat, lambda x: hgat(x, edge_index, edge_type)),
        "GATv2Conv": (gat, lambda x: gat(x, edge_index)),
        "HGTConv": (hgt, lambda x: hgt({"node": x}, by_type)["node"]),
        "RGATConv": (rgat, lambda x: rgat(x, edge_index, edge_type)),
    }
    x = torch.randn(nodes, width, device=device)

    def run(layer: nn.Module, call: Callable[[Tensor], Tensor]) -> Callable[[int], None]:
        layer.to(device)

        def once(_: int) -> None:
            layer.zero_grad()
            call(x.detach().requires_grad_()).pow(2).sum().backward()

        return once

    quick = {name: run(*layers[name]) for name in ("HGATConv", "GATv2Conv")}
    times = bench.alternate(quick, repeats=5 * bench.repeats)
    calls = {name: run(*layers[name]) for name in ("HGATConv", *slow)}
    against = bench.alternate(calls, warm=False) if slow else {}
    middle, middle_slow = medians(times), medians(against)
    return {
        "nodes": nodes, "edges": edge_type.numel(), "relations": relations, "width": width,
        "parameters": {name: sum(p.numel() for p in layer.parameters()) for name, (layer, _) in layers.items()
                       if name in {**quick, **calls}},
        "seconds": {**against, **times},
        "of_gatv2": middle["HGATConv"] / middle["GATv2Conv"],
        "ratio": {name: middle_slow[name] / middle_slow["HGATConv"] for name in slow},
    }  # fmt: skip
