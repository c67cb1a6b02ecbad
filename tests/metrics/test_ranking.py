from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmer_geo.errors import UserError
from graphmer_geo.metrics import expected_per_query, filtered_ranks, per_query, ranking_metrics, summarize


def reference_rank(scores: list[float], target: int, known: set[int]) -> float:
    """Mean of the best and the worst position of the target over all orders that the scores allow."""
    rivals = [s for c, s in enumerate(scores) if c != target and c not in known]
    best = 1 + sum(s > scores[target] for s in rivals)
    worst = 1 + sum(s >= scores[target] for s in rivals)
    return (best + worst) / 2


def test_ranks_computed_by_hand() -> None:
    scores = torch.tensor([[5.0, 3.0, 3.0, 3.0], [1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]])
    ranks = filtered_ranks(scores, torch.tensor([1, 3, 2]))
    assert ranks.rank.tolist() == [3.0, 1.0, 2.5]  # ties: positions 2..4; best; 1..4
    assert ranks.candidates.tolist() == [4, 4, 4]
    metrics = ranking_metrics(scores, torch.tensor([1, 3, 2]))
    assert metrics["mrr"] == pytest.approx((1 / 3 + 1 + 0.4) / 3)
    assert metrics["hits@1"] == pytest.approx(1 / 3)
    assert metrics["hits@3"] == 1.0
    assert metrics["mean_rank"] == pytest.approx(6.5 / 3)
    assert metrics["count"] == 3


def test_other_true_answers_are_left_out() -> None:
    scores = torch.tensor([[9.0, 8.0, 7.0, 6.0]])
    as_pairs = filtered_ranks(scores, torch.tensor([2]), (torch.tensor([0, 0]), torch.tensor([0, 2])))
    as_mask = filtered_ranks(scores, torch.tensor([2]), torch.tensor([[True, False, True, False]]))
    assert as_pairs.rank.tolist() == as_mask.rank.tolist() == [2.0]
    assert as_pairs.candidates.tolist() == as_mask.candidates.tolist() == [3]  # the target stays


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_equal_to_the_definition(data: st.DataObject) -> None:
    queries, candidates = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 8))
    cells = st.integers(0, 3).map(float)
    scores = data.draw(
        st.lists(
            st.lists(cells, min_size=candidates, max_size=candidates), min_size=queries, max_size=queries
        )
    )
    target = data.draw(st.lists(st.integers(0, candidates - 1), min_size=queries, max_size=queries))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    mask = torch.tensor(random.random((queries, candidates)) < 0.4)
    found = filtered_ranks(torch.tensor(scores), torch.tensor(target), mask).rank.tolist()
    assert found == [
        reference_rank(scores[q], target[q], set(mask[q].nonzero().flatten().tolist()) - {target[q]})
        for q in range(queries)
    ]


def test_equal_to_pykeen() -> None:
    """PyKEEN masks other true answers with NaN; the filtered scores are then the same matrix as ours."""
    evaluation = pytest.importorskip("pykeen.evaluation")
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 6, (200, 30), generator=generator).float()  # many ties
    target = torch.randint(0, 30, (200,), generator=generator)
    known = torch.rand(200, 30, generator=generator) < 0.2
    rows = torch.arange(200)
    known[rows, target] = False
    evaluator = evaluation.RankBasedEvaluator()
    evaluator.process_scores_(
        hrt_batch=torch.stack([rows, rows, target], dim=1),
        target="tail",
        scores=scores.masked_fill(known, float("nan")),
        true_scores=scores[rows, target].unsqueeze(1),
    )
    theirs = evaluator.finalize()
    ours = ranking_metrics(scores, target, known)
    assert ours["mrr"] == pytest.approx(theirs.get_metric("tail.realistic.inverse_harmonic_mean_rank"))
    assert ours["mean_rank"] == pytest.approx(theirs.get_metric("tail.realistic.arithmetic_mean_rank"))
    for k in (1, 3, 10):
        assert ours[f"hits@{k}"] == pytest.approx(theirs.get_metric(f"tail.realistic.hits_at_{k}"))


def test_a_constant_scorer_gets_no_free_rank() -> None:
    ranks = filtered_ranks(torch.zeros(4, 101), torch.tensor([0, 1, 50, 100])).rank
    assert ranks.tolist() == [51.0] * 4


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="NaN"):
        filtered_ranks(torch.tensor([[1.0, float("nan")]]), torch.tensor([0]))
    with pytest.raises(UserError, match="not among its 2 candidates"):
        filtered_ranks(torch.zeros(1, 2), torch.tensor([2]))
    with pytest.raises(UserError, match="not among"):
        filtered_ranks(torch.zeros(1, 2), torch.tensor([-1]))
    with pytest.raises(UserError, match="one row of scores"):
        filtered_ranks(torch.zeros(2, 2), torch.tensor([0]))
    with pytest.raises(UserError, match="boolean mask"):
        filtered_ranks(torch.zeros(1, 2), torch.tensor([0]), torch.ones(1, 2))


def test_minus_infinity_ranks_last() -> None:
    scores = torch.tensor([[float("-inf"), 0.0, float("-inf")]])
    assert filtered_ranks(scores, torch.tensor([0])).rank.tolist() == [2.5]


def test_expectation_of_a_random_order() -> None:
    n = np.array([1, 2, 7, 40])
    expected = expected_per_query(n)
    for i, size in enumerate(n):
        every = per_query(np.arange(1, size + 1))
        for name, values in every.items():
            assert expected[name][i] == pytest.approx(values.mean())


def test_no_queries_make_no_score() -> None:
    values = per_query(np.array([1.0, 4.0]))
    assert summarize(values, np.array([False, False])) == {"count": 0}
    assert summarize(values, np.array([1]))["mrr"] == 0.25
