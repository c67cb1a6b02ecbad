from __future__ import annotations

import pytest
import torch
from torch.nn.functional import gelu

from graphmer_geo.data.fake import FAKE, fake_batch
from graphmer_geo.nn import EntityRankingHead, LMHead, Names, QueryContext


def test_lm_head_is_tied_without_owning_the_embedding() -> None:
    head, embedding, states = LMHead(8, 20), torch.randn(20, 8), torch.randn(3, 8)
    expected = head.norm(gelu(head.transform(states))) @ embedding.t() + head.bias
    torch.testing.assert_close(head(states, embedding), expected)
    assert {tuple(p.shape) for p in head.parameters()} == {(8, 8), (8,), (20,)}


def make_head(**switches: bool) -> EntityRankingHead:
    torch.manual_seed(0)
    return EntityRankingHead(16, FAKE.vocab_size, FAKE.num_relations, FAKE.num_kinds, buckets=64, **switches)


def test_scores_are_the_documented_sum() -> None:
    batch, embedding = fake_batch(5), torch.randn(FAKE.vocab_size, 16)
    names = Names(batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    states = torch.randn(batch["tok"].numel(), 16)
    place = (batch[key] for key in ("tok", "slot", "batch", "ptr", "edge_index"))
    context = QueryContext(batch["rank_index"], batch["rank_rel"], states, *place)
    head = make_head()
    entity, weighted = head.entity_vectors(names, embedding), head.salience(names)
    query = head.query_vectors(states[context.node], context.relation)
    products = head.log_scale.exp() * query @ entity.t() / 4
    expected = products
    expected = expected + head.popularity(context.relation, entity, names, head.salience.separator)
    expected = expected + head.lexical(context, query, names, weighted, head.salience)
    torch.testing.assert_close(head(context, names, entity), expected)
    bare = make_head(lexical_features=False, popularity=False)
    bare.load_state_dict(head.state_dict(), strict=False)
    assert bare.lexical is None
    assert bare.popularity is None
    torch.testing.assert_close(bare(context, names, entity), products)


def test_states_and_names_share_a_space_from_the_start() -> None:
    # A state that equals a name's mean token embedding finds that name among all, before any training.
    head, batch = make_head(), fake_batch(3)
    embedding = torch.randn(FAKE.vocab_size, 16)
    names = Names(batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    means = torch.stack([embedding[names.tok[a:b]].mean(0) for a, b in names.ptr.unfold(0, 2, 1).tolist()])
    query = head.query_vectors(means, torch.ones(len(means)).long())
    best = (query @ head.entity_vectors(names, embedding).t()).argmax(1)
    assert (best == torch.arange(len(means))).float().mean() > 0.9


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_are_float32(dtype: torch.dtype) -> None:
    batch, head = fake_batch(3), make_head()
    names = Names(batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    states = torch.randn(batch["tok"].numel(), 16, dtype=dtype)
    place = (batch[key] for key in ("tok", "slot", "batch", "ptr", "edge_index"))
    context = QueryContext(batch["rank_index"], batch["rank_rel"], states, *place)
    with torch.autocast("cpu", torch.bfloat16):
        entity = head.entity_vectors(names, torch.randn(FAKE.vocab_size, 16))
        assert head(context, names, entity).dtype == torch.float32
