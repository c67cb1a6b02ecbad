from __future__ import annotations

import torch

from graphmer_geo.nn import LeafyChainEmbedding

TOK = torch.tensor([5, 6, 7, 8, 2, 2])
SLOT = torch.tensor([-1, -1, -1, -1, 0, 1])
EDGES, RELATION = torch.tensor([[0, 1, 0, 1], [4, 4, 5, 5]]), torch.tensor([3, 3, 3, 3])


def test_sum_of_its_terms() -> None:
    embedding = LeafyChainEmbedding(10, 8, 4, num_bases=2).eval()
    token = embedding.token(TOK)
    out = embedding(TOK, SLOT, EDGES, RELATION)
    assert torch.equal(out[:4], token[:4])
    expected = token + embedding.hgat(token, EDGES, RELATION)
    expected = expected[4:] + embedding.slot(SLOT[4:]) + embedding.relation(RELATION[:1])
    torch.testing.assert_close(out[4:], expected)


def test_the_papers_form_with_slots() -> None:
    embedding = LeafyChainEmbedding(10, 8, 4, num_bases=None, relation_embedding=False).eval()
    out = embedding(TOK, SLOT, EDGES, RELATION) - embedding.token(TOK)
    assert torch.allclose(out[4] - out[5], embedding.slot.weight[0] - embedding.slot.weight[1], atol=1e-6)
    without = LeafyChainEmbedding(10, 8, 4, hgat=False, relation_embedding=False)
    assert {name for name, _ in without.named_parameters()} == {"token.weight", "slot.weight"}


def test_no_leaves_and_long_tails() -> None:
    embedding = LeafyChainEmbedding(10, 8, 4, max_slots=2).eval()
    nothing = torch.empty(2, 0, dtype=torch.long)
    out = embedding(TOK[:4], SLOT[:4], nothing, nothing[0])
    assert torch.equal(out, embedding.token(TOK[:4]))
    assert embedding(TOK, SLOT + 7 * (SLOT >= 0), EDGES, RELATION).shape == (6, 8)


def test_one_triple_does_not_touch_another() -> None:
    # In the authors' code one bad triple switches fusion off for the whole batch.
    embedding = LeafyChainEmbedding(10, 8, 4).eval()
    tok, slot = torch.cat((TOK, TOK)), torch.cat((SLOT, SLOT))
    edges = torch.cat((EDGES, EDGES[:, :0] + 6), dim=1)  # the second graph's leaves lack their head edges
    out = embedding(tok, slot, edges, RELATION)
    torch.testing.assert_close(out[:6], embedding(TOK, SLOT, EDGES, RELATION))


def test_fusion_does_not_ask_for_token_ids() -> None:
    """The authors' code takes leaves with token 0 for PAD, so with another tokenizer none is fused."""
    embedding = LeafyChainEmbedding(10, 8, 4, relation_embedding=False, max_slots=0).eval()
    for token in range(10):
        out = embedding(torch.tensor([5, 6, 7, 8, token, token]), SLOT, EDGES, RELATION)
        assert (out[4:] - embedding.token.weight[token]).abs().max() > 1e-4
