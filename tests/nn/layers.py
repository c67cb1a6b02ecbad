"""Every layer, small, with inputs: what the contract tests run over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from graphmer_geo.data.fake import FAKE, FakeConfig, fake_batch
from graphmer_geo.nn import (
    ChainStructure,
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

D, HEADS, R, VOCAB = 8, 2, FAKE.num_relations, FAKE.vocab_size
METADATA = (["a", "b"], [("a", "to", "b"), ("b", "to", "b")])
Batch = dict[str, Tensor]
SMALL = FakeConfig(roots=(4, 6), max_triples=4, max_leaves=2)
BATCH, OTHER = fake_batch(3, SMALL), fake_batch(4, SMALL, seed=1)


class Layer(NamedTuple):
    """How to make a layer without dropout, and what to call it with."""

    make: Callable[[], nn.Module]
    inputs: Callable[[Batch], tuple[Any, ...]]


def states(batch: Batch) -> Tensor:
    return torch.randn(batch["tok"].numel(), D)


def chains(batch: Batch) -> ChainStructure:
    """All graphs in one bucket, so that no shape depends on data."""
    return ChainStructure.of(batch)._replace(mask=batch["place_mask"])


def padded(batch: Batch) -> tuple[Tensor, ...]:
    """The batch as `GraphAttentionBias` takes it."""
    layout = chains(batch).layout()
    place = (part for values in chains(batch).place for part in layout.pad(values))
    return *place, batch["place_mask"], layout.place[batch["edge_index"]], batch["edge_rel"]


def attention(batch: Batch) -> tuple[Any, ...]:
    bias = GraphAttentionBias(HEADS, R)(*padded(batch))
    return torch.randn(*batch["place_mask"].shape, D), bias, rotary_angles(padded(batch)[0], D // HEADS)


def hetero(batch: Batch) -> tuple[Any, ...]:
    count = len(batch["ptr"])
    x = {"a": torch.randn(count + 1, D), "b": torch.randn(count, D)}
    return x, dict.fromkeys(METADATA[1], torch.arange(2 * count).view(2, count) % count)


def ranking(batch: Batch) -> tuple[Any, ...]:
    names = Names(batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    place = (batch[key] for key in ("tok", "slot", "batch", "ptr", "edge_index"))
    context = QueryContext(batch["rank_index"], batch["rank_rel"], states(batch), *place)
    return context, names, torch.randn(FAKE.num_entities, D), batch["rank_target"], batch["rank_near"]


LAYERS = {
    "HGATConv": Layer(
        lambda: HGATConv(D, D, R, heads=HEADS, bias=True),
        lambda batch: (states(batch), batch["edge_index"], batch["edge_rel"]),
    ),
    "HGATConv, bases": Layer(
        lambda: HGATConv(D, D, R, num_bases=2, attention="within-relation"),
        lambda batch: (states(batch), batch["edge_index"], batch["edge_rel"]),
    ),
    "HeteroHGATConv": Layer(lambda: HeteroHGATConv(D, D, METADATA), hetero),
    "GraphDecay": Layer(lambda: GraphDecay(HEADS), lambda batch: (12,)),
    "RelationBias": Layer(lambda: RelationBias(R, HEADS), lambda batch: (batch["edge_rel"],)),
    "GraphAttentionBias": Layer(lambda: GraphAttentionBias(HEADS, R), padded),
    "GraphDecayAttention": Layer(lambda: GraphDecayAttention(D, HEADS), attention),
    "LeafyChainEmbedding": Layer(
        lambda: LeafyChainEmbedding(VOCAB, D, R, dropout=0.0, relation_dropout=0.0),
        lambda batch: (batch["tok"], batch["slot"], batch["edge_index"], batch["edge_rel"]),
    ),
    "LeafyChainConv": Layer(
        lambda: LeafyChainConv(D, R, dropout=0.0, relation_dropout=0.0),
        lambda batch: (states(batch), *LeafyChainConv(D, R).edges(chains(batch))),
    ),
    "LeafyChainEncoderLayer": Layer(lambda: LeafyChainEncoderLayer(D, HEADS, 16, 0.0, 0.0), attention),
    "LeafyChainEncoder": Layer(
        lambda: LeafyChainEncoder(D, 2, HEADS, 16, R, dropout=0.0, hgat_every=2, relation_dropout=0.0),
        lambda batch: (states(batch), chains(batch)),
    ),
    "LMHead": Layer(lambda: LMHead(D, VOCAB), lambda batch: (states(batch), torch.randn(VOCAB, D))),
    "OutputTransform": Layer(lambda: OutputTransform(D, D), lambda batch: (states(batch),)),
    "SpanBoundaryHead": Layer(
        lambda: SpanBoundaryHead(D, VOCAB), lambda batch: (states(batch), states(batch), batch["root"])
    ),
    "EntityRankingHead": Layer(lambda: EntityRankingHead(D, VOCAB, R, FAKE.num_kinds, buckets=32), ranking),
}


def floats(tree: Any) -> list[Tensor]:
    """All floating-point tensors in nested tuples and dicts, in order."""
    if isinstance(tree, Tensor):
        return [tree] if tree.is_floating_point() else []
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, tuple) else ()
    return [found for part in parts for found in floats(part)]
