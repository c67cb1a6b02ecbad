"""Entities and triples of prepared data as arrays, for everything that ranks entities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.data.config import INVERSE
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.kg.vocabulary import EXTERNAL, KINDS
from graphmer_geo.train.places import Places, log_odds

IntArray = NDArray[np.int64]

#: Kind codes, the same for every data folder, so that a model fits any.
ENTITY_KINDS = (EXTERNAL, *sorted(KINDS))


@dataclass(frozen=True)
class Tables:
    """What ranking needs of a data folder. E entities, T asserted triples, R relation ids, K kinds.

    ``triples`` holds each triple in both directions, ``[2 T, 3]`` rows (head, relation id, tail), and
    ``triple_split`` and ``triple_unit`` say which file's split and unit asserted each.
    """

    relations: dict[str, int]
    labels: list[str]
    kinds: IntArray  # [E] index into ENTITY_KINDS
    split: NDArray[np.str_]  # [E] train, validation, test or external
    name_tok: IntArray  # tokens of all labels, back to back
    name_ptr: IntArray  # [E + 1]
    triples: IntArray
    triple_split: NDArray[np.str_]
    triple_unit: NDArray[np.str_]
    places: Places

    @classmethod
    def load(cls, folder: DataFolder) -> Self:
        """Read the tables.

        Raises:
            UserError: an entity has a kind that this version does not know.
        """
        entities, triples = folder.entities, folder.triples
        code = {kind: index for index, kind in enumerate(ENTITY_KINDS)}
        kinds = entities["kind"].to_pylist()
        if unknown := sorted(set(kinds) - set(code)):
            raise UserError(
                f"unknown entity kinds {', '.join(unknown)} in {folder.path}; prepare the data again"
            )
        tokens = entities["label_tok"].combine_chunks()
        head, relation, tail = (triples[name].to_numpy() for name in ("head", "relation", "tail"))
        forward = np.stack([head, relation, tail], axis=1).astype(np.int64)
        backward = forward[:, ::-1].copy()
        backward[:, 1] = _inverse_ids(folder.relations)[forward[:, 1]]
        return cls(
            relations=folder.relations,
            labels=entities["label"].to_pylist(),
            kinds=np.array([code[kind] for kind in kinds], dtype=np.int64),
            split=np.array(entities["split"].to_pylist()),
            name_tok=tokens.values.to_numpy().astype(np.int64),
            name_ptr=tokens.offsets.to_numpy().astype(np.int64),
            triples=np.concatenate([forward, backward]),
            triple_split=np.tile(np.array(triples["split"].to_pylist()), 2),
            triple_unit=np.tile(np.array(triples["unit"].to_pylist()), 2),
            places=Places.load(folder),
        )

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def in_train(self) -> NDArray[np.bool_]:
        """``[2 T]`` triples asserted in train files."""
        return self.triple_split == "train"

    @cached_property
    def known_to_train(self) -> NDArray[np.bool_]:
        """``[E]`` entities declared in train files, and externals that a train triple names."""
        known = self.split == "train"
        known[self.triples[self.in_train][:, [0, 2]].ravel()] = True
        return known

    def admitted(self, triples: IntArray) -> NDArray[np.bool_]:
        """``[R, K]`` kinds that occur as tails of each relation in ``triples``."""
        allowed = np.zeros((max(self.relations.values()) + 1, len(ENTITY_KINDS)), dtype=bool)
        allowed[triples[:, 1], self.kinds[triples[:, 2]]] = True
        return allowed

    def names(self, entities: IntArray) -> tuple[Tensor, Tensor, Tensor]:
        """Label tokens back to back, their offsets ``[C + 1]``, and kinds ``[C]`` of some entities."""
        lengths = self.name_ptr[entities + 1] - self.name_ptr[entities]
        ptr = np.concatenate([[0], np.cumsum(lengths)])
        take = np.repeat(self.name_ptr[entities] - ptr[:-1], lengths) + np.arange(ptr[-1])
        columns = (self.name_tok[take], ptr, self.kinds[entities])
        tok, offsets, kind = (torch.from_numpy(column) for column in columns)
        return tok, offsets, kind

    def nearness_log_odds(self) -> NDArray[np.float32]:
        """See :func:`~graphmer_geo.train.places.log_odds`; counted in the train split."""
        triples = self.triples[self.in_train]
        allowed = self.admitted(triples)
        admissible = {
            int(r): np.flatnonzero(self.known_to_train & allowed[r][self.kinds])
            for r in np.unique(triples[:, 1])
        }
        return log_odds(self.places, triples, admissible, len(allowed))

    def once_per_unit(self) -> tuple[IntArray, IntArray]:
        """Relation and tail of the train triples, each (unit, relation, tail label) once.

        What a unit says often is no more frequent *elsewhere*, and elsewhere is where it is to be
        predicted.
        """
        rows = self.triples[self.in_train]
        _, unit = np.unique(self.triple_unit[self.in_train], return_inverse=True)
        _, label = np.unique(np.array(self.labels), return_inverse=True)
        keys = np.stack([unit, rows[:, 1], label[rows[:, 2]]], axis=1)
        _, first = np.unique(keys, axis=0, return_index=True)
        return rows[first, 1], rows[first, 2]


def _inverse_ids(relations: dict[str, int]) -> IntArray:
    inverse = np.zeros(max(relations.values()) + 1, dtype=np.int64)
    for name, index in relations.items():
        if name != "none" and not name.endswith(INVERSE):
            inverse[index], inverse[relations[name + INVERSE]] = relations[name + INVERSE], index
    return inverse
