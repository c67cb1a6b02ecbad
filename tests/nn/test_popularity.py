from __future__ import annotations

from collections import Counter

import torch

from graphmer_geo.nn import NamePopularity, Names

DOT = 0
SEPARATOR = torch.tensor([True] + [False] * 49)
SPELT = [(1, DOT, 2), (2,), (3, DOT, 2), (2, 1), (1, 2), (4, DOT), (5, 6, DOT, 7, 8)]
NAMES = Names(
    torch.tensor([t for name in SPELT for t in name]),
    torch.tensor([0, *map(len, SPELT)]).cumsum(0),
    torch.zeros(len(SPELT)).long(),
)


def last(name: tuple[int, ...]) -> tuple[int, ...]:
    ends = [k + 1 for k in range(len(name) - 1) if name[k] == DOT]
    return name[max(ends, default=0) :]


def make(counted: list[tuple[int, int]]) -> NamePopularity:
    torch.manual_seed(0)
    module = NamePopularity(6, 3, rank=4, buckets=1024)
    table = torch.tensor(counted)
    module.count(table[:, 0], table[:, 1], NAMES, SEPARATOR)
    return module


def test_counts_whole_names_and_last_components() -> None:
    counted = [(1, 0), (1, 0), (1, 1), (2, 2), (1, 3), (2, 6), (1, 5)]
    module, entity = make(counted), torch.zeros(len(SPELT), 6)
    whole = Counter((r, SPELT[c]) for r, c in counted)
    end = Counter((r, last(SPELT[c])) for r, c in counted)
    with torch.no_grad():
        module.relation_weight.copy_(torch.tensor([[0.5, 0.1], [1.0, 0.3], [2.0, 0.7]]))
        weight = 5 * (module.count_weight + module.relation_weight)
    relation = torch.tensor([1, 2, 0])
    expected = [
        [
            weight[r, 0] * torch.tensor(1.0 + whole[r, name]).log()
            + weight[r, 1] * torch.tensor(1.0 + end[r, last(name)]).log()
            for name in SPELT
        ]
        for r in relation.tolist()
    ]
    found = module(relation, entity, NAMES, SEPARATOR)
    torch.testing.assert_close(found, torch.tensor([[float(value) for value in row] for row in expected]))


def test_own_count_is_left_out() -> None:
    module, entity = make([(1, 1)]), torch.zeros(len(SPELT), 6)
    scores = module(torch.tensor([1, 1]), entity, NAMES, SEPARATOR, target=torch.tensor([1, 3]))
    assert scores[0, 1] == 0
    assert scores[1, 1] > 0
    assert scores.min() >= 0


def test_counting_again_replaces() -> None:
    module = make([(1, 1), (1, 1)])
    before = module.counts.clone()
    module.count(torch.tensor([1, 1]), torch.tensor([1, 1]), NAMES, SEPARATOR)
    assert torch.equal(module.counts, before)


def test_learned_term_is_bilinear() -> None:
    module, entity = make([(0, 0)]), torch.randn(len(SPELT), 6)
    expected = module.relation[2] @ module.entity @ entity.t()
    torch.testing.assert_close(module(torch.tensor([2]), entity, NAMES, SEPARATOR)[0], expected)
