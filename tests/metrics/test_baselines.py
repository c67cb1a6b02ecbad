from __future__ import annotations

import numpy as np
import pytest

from graphmer_geo.metrics import (
    Combined,
    Entities,
    LexicalCopy,
    Nearness,
    Queries,
    TailFrequency,
    Variant,
)
from graphmer_geo.metrics.lexical import FeatureIndex, identifiers, sub_tokens, trigrams

LABELS = ["str", "Response", "Response", "HTTPError", "Client.get_response", "run"]
KINDS = np.array([0, 1, 1, 1, 2, 2])
RETURNS, RAISES = 1, 2


@pytest.fixture
def entities() -> Entities:
    return Entities(LABELS, KINDS)


def queries(relation: int, head: list[int], text: str = "") -> Queries:
    n = len(head)
    zeros = np.zeros(n, dtype=np.int64)
    return Queries(
        np.full(n, relation), np.array(head), zeros, zeros.astype(bool), zeros, [text], np.arange(n)
    )


def test_frequency_orders_by_count_and_backs_off_to_labels(entities: Entities) -> None:
    triples = np.array([[5, RETURNS, 0]] * 3 + [[5, RETURNS, 1]] * 2 + [[5, RAISES, 3]])
    every, scorer = np.arange(6), Variant(TailFrequency(entities, triples), "entity")
    returns = scorer.scores(queries(RETURNS, [5]), every)[0]
    # seen thrice > seen twice > same label as a seen one > same kind as a seen one > unrelated kind
    assert returns[0] > returns[1] > returns[2] > returns[3] > returns[4] == returns[5]
    raises = scorer.scores(queries(RAISES, [5]), every)[0]
    assert raises.argmax() == 3
    assert len(set(scorer.scores(queries(7, [5]), every)[0])) == 1  # unseen in train: all tied


def test_frequency_by_label_shares_a_count_among_namesakes(entities: Entities) -> None:
    triples = np.array([[5, RETURNS, 0]] * 3 + [[5, RETURNS, 1]] * 4)
    frequency, asked, every = TailFrequency(entities, triples), queries(RETURNS, [5]), np.arange(6)
    divided = Variant(frequency, "label").scores(asked, every)[0]
    assert (
        divided[0] > divided[1] > divided[2] > divided[3]
    )  # 3 for str; 4 divided by the two called Response
    whole = Variant(frequency, "label, not divided").scores(asked, every)[0]
    assert whole[1] > whole[2] > whole[0]


def test_copy_reads_the_head_and_the_chunk(entities: Entities) -> None:
    copy = LexicalCopy(entities)
    head = Variant(copy, "head").scores(queries(RETURNS, [4]), np.array([0, 1, 3]))
    assert head[0].argmax() == 1  # get_response → Response
    text = "def f(self):\n    raise HTTPError(1)"
    for variant in ("words", "identifier", "identifier + words"):
        scores = Variant(copy, variant).scores(queries(RAISES, [5], text), np.arange(6))
        assert scores[0].argmax() == 3, variant
    near = Variant(copy, "identifier").scores(queries(RAISES, [5], "HTTPErrors"), np.array([3]))
    assert near[0, 0] < 0.5


def level(head: np.ndarray, tail: np.ndarray) -> np.ndarray:
    return (np.abs(head - tail) < 2).astype(int)


def test_nearness_uses_the_odds_of_the_relation() -> None:
    nearness = Nearness(level, np.array([[0.0, 0.0], [0.0, 5.0], [0.0, -1.0]]))
    scores = Variant(nearness, "counted").scores(queries(RETURNS, [4, 0]), np.arange(6))
    assert scores.tolist() == [[0, 0, 0, 5, 5, 5], [5, 5, 0, 0, 0, 0]]


def test_all_three_together_break_ties_of_one_by_the_others(entities: Entities) -> None:
    triples = np.array([[5, RAISES, 0], [5, RAISES, 3]])
    nearness = Nearness(level, np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 5.0]]))
    both = Combined(TailFrequency(entities, triples), LexicalCopy(entities), nearness)
    asked, every = queries(RAISES, [5], "raise HTTPError"), np.arange(6)
    assert Variant(both, "entity + 3 × identifier").scores(asked, every)[0].argmax() == 3
    asked = queries(RAISES, [1], "")
    near = Variant(both, "entity + 1 × words + nearness").scores(asked, every)[0]
    assert near[0] > near[3]  # as frequent, and near
    assert near[1] > near[4]  # never an answer, but near
    assert len(both.variants) == len(set(both.variants)) == 2 * 2 * 4 * len(LexicalCopy.variants)


def test_features() -> None:
    assert sub_tokens("getHTTPResponse_2x") == ["get", "http", "response", "2", "x"]
    assert identifiers("a.b_1(2, ünder)") == ["a", "b_1", "ünder"]
    assert trigrams("Ab") == ["^ab", "ab$"]


def test_overlap_equals_set_intersection() -> None:
    names = ["getName", "name", "x", "setFullName", ""]
    texts = ["full name", "get", ""]
    rows = np.array([3, 0, 4])
    expected = [[len(set(sub_tokens(names[r])) & set(sub_tokens(t))) for r in rows] for t in texts]
    assert FeatureIndex(names, sub_tokens).overlap(texts, rows).tolist() == expected
