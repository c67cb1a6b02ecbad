from __future__ import annotations

import numpy as np
import pytest
import torch

from graphmer_geo.errors import UserError
from graphmer_geo.train.candidates import CandidateSampler, TrueTails

# entities 0..9 functions (kind 0), 10..14 classes (1), 15..19 external (2); train knows neither 4 nor 14
KINDS = np.repeat([0, 1, 2], [10, 5, 5]).astype(np.int64)
CALLS, RAISES = 1, 2
ALLOWED = np.array([[0, 0, 0], [1, 0, 1], [0, 1, 1]], dtype=bool)
TRIPLES = np.array(
    [[0, CALLS, 1], [0, CALLS, 2], [3, CALLS, 1], [5, CALLS, 15], [0, RAISES, 10], [1, RAISES, 16]]
)


def sampler(size: int = 6) -> CandidateSampler:
    eligible = ~np.isin(np.arange(20), [4, 14])
    lengths = np.arange(20) % 3 + 1
    start = np.concatenate([[0], np.cumsum(lengths)])
    return CandidateSampler(KINDS, (np.arange(start[-1]), start), eligible, TRIPLES, ALLOWED, size)


def batch(rel: list[int], head: list[int], tail: list[int]) -> dict[str, torch.Tensor]:
    columns = {"rank_rel": rel, "rank_head": head, "rank_tail": tail}
    return {name: torch.tensor(values, dtype=torch.long) for name, values in columns.items()}


def test_the_pool_holds_every_answer_and_admissible_entities_only() -> None:
    filled = sampler()(batch([CALLS, RAISES], [0, 0], [1, 10]), np.random.default_rng(0))
    cand = filled["cand"].numpy()
    assert cand[filled["rank_target"]].tolist() == [1, 10]
    assert len(set(cand)) == len(cand)
    assert not {4, 14} & set(cand)
    assert filled["rank_allowed"].shape == (2, len(cand))
    for q, relation in enumerate([CALLS, RAISES]):
        chosen = cand[filled["rank_allowed"][q].numpy()]
        assert ALLOWED[relation][KINDS[chosen]].all()


def test_other_true_tails_are_not_negatives() -> None:
    every = sampler(size=100)(batch([CALLS, CALLS], [0, 3], [1, 1]), np.random.default_rng(0))
    column = int((every["cand"] == 2).nonzero())
    assert every["rank_allowed"][:, column].tolist() == [False, True]  # 0 calls 2 as well, 3 does not
    assert every["rank_allowed"][torch.arange(2), every["rank_target"]].all()


def test_an_answer_of_a_forbidden_kind_is_still_allowed_for_its_own_query() -> None:
    filled = sampler()(batch([RAISES, RAISES], [0, 1], [7, 10]), np.random.default_rng(0))
    column = int(filled["rank_target"][0])
    assert filled["rank_allowed"][:, column].tolist() == [True, False]


def test_names_are_gathered() -> None:
    filled = sampler()(batch([CALLS], [0], [1]), np.random.default_rng(1))
    tok, start = sampler().names
    for i, entity in enumerate(filled["cand"].tolist()):
        name = filled["cand_tok"][filled["cand_ptr"][i] : filled["cand_ptr"][i + 1]]
        assert name.tolist() == tok[start[entity] : start[entity + 1]].tolist()
    assert filled["cand_kind"].tolist() == KINDS[filled["cand"]].tolist()


def test_log_q_is_the_rate_of_being_drawn() -> None:
    """Draw many batches as training does and compare how often each entity enters as a negative."""
    draw, rng = sampler(size=4), np.random.default_rng(0)
    rounds, queries = 4000, 3
    seen = np.zeros(20)
    calls = TRIPLES[TRIPLES[:, 1] == CALLS]
    log_q = np.full(20, np.nan)
    for _ in range(rounds):
        rows = calls[rng.integers(len(calls), size=queries)]
        filled = draw(batch(rows[:, 1].tolist(), rows[:, 0].tolist(), rows[:, 2].tolist()), rng)
        cand = filled["cand"].numpy()
        log_q[cand] = filled["cand_log_q"].numpy()
        others = set(rows[1:, 2])  # the first query's view: answers of the others, and draws
        drawn = set(cand) if rows[0, 2] in others else set(cand) - {rows[0, 2]}
        seen[list(drawn)] += 1
    rare = [6, 7, 17]  # never an answer: only drawn, 4 of the 14 admissible
    assert np.exp(log_q[rare]) == pytest.approx(4 / 14, abs=1e-6)
    assert seen[rare] / rounds == pytest.approx(4 / 14, abs=0.03)
    assert np.exp(log_q[1]) == pytest.approx(1 - (10 / 14) * 0.5**2)  # half of all answers
    assert np.exp(log_q[1]) > np.exp(log_q[2]) > np.exp(log_q[6])


def test_a_batch_without_queries_has_an_empty_pool() -> None:
    filled = sampler()(batch([], [], []), np.random.default_rng(0))
    assert filled["cand"].shape == (0,)
    assert filled["rank_allowed"].shape == (0, 0)
    assert filled["cand_ptr"].tolist() == [0]


def test_deterministic() -> None:
    a, b = (sampler()(batch([CALLS], [0], [1]), np.random.default_rng(7)) for _ in range(2))
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_known_answers_equal_a_scan() -> None:
    rng = np.random.default_rng(0)
    triples = rng.integers(0, 6, (80, 3))
    known = TrueTails(triples, 6)
    head, relation = np.divmod(np.arange(36), 6)
    query, answer = known.of(head, relation)
    for q in range(36):
        expected = sorted({t for h, r, t in triples.tolist() if (h, r) == (head[q], relation[q])})
        assert answer[query == q].tolist() == expected
    rows = np.unique(triples, axis=0)
    for r in range(6):
        tails = rows[rows[:, 1] == r, 2]
        assert known.frequency(r, np.arange(6)) == pytest.approx(np.bincount(tails, minlength=6) / len(tails))
    assert known.frequency(9, np.arange(6)).tolist() == [0.0] * 6


def test_an_empty_pool_size_is_refused() -> None:
    with pytest.raises(UserError, match="at least 1"):
        sampler(size=0)
