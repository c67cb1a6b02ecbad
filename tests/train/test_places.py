from __future__ import annotations

import numpy as np
import pytest

from graphmer_geo.train.candidates import CandidateSampler
from graphmer_geo.train.places import (
    ELSEWHERE,
    OUTSIDE,
    SAME_FILE,
    SAME_SCOPE,
    SAME_UNIT,
    Places,
    file_of,
    log_odds,
)

from .test_candidates import batch

# 0 module a, 1 class A, 2 A.f, 3 A.x, 4 function g; 5 module a.b (below a), 6 h; 7 module c, 8 k; 9 external
PARENT = np.array([-1, 0, 1, 1, 0, 0, 5, -1, 7, -1])
MODULE = np.isin(np.arange(10), [0, 5, 7])
UNIT = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 2])
PLACES = Places(PARENT, file_of(PARENT, MODULE, np.zeros(10, bool)), UNIT, np.arange(10) == 9)


def test_a_file_is_the_nearest_module_or_the_top_level_type() -> None:
    assert PLACES.file.tolist() == [0, 0, 0, 0, 0, 5, 5, 7, 7, 9]
    # Java: package 0, type 1, method 2, type 3
    parent, package = np.array([-1, 0, 1, 0]), np.array([True, False, False, False])
    assert file_of(parent, np.zeros(4, bool), package).tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize(
    ("head", "tail", "level"),
    [
        (2, 3, SAME_SCOPE),  # siblings
        (1, 2, SAME_SCOPE),  # owner and member
        (2, 1, SAME_SCOPE),
        (2, 4, SAME_FILE),
        (2, 6, SAME_UNIT),
        (2, 8, ELSEWHERE),
        (2, 9, OUTSIDE),
        (9, 9, ELSEWHERE),
        (2, 2, ELSEWHERE),
        (0, 7, ELSEWHERE),  # both at the top, which is no common owner
    ],
)
def test_levels(head: int, tail: int, level: int) -> None:
    assert PLACES.level(np.array([head]), np.array([tail])).tolist() == [level]
    assert PLACES.level(np.array([[head]]), np.array([[tail]])).tolist() == [[level]]


def test_odds_are_per_candidate() -> None:
    """Two answers near and one outside; a head has one sibling and the corpus one external."""
    triples = np.array([[2, 1, 3], [3, 1, 2], [2, 1, 9]])
    odds = log_odds(PLACES, triples, {1: np.arange(10)}, num_relations=2)
    assert odds[0].tolist() == [0.0] * 5
    assert odds[1, SAME_SCOPE] > odds[1, SAME_FILE]
    assert odds[1, OUTSIDE] > odds[1, ELSEWHERE] == 0.0
    offered_scope, offered_elsewhere = 2 + 1, 3 + 1  # owner, sibling; 7, 8, the head itself; one added
    expected = np.log(2.5 / offered_scope) - np.log(0.5 / offered_elsewhere)
    assert odds[1, SAME_SCOPE] == pytest.approx(expected)


def test_candidates_from_the_files_of_the_heads() -> None:
    every = np.ones(10, dtype=bool)
    names = (np.arange(10), np.arange(11))
    kinds = np.zeros(10, dtype=np.int64)
    triples = np.array([[2, 1, 4], [8, 1, 9]])
    allowed = np.ones((2, 1), dtype=bool)
    sampler = CandidateSampler(kinds, names, every, triples, allowed, size=2, places=PLACES)
    rng, seen, log_q = np.random.default_rng(0), np.zeros(10), np.full(10, np.nan)
    for _ in range(3000):
        filled = sampler(batch([1], [2], [4]), rng)
        cand = filled["cand"].numpy()
        seen[cand] += 1
        log_q[cand] = filled["cand_log_q"].numpy()
        assert filled["rank_near"].tolist() == [PLACES.level(np.array([2] * len(cand)), cand).tolist()]
    near, far = seen[[0, 1, 3]] / 3000, seen[[5, 7, 9]] / 3000
    assert near == pytest.approx(np.exp(log_q[[0, 1, 3]]), abs=0.03)
    assert far == pytest.approx(np.exp(log_q[[5, 7, 9]]), abs=0.03)
    assert near.min() > far.max()
