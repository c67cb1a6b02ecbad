"""GraphMERT's fixed layout, PAD included, gives the states that the ragged one gives without PAD."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from graphmer_geo.data import Triple, build_chain
from graphmer_geo.nn import ChainStructure, LeafyChainEmbedding, LeafyChainEncoder, rotary_angles

ROOTS, LEAVES, PAD = 6, 3, 1
TRIPLES = [Triple(1, 2, 1, (20, 21)), Triple(3, 1, 2, (22,)), Triple(4, 2, 1, (23, 24, 25))]


def grid() -> tuple[dict[str, Tensor], Tensor]:
    """Roots first, then slot a of root i at ROOTS + LEAVES * i + a, PAD where nothing hangs; the mask."""
    n = ROOTS * (1 + LEAVES)
    tok = torch.full((n,), PAD)
    tok[:ROOTS] = torch.arange(10, 10 + ROOTS)
    root = torch.cat((torch.arange(ROOTS), torch.arange(ROOTS).repeat_interleave(LEAVES)))
    slot = torch.cat((torch.full((ROOTS,), -1), torch.arange(LEAVES).repeat(ROOTS)))
    group = torch.where(slot < 0, -1, root)
    mask, edges = slot < 0, []
    for triple in TRIPLES:
        for a, token in enumerate(triple.tail_tokens):
            leaf = ROOTS + LEAVES * triple.head_start + a
            tok[leaf], mask[leaf] = token, True
            edges += [(triple.head_start + k, leaf, triple.relation) for k in range(triple.head_len)]
    table = torch.tensor(edges).t()
    places = {"tok": tok, "root": root, "group": group, "slot": slot}
    return places | {"edge_index": table[:2], "edge_rel": table[2]}, mask


@pytest.mark.parametrize("decay", ["multiplicative", "additive"])
@pytest.mark.parametrize("leaf_edges", ["star", "path"])
@pytest.mark.parametrize("pre_norm", [True, False])
def test_no_padding_gives_what_padding_gives(decay: str, leaf_edges: str, pre_norm: bool) -> None:
    torch.manual_seed(0)
    embedding = LeafyChainEmbedding(30, 16, 4, dropout=0.0, num_bases=None).eval()
    options = {"decay": decay, "leaf_edges": leaf_edges, "pre_norm": pre_norm}
    encoder = LeafyChainEncoder(16, 2, 2, 32, num_relations=4, **options).eval()
    with torch.no_grad():
        for parameter in (*embedding.parameters(), *encoder.bias.parameters()):
            parameter.normal_()

    padded, mask = grid()
    x = embedding(*(padded[key] for key in ("tok", "slot", "edge_index", "edge_rel"))).unsqueeze(0)
    places = (padded[key].unsqueeze(0) for key in ("root", "group", "slot"))
    bias = encoder.bias(*places, mask.unsqueeze(0), padded["edge_index"], padded["edge_rel"])
    for layer in encoder.layers:
        x = layer(x, bias, rotary_angles(padded["root"].unsqueeze(0), 8))
    wide = x if encoder.norm is None else encoder.norm(x)

    chain, skipped = build_chain(range(10, 10 + ROOTS), TRIPLES, LEAVES)
    assert not skipped
    flat = embedding(*(chain[key] for key in ("tok", "slot", "edge_index", "edge_rel")))
    narrow = encoder(flat, ChainStructure.of(chain.to_dict() | {"batch": torch.zeros_like(chain["tok"])}))
    assert narrow.size(0) == ROOTS + 6 < wide.size(1)
    torch.testing.assert_close(wide[0, mask], narrow, atol=1e-5, rtol=1e-5)
