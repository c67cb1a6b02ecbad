from __future__ import annotations

import numpy as np

from graphmer_geo.metrics import MaskedTokens, NGramBaseline, masked_tokens

CLS, SEP, MASK = 0, 1, 2


def test_backs_off_from_both_neighbours_to_the_unigram() -> None:
    train = [
        np.array([CLS, 5, 6, 7, SEP]),
        np.array([CLS, 5, 8, 9, SEP]),
        np.array([CLS, 5, 8, 4, 4, 4, SEP]),
    ]
    baseline = NGramBaseline(train, vocab_size=10, special=[CLS, SEP, MASK])
    assert baseline.unigram == 4  # 4 and 5 occur three times; the smaller id wins
    masked = MaskedTokens(
        label=np.array([6, 8, 9, 4]), left=np.array([5, 5, MASK, MASK]), right=np.array([7, 3, SEP, 3])
    )
    # 5 _ 7 → 6 (both); 5 _ ? → 8 (left); ? _ SEP → 4 beats 7 and 9 by the tie rule; nothing known → unigram
    assert baseline.predict(masked).tolist() == [6, 8, 4, 4]
    assert baseline.accuracy(masked) == {"unigram": 0.25, "n-gram": 0.75, "count": 4}


def test_neighbours_of_masked_roots() -> None:
    tok = np.array([CLS, MASK, 6, SEP, 9, CLS, 5, MASK, SEP])
    roots = np.array([True] * 4 + [False] + [True] * 4)
    masked = masked_tokens(tok, roots, np.array([1, 4, 7]), np.array([5, 9, 8]))  # node 4 is a leaf: left out
    assert masked.label.tolist() == [5, 8]
    assert masked.left.tolist() == [CLS, 5]
    assert masked.right.tolist() == [6, SEP]


def test_nothing_masked_makes_no_score() -> None:
    empty = np.array([], dtype=np.int64)
    baseline = NGramBaseline([np.array([CLS, 3, SEP])], vocab_size=4, special=[CLS, SEP])
    assert baseline.accuracy(MaskedTokens(empty, empty, empty)) == {"count": 0}
