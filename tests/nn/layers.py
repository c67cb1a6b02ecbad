"""Every layer, small, with inputs: what the contract tests run over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from graphmer_geo.data.fake import FAKE, FakeConfig, fake_batch
from graphmer_geo.nn import (
    EntityRankingHead,
    GraphAttentionBias,
    GraphDecay,
    GraphDecayAttention,
    HeteroHGATConv,
    HGATConv,
    LeafyChainConv,
    LeafyChainEmbedding,
    LeafyChainEncoder,
    LeafyChainEncoderLayer,
    LMHead,
    Names,
    OutputTransform,
    QueryContext,
    RelationBias,
    SpanBoundaryHead,
    rotary_angles,
)
from graphmer_geo.nn.ragged import ragged_layout

D, HEADS, R, VOCAB = 8, 2, FAKE.num_relations, FAKE.vocab_size
PLACE = ("root", "group", "slot", "batch", "edge_index", "edge_rel")
METADATA = (["a", "b"], [("a", "to", "b"), ("b", "to", "b")])
BATCH = fake_batch(3, FakeConfig(roots=(4, 6), max_triples=4, max_leaves=2))
NODES = BATCH["tok"].numel()
#: Two padded graphs of the batch's kind: places, and which of them are nodes.
ROOT = torch.tensor([[0, 1, 2, 1, 1], [0, 1, 0, -1, -1]])
GROUP = torch.tensor([[-1, -1, -1, 0, 0], [-1, -1, 0, -1, -1]])
SLOT = torch.tensor([[-1, -1, -1, 0, 1], [-1, -1, 0, -1, -1]])
MASK = ROOT >= 0
EDGES, RELATION = torch.tensor([[1, 2, 1, 5], [3, 3, 4, 7]]), torch.tensor([1, 1, 1, 2])


class Layer(NamedTuple):
    """How to make a layer without dropout, and what to call it with."""

    make: Callable[[], nn.Module]
    inputs: Callable[[], tuple[Any, ...]]
    call: str = "forward"


def attention_bias() -> Any:
    return GraphAttentionBias(HEADS, R)(ROOT, GROUP, SLOT, MASK, EDGES, RELATION)


def chain_edges() -> tuple[Tensor, Tensor]:
    return LeafyChainConv(D, R).edges(*(BATCH[key] for key in PLACE))


def ranking() -> tuple[Any, ...]:
    names = Names(BATCH["cand_tok"], BATCH["cand_ptr"], BATCH["cand_kind"])
    place = (BATCH[key] for key in ("tok", "slot", "batch", "ptr", "edge_index"))
    context = QueryContext(BATCH["rank_index"], BATCH["rank_rel"], torch.randn(NODES, D), *place)
    return context, names, torch.randn(FAKE.num_entities, D), BATCH["rank_target"], BATCH["rank_near"]


LAYERS = {
    "HGATConv": Layer(
        lambda: HGATConv(D, D, R, heads=HEADS, bias=True),
        lambda: (torch.randn(NODES, D), BATCH["edge_index"], BATCH["edge_rel"]),
    ),
    "HGATConv, bases": Layer(
        lambda: HGATConv(D, D, R, num_bases=2, attention="within-relation"),
        lambda: (torch.randn(NODES, D), BATCH["edge_index"], BATCH["edge_rel"]),
    ),
    "HeteroHGATConv": Layer(
        lambda: HeteroHGATConv(D, D, METADATA),
        lambda: (
            {"a": torch.randn(3, D), "b": torch.randn(2, D)},
            dict.fromkeys(METADATA[1], torch.tensor([[0, 1, 1], [1, 0, 1]])),
        ),
    ),
    "GraphDecay": Layer(lambda: GraphDecay(HEADS), lambda: (12,)),
    "RelationBias": Layer(lambda: RelationBias(R, HEADS), lambda: (RELATION,)),
    "GraphAttentionBias": Layer(
        lambda: GraphAttentionBias(HEADS, R), lambda: (ROOT, GROUP, SLOT, MASK, EDGES, RELATION)
    ),
    "GraphDecayAttention": Layer(
        lambda: GraphDecayAttention(D, HEADS),
        lambda: (torch.randn(2, 5, D), attention_bias(), rotary_angles(ROOT, D // HEADS)),
    ),
    "LeafyChainEmbedding": Layer(
        lambda: LeafyChainEmbedding(VOCAB, D, R, dropout=0.0, relation_dropout=0.0),
        lambda: (BATCH["tok"], BATCH["slot"], BATCH["edge_index"], BATCH["edge_rel"]),
    ),
    "LeafyChainConv": Layer(
        lambda: LeafyChainConv(D, R, dropout=0.0, relation_dropout=0.0),
        lambda: (torch.randn(NODES, D), *chain_edges()),
    ),
    "LeafyChainEncoderLayer": Layer(
        lambda: LeafyChainEncoderLayer(D, HEADS, 16, 0.0, 0.0),
        lambda: (torch.randn(2, 5, D), attention_bias(), rotary_angles(ROOT, D // HEADS)),
    ),
    "LeafyChainEncoder": Layer(
        lambda: LeafyChainEncoder(D, 2, HEADS, 16, R, dropout=0.0, hgat_every=2, relation_dropout=0.0),
        lambda: (
            torch.randn(NODES, D),
            *(BATCH[key] for key in PLACE),
            ragged_layout(BATCH["batch"], fullness=0),
        ),
    ),
    "LMHead": Layer(lambda: LMHead(D, VOCAB), lambda: (torch.randn(3, D), torch.randn(VOCAB, D))),
    "OutputTransform": Layer(lambda: OutputTransform(D, D), lambda: (torch.randn(3, D),)),
    "SpanBoundaryHead": Layer(
        lambda: SpanBoundaryHead(D, VOCAB),
        lambda: (torch.randn(3, D), torch.randn(3, D), torch.tensor([0, 1, 9])),
    ),
    "EntityRankingHead": Layer(lambda: EntityRankingHead(D, VOCAB, R, FAKE.num_kinds, buckets=32), ranking),
}


def floats(tree: Any) -> list[Tensor]:
    """All floating-point tensors in nested tuples and dicts, in order."""
    if isinstance(tree, Tensor):
        return [tree] if tree.is_floating_point() else []
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, tuple) else ()
    return [found for part in parts for found in floats(part)]
