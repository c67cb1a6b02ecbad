"""What every tail scorer sees: queries, the entities to choose from, and the interface of a scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Entities:
    """All entities of a KG. Positions are the entity ids used everywhere else."""

    labels: list[str]  # canonical short form: ``Class.member``, ``parameter``, ``os.path``
    kinds: np.ndarray  # [E] int64 codes

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Queries:
    """Q masked-node queries ``(head, relation, ?)``. An inverse relation asks for heads."""

    relation: np.ndarray  # [Q] relation ids
    head: np.ndarray  # [Q] entity ids
    tail: np.ndarray  # [Q] entity ids of the right answers
    visible: np.ndarray  # [Q] bool: the answer's name can be read in the chunk
    chunk: np.ndarray  # [Q] index into ``text``
    text: list[str]  # what the roots of each chunk say
    row: np.ndarray  # [Q] position in the full set: where a model keeps the state of this query

    def __len__(self) -> int:
        return len(self.relation)

    def select(self, index: np.ndarray) -> Queries:
        """The queries at ``index`` (positions or a mask)."""
        columns = ("relation", "head", "tail", "visible", "chunk", "row")
        return Queries(**{name: getattr(self, name)[index] for name in columns}, text=self.text)


class TailScorer(Protocol):
    """Anything that can order candidates for a query: a model or a baseline, ranked by the same code."""

    name: str

    def scores(self, queries: Queries, candidates: np.ndarray) -> np.ndarray:
        """Scores ``[Q, C]`` of the candidate entity ids ``[C]``; all queries share one relation."""
        ...
