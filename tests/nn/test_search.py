from __future__ import annotations

import copy
import math
from collections import Counter

import pytest
import torch
from torch import Tensor

from graphmer_geo.nn.names import LOG_GAIN
from graphmer_geo.nn.search import FIELDS, Bags, SearchHead, WordMatch

BUCKETS = 20


def bags(texts: list[list[tuple[int, int]]]) -> Bags:
    """From (field, word) of each text."""
    rows, words, fields, times = [], [], [], []
    for row, text in enumerate(texts):
        for (field, word), n in Counter(text).items():
            rows.append(row)
            words.append(word)
            fields.append(field)
            times.append(float(n))
    columns = (torch.tensor(column, dtype=torch.long) for column in (rows, words, fields))
    return Bags(*columns, torch.tensor(times), len(texts))


def drawn(seed: int, rows: int) -> list[list[tuple[int, int]]]:
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for _ in range(rows):
        size = int(torch.randint(0, 12, (), generator=generator))
        pairs = torch.randint(0, BUCKETS * 3, (size,), generator=generator).tolist()
        texts.append([(pair % 3, pair // 3) for pair in pairs])
    return texts


def test_untrained_it_is_bm25() -> None:
    """Against the formula, word by word."""
    codes, queries = drawn(0, 9), drawn(1, 4)
    match = WordMatch(BUCKETS)
    match.fit(bags(codes))
    weight = (LOG_GAIN * match.field_weight).exp().tolist()
    k, b, n = 1.2, 0.75, len(codes)
    length = [sum(weight[field] for field, _ in code) for code in codes]
    mean = sum(length) / n
    scores = match(bags(queries), bags(codes))
    assert scores.shape == (4, 9)
    for q, query in enumerate(queries):
        for c, code in enumerate(codes):
            total = 0.0
            for word in {word for _, word in query}:
                df = sum(word in {w for _, w in other} for other in codes)
                tf = sum(weight[field] for field, w in code if w == word)
                idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
                total += idf * (k + 1) * tf / (tf + k * (1 - b + b * length[c] / mean)) if tf else 0.0
            assert float(scores[q, c]) == pytest.approx(total, rel=1e-4, abs=1e-5)


def test_postings_are_the_same_sum() -> None:
    match = WordMatch(BUCKETS)
    with torch.no_grad():
        match.gain.normal_()
    codes, queries = bags(drawn(2, 6)), bags(drawn(3, 5))
    row, word, value = match.postings(codes)
    dense = torch.zeros(6, BUCKETS).index_put((row, word), value)
    asked = torch.zeros(5, BUCKETS)
    asked[queries.row, queries.word] = match.query_weight(queries.word)
    torch.testing.assert_close(match(queries, codes), asked @ dense.t())
    assert (row[1:] * BUCKETS + word[1:] > row[:-1] * BUCKETS + word[:-1]).all()


@pytest.mark.parametrize(("queries", "codes"), [([[]], [[]]), ([[(0, 1)]], [[], []]), ([[], []], [[(1, 2)]])])
def test_empty_texts_share_nothing(queries, codes) -> None:
    assert not WordMatch(BUCKETS)(bags(queries), bags(codes)).any()


def head_and_inputs() -> tuple[SearchHead, tuple[Tensor, ...]]:
    torch.manual_seed(0)
    head = SearchHead(8, 30, BUCKETS)
    graph = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3])
    states, embedding = torch.randn(8, 8), torch.randn(30, 8)
    return head, (states, torch.randint(30, (8,)), graph, embedding, torch.tensor([False, False, True, True]))


def test_vectors_have_unit_length_and_every_parameter_learns() -> None:
    head, inputs = head_and_inputs()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    vectors = head.vectors(*inputs)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))
    words = bags([[(0, 1), (1, 2)], [(1, 3), (2, 3)]])
    scores = head(vectors[:2], vectors[2:], bags([[(0, 1), (0, 3)], [(0, 2), (0, 3)]]), words)
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1])).backward()
    assert len(FIELDS) == head.words.field_weight.numel()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_graphs_do_not_see_each_other() -> None:
    head, (states, tok, graph, embedding, is_code) = head_and_inputs()
    whole = head.vectors(states, tok, graph, embedding, is_code)
    for number in range(4):
        own = graph == number
        place = torch.zeros_like(graph[own])
        alone = head.vectors(states[own], tok[own], place, embedding, is_code[[number]])
        torch.testing.assert_close(alone[0], whole[number])


def test_reset_draws_what_construction_drew() -> None:
    torch.manual_seed(3)
    head = SearchHead(8, 30, BUCKETS)
    drawn = copy.deepcopy(head.state_dict())
    torch.manual_seed(3)
    head.reset_parameters()
    for key, value in head.state_dict().items():
        assert torch.equal(value, drawn[key]), key
