"""Pairs to learn search from: what the documentation of a function says, and the function without it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphmer_geo.data.config import _Config
from graphmer_geo.data.docstrings import find_docstring
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.functions import Piece, PieceFolder, chunk_table, pieces
from graphmer_geo.data.tokenizer import CodeTokenizer
from graphmer_geo.data.words import WordTable, function_texts
from graphmer_geo.errors import UserError
from graphmer_geo.metrics.lexical import sub_tokens

_SPECIAL_NAME = re.compile(r"__\w+__")


@dataclass(frozen=True)
class PairConfig(_Config):
    """Which functions make pairs, and how they are learnt from.

    Attributes:
        min_words: Fewest words of a summary.
        min_lines: Fewest lines of code, documentation and empty ones not counted.
        per_batch: Pairs of a batch: every other function of the batch is a wrong answer.
        same_unit: Pairs of one package that come together: near neighbours are the hard wrong answers.
        roots: Most tokens of a function that the encoder reads; words are taken from all of it.
        leafless: Share of functions that come without leaves, as code does that has no graph.
        buckets: Buckets of shared words.
    """

    min_words: int = 3
    min_lines: int = 3
    per_batch: int = 64
    same_unit: int = 32
    roots: int = 128
    leafless: float = 0.2
    buckets: int = 65536

    def __post_init__(self) -> None:
        for name in ("min_words", "min_lines", "same_unit", "buckets", "roots"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.per_batch < 2:
            raise UserError(f"per_batch is {self.per_batch}; a pair needs at least one other as wrong answer")
        if not 0 <= self.leafless <= 1:
            raise UserError(f"leafless is {self.leafless}; give a share between 0 and 1")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Queries and their functions, number by number.

    Attributes:
        folder: Prepared data whose chunks are the functions, for :class:`LeafyChainDataset`.
        split: Where they were mined.
        query: What is asked.
        names: Labels of the functions.
        code: Their source without documentation.
        query_words: Words of the queries.
        code_words: Words of name and code.
        skipped: Reason -> number of functions that make no pair.
    """

    folder: PieceFolder
    split: str
    query: list[str]
    names: list[str]
    code: list[str]
    query_words: WordTable
    code_words: WordTable
    skipped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.query)


def mine_pairs(folder: DataFolder, split: str, config: PairConfig | None = None) -> Pairs:
    """Pairs of the documented functions of one split, and of no other.

    Special methods (``__init__``) are left out, and so is a summary that several functions of the split have:
    it asks for none of them.

    Args:
        folder: Prepared data.
        split: "train", "validation" or "test".
        config: Which functions make pairs.

    Raises:
        UserError: There is no such split, or it documents nothing.
    """
    config, tokenizer = config or PairConfig(), folder.tokenizer
    skipped: Counter[str] = Counter()
    found = list(_documented(folder, pieces(folder, split), config, skipped))
    labels = folder.entities["label"]
    times = Counter(_key(query) for query, _ in found)
    kept = [(query, piece) for query, piece in found if times[_key(query)] == 1]
    skipped["summary of several"] = len(found) - len(kept)
    if not kept:
        raise UserError(
            f"no function of the {split} split of {str(folder.path)!r} has documentation to search by; "
            "prepare data from documented code"
        )
    names = [labels[piece.entity].as_py() for _, piece in kept]
    code = [_text(piece, tokenizer) for _, piece in kept]
    roots = min(config.roots, folder.manifest.config.max_roots)
    table = chunk_table((piece for _, piece in kept), tokenizer, roots)
    texts = (function_texts(name, text) for name, text in zip(names, code, strict=True))
    return Pairs(
        folder=PieceFolder.of(folder, table),
        split=split,
        query=[query for query, _ in kept],
        names=names,
        code=code,
        query_words=WordTable.of(([(0, query)] for query, _ in kept), config.buckets),
        code_words=WordTable.of(texts, config.buckets),
        skipped=dict(sorted(skipped.items())),
    )


def _documented(
    folder: DataFolder, functions: Iterator[Piece], config: PairConfig, skipped: Counter[str]
) -> Iterator[tuple[str, Piece]]:
    tokenizer = folder.tokenizer
    labels, languages = folder.entities["label"], folder.entities["language"]
    for piece in functions:
        name = labels[piece.entity].as_py() if piece.entity >= 0 else ""
        if not name or _SPECIAL_NAME.fullmatch(name.rpartition(".")[2]):
            skipped["special or without name"] += 1
            continue
        found = find_docstring(piece.text(tokenizer), languages[piece.entity].as_py())
        if found is None:
            skipped["no documentation"] += 1
            continue
        bare = piece.without([(found.start, found.end)], tokenizer)
        lines = sum(bool(line.strip()) for line in bare.text(tokenizer).splitlines())
        if len(sub_tokens(found.summary)) < config.min_words:
            skipped["summary too short"] += 1
        elif lines < config.min_lines:
            skipped["code too short"] += 1
        else:
            yield found.summary, bare


def _text(piece: Piece, tokenizer: CodeTokenizer) -> str:
    return piece.text(tokenizer).decode("utf-8", errors="replace")


def _key(query: str) -> str:
    return " ".join(sub_tokens(query))
