from __future__ import annotations

import numpy as np

from graphmer_geo.metrics import CharacterNGrams, Entities, Queries

LABELS = ["open_file", "FileError", "open_socket", "SocketError", "open_window", "WindowError", "unrelated"]


def query(head: int, relation: int = 1) -> Queries:
    one = np.array([head])
    return Queries(
        relation=np.array([relation]), head=one, tail=one, visible=np.array([False]),
        chunk=np.array([0]), text=[""], row=np.array([0]),
    )  # fmt: skip


def scorer(triples: list[tuple[int, int, int]], **options: int) -> CharacterNGrams:
    rows = np.array(triples, dtype=np.int64).reshape(-1, 3)
    return CharacterNGrams(Entities(LABELS, np.zeros(len(LABELS), np.int64)), rows, **options)


def test_what_answered_like_named_heads_comes_first() -> None:
    made = scorer([(0, 1, 1), (2, 1, 3), (6, 2, 6)])
    every = np.arange(len(LABELS))
    for variant in made.variants:
        scores = made.combine(made.parts(query(4), every), variant)[0]
        assert scores.shape == (len(LABELS),)
        assert min(scores[[1, 3, 5]]) > max(scores[[0, 2, 6]])  # errors, a new one among them


def test_a_relation_that_train_lacks_is_a_tie() -> None:
    made = scorer([(0, 1, 1)])
    assert all(not part.any() for part in made.parts(query(0, relation=5), np.arange(3)))


def test_the_draw_of_voters_is_seeded() -> None:
    triples = [(0, 1, 1), (2, 1, 3), (4, 1, 5), (6, 1, 6)]
    every = np.arange(len(LABELS))
    one, two = (scorer(triples, most=2).parts(query(0), every)[0] for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, scorer(triples).parts(query(0), every)[0])
