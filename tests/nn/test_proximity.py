from __future__ import annotations

import torch

from graphmer_geo.data.fake import FAKE, fake_batch
from graphmer_geo.nn import EntityRankingHead, Names, QueryContext
from graphmer_geo.nn.proximity import LEVELS, Proximity


def test_starts_from_the_odds_it_is_given() -> None:
    proximity = Proximity(8, 3)
    relation, query = torch.tensor([0, 2]), torch.randn(2, 8)
    near = torch.randint(0, LEVELS, (2, 7), dtype=torch.int8)
    assert proximity(relation, query, near).abs().max() == 0
    odds = torch.randn(3, LEVELS)
    proximity.fit(odds)
    expected = [
        [odds[r, level].item() for level in row] for r, row in zip([0, 2], near.tolist(), strict=True)
    ]
    torch.testing.assert_close(proximity(relation, query, near), torch.tensor(expected))


def test_every_weight_learns() -> None:
    proximity = Proximity(8, 3)
    near = torch.arange(LEVELS).expand(2, LEVELS)
    scores = proximity(torch.tensor([1, 2]), torch.randn(2, 8), near)
    torch.nn.functional.cross_entropy(scores, torch.tensor([3, 4])).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in proximity.parameters())


def test_the_head_adds_it_where_levels_are_given() -> None:
    batch = fake_batch(4)
    torch.manual_seed(0)
    head = EntityRankingHead(16, FAKE.vocab_size, FAKE.num_relations, FAKE.num_kinds, buckets=64)
    assert head.proximity is not None
    head.proximity.fit(torch.randn(FAKE.num_relations, LEVELS))
    names = Names(batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    states = torch.randn(batch["tok"].numel(), 16)
    place = (batch[key] for key in ("tok", "slot", "batch", "ptr", "edge_index"))
    context = QueryContext(batch["rank_index"], batch["rank_rel"], states, *place)
    entity = head.entity_vectors(names, torch.randn(FAKE.vocab_size, 16))
    query = head.query_vectors(states[context.node], context.relation)
    expected = head(context, names, entity) + head.proximity(context.relation, query, batch["rank_near"])
    torch.testing.assert_close(head(context, names, entity, near=batch["rank_near"]), expected)
