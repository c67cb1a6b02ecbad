"""Where entities are declared, and how near two of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from graphmer_geo.data.folder import DataFolder
from graphmer_geo.kg.vocabulary import EXTERNAL
from graphmer_geo.nn.proximity import LEVELS

IntArray = NDArray[np.int64]

ELSEWHERE, OUTSIDE, SAME_UNIT, SAME_FILE, SAME_SCOPE = range(LEVELS)


@dataclass(frozen=True)
class Places:
    """Containment of E entities: ``parent`` (-1: none), codes of file and unit, and which are external."""

    parent: IntArray
    file: IntArray
    unit: IntArray
    external: NDArray[np.bool_]

    @classmethod
    def load(cls, folder: DataFolder) -> Self:
        """Read from ``entities.parquet``."""
        entities = folder.entities
        kind = np.array(entities["kind"].to_pylist())
        parent = entities["parent"].to_numpy().astype(np.int64)
        _, unit = np.unique(np.array(entities["unit"].to_pylist()), return_inverse=True)
        return cls(parent, file_of(parent, kind == "Module", kind == "Package"), unit, kind == EXTERNAL)

    def level(self, head: IntArray, tail: IntArray) -> NDArray[np.int8]:
        """Level of nearness of each pair; ``head`` and ``tail`` are broadcast against each other."""
        near = (self.unit[head] == self.unit[tail]).astype(np.int8) * SAME_UNIT
        near[self.file[head] == self.file[tail]] = SAME_FILE
        above_head, above_tail = self.parent[head], self.parent[tail]
        siblings = (above_head == above_tail) & (above_head >= 0)
        near[siblings | (above_tail == head) | (above_head == tail)] = SAME_SCOPE
        near[np.broadcast_to(self.external[tail], near.shape)] = OUTSIDE
        near[head == tail] = ELSEWHERE  # nothing is near to itself: no fact that is asked for is a loop
        return near


def file_of(parent: IntArray, is_module: NDArray[np.bool_], is_package: NDArray[np.bool_]) -> IntArray:
    """The module (Python) or top-level type (Java) that each entity lies in, itself included; ``[E]``."""
    place = np.arange(len(parent))
    while True:
        above = parent[place]
        climbs = ~is_module[place] & (above >= 0) & ~is_package[above]
        if not climbs.any():
            return place
        place = np.where(climbs, above, place)


def log_odds(
    places: Places, triples: IntArray, admissible: dict[int, IntArray], num_relations: int, heads: int = 200
) -> NDArray[np.float32]:
    """Log-odds ``[num_relations, LEVELS]`` that one candidate of a level is the answer, "elsewhere" being 0.

    Args:
        places: where entities are declared.
        triples: ``[T, 3]`` rows (head, relation id, tail) of the train split.
        admissible: candidates of each relation.
        num_relations: number of relation ids.
        heads: for how many heads of a relation the candidates of each level are counted.
    """
    odds = np.zeros((num_relations, LEVELS), dtype=np.float32)
    for relation, candidates in admissible.items():
        rows = triples[triples[:, 1] == relation]
        if not len(rows) or not len(candidates):
            continue
        answers = np.bincount(places.level(rows[:, 0], rows[:, 2]), minlength=LEVELS)
        sample = rows[:: -(-len(rows) // heads), 0]
        levels = places.level(sample[:, None], candidates[None])
        offered = np.array([(levels == level).sum() for level in range(LEVELS)]) / len(sample)
        rate = np.log((answers + 0.5) / len(rows)) - np.log(offered + 1.0)
        odds[relation] = np.clip(rate - rate[ELSEWHERE], -4.0, 9.0)
    return odds
