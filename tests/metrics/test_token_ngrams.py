from __future__ import annotations

import numpy as np
import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.metrics import TokenNGrams, token_contexts

CLS, SEP, MASK, V = 0, 1, 2, 12
TRAIN = [np.array([CLS, 5, 6, 7, SEP]), np.array([CLS, 5, 8, 7, 6, SEP]), np.array([CLS, 4, 5, 6, 9, SEP])]
COLUMNS = ((2,), (1,), (1, 2), (0, 1, 2), (0, 1, 2, 3))


def slow(around: list[int], word: int) -> float:
    """The formula, by counting everything anew."""
    seen = []
    for sequence in TRAIN:
        padded = [CLS, CLS, *sequence.tolist(), CLS, CLS]
        for at in range(2, len(padded) - 2):
            if padded[at] not in (CLS, SEP, MASK):
                seen.append(([padded[at + k] for k in (-2, -1, 1, 2)], padded[at]))
    p = 0.0 if word in (CLS, SEP, MASK) else 1 / (V - 3)
    for columns in ((), *COLUMNS):
        here = [w for c, w in seen if all(c[k] == around[k] for k in columns)]
        if here:
            kinds = len(set(here))
            p = (here.count(word) + kinds * p) / (len(here) + kinds)
    return p


def test_interpolates_as_the_formula_says() -> None:
    ngrams = TokenNGrams(TRAIN, V, [CLS, SEP, MASK])
    around = np.array([[CLS, 5, 7, SEP], [CLS, 5, MASK, 7], [MASK, MASK, MASK, MASK], [4, 5, 9, SEP]])
    p = ngrams.probabilities(around)
    np.testing.assert_allclose(p.sum(1), 1.0)
    assert not p[:, [CLS, SEP, MASK]].any()
    for row, context in enumerate(around.tolist()):
        np.testing.assert_allclose(p[row], [slow(context, word) for word in range(V)])
    np.testing.assert_allclose(p[2], ngrams.unigram)
    assert p[0].argmax() == 6  # 6 and 8 stood between 5 and 7; only 6 with the end behind


def test_contexts_end_with_the_chunk() -> None:
    tok = np.array([CLS, 5, 6, SEP])
    assert token_contexts(tok, np.array([1, 2]), CLS).tolist() == [[CLS, CLS, 6, SEP], [CLS, 5, SEP, CLS]]
    assert token_contexts(tok, np.array([], np.int64), CLS).shape == (0, 4)


def test_a_vocabulary_that_keys_cannot_hold_is_refused() -> None:
    with pytest.raises(UserError, match="the vocabulary has 60000 tokens"):
        TokenNGrams(TRAIN, 60_000, [CLS])
