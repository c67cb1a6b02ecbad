from __future__ import annotations

import torch

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
