"""Sparse name features: sub-tokens, identifiers and character trigrams, and products of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def sub_tokens(text: str) -> list[str]:
    """Lower-case words of identifiers: ``getHTTPResponse_2`` → get, http, response, 2."""
    return [word.lower() for word in _WORD.findall(text)]


def identifiers(text: str) -> list[str]:
    """Identifiers as written."""
    return _IDENTIFIER.findall(text)


def trigrams(text: str) -> list[str]:
    """Lower-case character trigrams, with word boundaries marked."""
    padded = f"^{text.lower()}$"
    return [padded[i : i + 3] for i in range(max(len(padded) - 2, 1))]


def last_component(label: str) -> str:
    """``Class.member`` → ``member``."""
    return label.rsplit(".", 1)[-1]


class FeatureIndex:
    """Binary bag-of-features rows of many names, to be compared with the features of a query.

    Args:
        names: one per row.
        features: from a text to its features.
    """

    def __init__(self, names: Sequence[str], features: Callable[[str], Iterable[str]]) -> None:
        self.features = features
        self.vocabulary: dict[str, int] = {}
        columns, lengths = [], []
        for name in names:
            found = sorted({self.vocabulary.setdefault(f, len(self.vocabulary)) for f in features(name)})
            columns.extend(found)
            lengths.append(len(found))
        self.columns = np.asarray(columns, dtype=np.int64)
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.start = np.concatenate([[0], np.cumsum(self.lengths)])

    def query_rows(self, texts: Sequence[str]) -> torch.Tensor:
        """Indicator rows ``[Q, V]`` of the features that each text shares with the vocabulary."""
        rows = torch.zeros(len(texts), max(len(self.vocabulary), 1))
        for i, text in enumerate(texts):
            found = [self.vocabulary[f] for f in set(self.features(text)) if f in self.vocabulary]
            rows[i, found] = 1.0
        return rows

    def overlap(self, texts: Sequence[str], rows: np.ndarray) -> np.ndarray:
        """Number of features shared by each text and each indexed name: ``[Q, len(rows)]``."""
        return self.products(self.query_rows(texts), rows)

    def products(self, weights: torch.Tensor, rows: np.ndarray) -> np.ndarray:
        """Sum of the weights ``[Q, V]`` of the features of each indexed name: ``[Q, len(rows)]``."""
        lengths = self.lengths[rows]
        pointer = np.concatenate([[0], np.cumsum(lengths)])
        take = np.repeat(self.start[rows] - pointer[:-1], lengths) + np.arange(pointer[-1])
        shared = torch.nn.functional.embedding_bag(  # a sparse-dense product: rows of [V, Q] summed per name
            torch.from_numpy(self.columns[take]),
            weights.T.contiguous(),
            torch.from_numpy(pointer[:-1]),
            mode="sum",
        )  # [C, Q]
        return shared.T.numpy()
