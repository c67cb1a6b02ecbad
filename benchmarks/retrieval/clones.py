"""Which functions are alike, overrides or edited copies; nothing in them tells their names."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from graphmer_geo.data.docstrings import find_docstring
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.functions import Piece, PieceFolder, chunk_table, pieces
from graphmer_geo.data.leafy_chain import LeafyChainData, TripleTable, assemble, root_tokens
from graphmer_geo.data.near_duplicates import jaccard, shingles
from graphmer_geo.data.pairs import PairConfig, Pairs
from graphmer_geo.data.words import CODE, WordTable
from graphmer_geo.errors import UserError

#: What says which methods override one another; chains are drawn without it.
TELLING = ("overrides", "overrides^-1")
#: Functions with more in common than this are edited copies of one another.
NEAR = 0.5
_COMMON = 200  # functions that share a 5-gram; one that more have tells no copies


@dataclass(frozen=True, eq=False)
class Functions:
    """The functions of a split without documentation and without their own names.

    Attributes:
        pairs: the functions, each also as a "query".
        entity: of each.
        relevant: task -> for each function, which others are alike.
    """

    pairs: Pairs
    entity: NDArray[np.int64]
    relevant: dict[str, list[NDArray[np.int64]]]

    def hide_names(self, chain: LeafyChainData, row: int) -> LeafyChainData:
        """The chain of a function without leaves that have its own simple name: they would tell."""
        labels = self.pairs.folder.entities["label"]
        own = _simple(labels[int(self.entity[row])].as_py())
        triples = TripleTable.from_chain(chain)
        kept = [n for n, tail in enumerate(triples.tail.tolist()) if _simple(labels[tail].as_py()) != own]
        return assemble(root_tokens(chain).numpy(), triples.take(np.array(kept, np.int64)))


def functions(folder: DataFolder, split: str, *, min_lines: int = 3, limit: int | None = None) -> Functions:
    """The functions of a split, and which are alike.

    Args:
        folder: prepared data.
        split: whose functions.
        min_lines: fewest lines of code.
        limit: the first so many.

    Raises:
        UserError: none are alike.
    """
    tokenizer, config = folder.tokenizer, PairConfig()
    labels, languages = folder.entities["label"], folder.entities["language"]
    found: list[Piece] = []
    for piece in pieces(folder, split):
        if piece.entity < 0 or len(found) == limit:
            continue
        text = piece.text(tokenizer)
        told = find_docstring(text, languages[piece.entity].as_py())
        own = re.escape(_simple(labels[piece.entity].as_py()).encode())
        hidden = [(m.start(), m.end()) for m in re.finditer(rb"(?<!\w)" + own + rb"(?!\w)", text)]
        bare = piece.without(hidden + ([(told.start, told.end)] if told else []), tokenizer)
        if sum(bool(line.strip()) for line in bare.text(tokenizer).splitlines()) >= min_lines:
            found.append(bare)
    entity = np.array([piece.entity for piece in found], np.int64)
    code = [piece.text(tokenizer).decode("utf-8", errors="replace") for piece in found]
    groups = _overrides(folder, entity)
    relevant = {"overrides": groups, "edited copies": _near(code)}
    if not any(len(others) for task in relevant.values() for others in task):
        raise UserError(f"no two functions of the {split} split are alike; prepare data from more code")
    table = chunk_table(found, tokenizer, config.roots)
    words = WordTable.of(([(CODE, text)] for text in code), config.buckets)
    pairs = Pairs(
        folder=PieceFolder.of(folder, table, TELLING), split=split, query=code,
        names=[""] * len(code), code=code, query_words=replace(words), code_words=words,
    )  # fmt: skip
    return Functions(pairs, entity, relevant)


def _simple(label: str) -> str:
    return label.rpartition(".")[2]


def _overrides(folder: DataFolder, entity: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The other functions that override the same method, or are it, directly or by way of others."""
    table, relation = folder.triples, folder.relations["overrides"]
    chosen = table["relation"].to_numpy() == relation
    graph = nx.Graph(
        zip(*(table[side].to_numpy()[chosen].tolist() for side in ("head", "tail")), strict=True)
    )
    rows: dict[int, list[int]] = defaultdict(list)
    group_of = {
        node: number for number, group in enumerate(nx.connected_components(graph)) for node in group
    }
    for row, node in enumerate(entity.tolist()):
        if node in group_of:
            rows[group_of[node]].append(row)
    none = np.zeros(0, np.int64)
    return [
        np.array([r for r in rows[group_of[node]] if r != row], np.int64) if node in group_of else none
        for row, node in enumerate(entity.tolist())
    ]


def _near(code: list[str]) -> list[NDArray[np.int64]]:
    """The other functions that share at least :data:`NEAR` of their token 5-grams; equal ones not."""
    grams = [shingles(text.encode()) for text in code]
    owners: dict[int, list[int]] = defaultdict(list)
    for row, found in enumerate(grams):
        for gram in found.tolist():
            owners[gram].append(row)
    candidates: list[set[int]] = [set() for _ in code]
    for rows in owners.values():
        if 1 < len(rows) <= _COMMON:
            for row in rows:
                candidates[row].update(rows)
    return [
        np.array(
            sorted(r for r in others if r != row and NEAR <= jaccard(grams[row], grams[r]) < 1.0), np.int64
        )
        for row, others in enumerate(candidates)
    ]
