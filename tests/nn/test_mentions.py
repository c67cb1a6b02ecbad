from __future__ import annotations

import torch

from graphmer_geo.nn import TokenSalience
from graphmer_geo.nn.mentions import find_mentions

VOCABULARY = [b"<cls>", b"get", b" get", b"_", b"item", b"Get", b"(", b".", b"run", b"a"]
ID = {token: i for i, token in enumerate(VOCABULARY)}


def mentions_of(names: list[bytes], chunk: list[bytes], leaves: tuple[bytes, ...] = ()) -> list[list[int]]:
    """Places in ``chunk`` where each name is written; names and chunk are split at blanks into tokens."""
    salience = TokenSalience(len(VOCABULARY))
    salience.set_vocabulary(VOCABULARY)
    split = [[ID[token] for token in name.split(b"|")] for name in names]
    ptr = torch.tensor([0, *map(len, split)]).cumsum(0)
    tok = torch.tensor([ID[token] for token in (*chunk, *leaves)]).long()
    is_root = torch.arange(len(tok)) < len(chunk)
    flat = torch.tensor([token for name in split for token in name]).long()
    found = find_mentions(tok, is_root, torch.zeros_like(tok), flat, ptr, salience)
    return [(found.at_node == row).nonzero().flatten().tolist() for row in found.row.tolist()]


def test_whole_words_up_to_spelling() -> None:
    chunk = [b"<cls>", b" get", b"_", b"item", b"(", b"get", b".", b"item"]
    names = [b"get", b"get|_|item", b"item", b"_", b"run"]
    assert mentions_of(names, chunk) == [[5], [1], [7], [], []]


def test_last_component_decides() -> None:
    assert mentions_of([b"run|.|item", b"Get|.|get|_|item", b"run|."], [b"(", b"item", b".", b"get"]) == [
        [1],
        [],
        [],
    ]


def test_leaves_and_other_graphs_are_not_read_on() -> None:
    assert mentions_of([b"get|_|item", b"item"], [b"(", b" get", b"_"], (b"item",)) == [[], []]
    salience = TokenSalience(len(VOCABULARY))
    salience.set_vocabulary(VOCABULARY)
    tok, batch = torch.tensor([1, 3, 4]), torch.tensor([0, 0, 1])
    name, ptr = torch.tensor([1, 3, 4, 4]), torch.tensor([0, 3, 4])
    found = find_mentions(tok, torch.ones(3).bool(), batch, name, ptr, salience)
    assert found.at_node.tolist() == [-1, -1, found.row[1]]


def test_nothing_to_find() -> None:
    assert mentions_of([], [b"get"]) == []
    assert mentions_of([b"get"], []) == [[]]
