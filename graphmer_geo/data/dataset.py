"""Prepared data as a dataset of leafy chains, drawn anew in every epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from torch.utils.data import Dataset

from graphmer_geo.data.check import Limits
from graphmer_geo.data.chunk_table import OWNER_ROLE
from graphmer_geo.data.config import ChainConfig
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.leafy_chain import BoolArray, IntArray, LeafyChainData, TripleTable, assemble, ranges
from graphmer_geo.data.triple_index import Ragged, TripleIndex
from graphmer_geo.errors import UserError

#: Roles of mentions that declare their entity (a chunk's own entity included).
DECLARING = ("definition", OWNER_ROLE)

Transform = Callable[[LeafyChainData, np.random.Generator], LeafyChainData]


class LeafyChainDataset(Dataset[LeafyChainData]):
    """One leafy chain per chunk of a split.

    Every entity that the chunk declares or refers to is a head, at one of its mentions. Its triples, wherever
    in the graph they were asserted (within the rules of
    :class:`~graphmer_geo.data.triple_index.TripleIndex`), and for what is declared here the inverse ones too,
    compete for ``max_triples`` places; rare relations of the chunk have the same chance as frequent ones.
    What is drawn, and what the transforms draw, depends on nothing but ``(seed, epoch, index)``.

    Args:
        data: Prepared data or its folder.
        split: "train", "validation" or "test".
        config: Which triples ride along.
        seed: Seed of all draws.
        transforms: Applied in order, each with the example's generator (the masks of
            :mod:`graphmer_geo.transforms`).
        roots: Longest chunk, of the lengths the data was cut to; default: the longest of these.

    Raises:
        UserError: The data is not there, or its chunks are longer than ``config.max_roots``.
    """

    def __init__(
        self,
        data: DataFolder | str | Path,
        split: str,
        *,
        config: ChainConfig | None = None,
        seed: int = 0,
        transforms: Sequence[Transform] = (),
        roots: int | None = None,
    ) -> None:
        self.data = data if isinstance(data, DataFolder) else DataFolder.open(data)
        self.split, self.config, self.seed = split, config or ChainConfig(), seed
        self.transforms = tuple(transforms)
        self.epoch = 0
        prepared = roots or self.data.manifest.config.max_roots
        if prepared > self.config.max_roots:
            raise UserError(
                f"max_roots is {self.config.max_roots}, but the data was prepared with {prepared}; "
                "prepare it again with fewer roots or raise max_roots"
            )
        chunks, entities = self.data.chunks(split, roots), self.data.entities
        self.roots = Ragged.from_arrow(chunks, "tok")
        self._names = Ragged.from_arrow(chunks, "name")
        self._name_counts = Ragged.from_arrow(chunks, "name_count")
        self._mentions = Ragged.from_arrow(chunks, "mention_entity")
        self._mention_start = Ragged.from_arrow(chunks, "mention_start").value
        self._mention_len = Ragged.from_arrow(chunks, "mention_len").value
        self._mention_name = Ragged.from_arrow(chunks, "mention_name").value
        roles = pc.is_in(chunks["mention_role"].combine_chunks().flatten(), value_set=pa.array(DECLARING))
        self._mention_declares = roles.to_numpy(zero_copy_only=False).astype(np.bool_)
        self._label = Ragged.from_arrow(entities, "label_tok")
        self._label_len = self._label.length
        self._name_key = entities["name_key"].to_numpy().astype(np.int64)
        self._parent = entities["parent"].to_numpy().astype(np.int64)
        self.triples = TripleIndex.build(self.data, split, self.config, self._label)
        self._num_relations = len(self.data.relations)

    def __len__(self) -> int:
        return len(self.roots.ptr) - 1

    def set_epoch(self, epoch: int) -> None:
        """Choose which epoch's draws the following examples have."""
        self.epoch = epoch

    @cached_property
    def limits(self) -> Limits:
        """What ids of its chains stay below."""
        relations = max(self.data.relations.values()) + 1
        return Limits(len(self.data.tokenizer), relations, self.config.max_leaves_per_tail)

    @cached_property
    def lengths(self) -> IntArray:
        """Number of nodes to expect of each example, ``[len]``: exact for roots, an estimate for leaves.

        Leaves count even if the chains are to have none: batches are the same with and without them.
        """
        chunk = np.repeat(np.arange(len(self)), self._mentions.length)
        heads = np.unique(np.stack([chunk, self._mentions.value]), axis=1)
        everywhere = np.full(heads.shape[1], self.config.inverse_of_references)
        degree = np.minimum(self.triples.ranges(heads[1], everywhere)[1], self.config.max_per_head)
        candidates = np.bincount(heads[0], degree, minlength=len(self))
        per_tail = self._label_len[self.triples.tail].mean() if len(self.triples.tail) else 0.0
        leaves = np.ceil(np.minimum(candidates, self.config.max_triples) * per_tail).astype(np.int64)
        return self.roots.length + leaves

    def __getitem__(self, index: int) -> LeafyChainData:
        if not 0 <= index < len(self):
            raise IndexError(f"chunk {index} of {len(self)}")
        rng = np.random.default_rng((self.seed, self.epoch, index))
        triples = self._draw(index, rng)  # in any case: the masks that follow do not depend on `leaves`
        if not self.config.leaves:
            triples = triples.take(np.zeros(0, np.int64))
        chain = assemble(self.roots[index], triples)
        for transform in self.transforms:
            chain = transform(chain, rng)
        return chain

    def _draw(self, index: int, rng: np.random.Generator) -> TripleTable:
        """The triples that ride along this time."""
        heads, mention = self._heads(index, rng)
        rows, owner = self._candidates(heads, self._mention_declares[mention], rng)
        limit = self.config.max_triples
        if len(rows) > limit:
            rel = self.triples.rel[rows]
            frequency = np.bincount(rel, minlength=self._num_relations)[rel]
            # The smallest of exponential draws are a sample without replacement, with weights 1 / frequency.
            chosen = np.sort(np.argpartition(rng.exponential(size=len(rows)) * frequency, limit)[:limit])
            rows, owner = rows[chosen], owner[chosen]
        tail, mention = self.triples.tail[rows], mention[owner]
        length = self._label_len[tail]
        return TripleTable(
            rel=self.triples.rel[rows],
            head=heads[owner],
            tail=tail,
            tail_parent=self._parent[tail],
            head_start=self._mention_start[mention],
            head_len=self._mention_len[mention],
            visible=self._visible(index, tail, mention),
            target=self.triples.target[rows],
            leaf_len=length,
            leaf_tok=self._label.value[ranges(self._label.ptr[tail], length)],
        )

    def _heads(self, index: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """The entities of a chunk and a mention of each (a row of the mention columns); ``[h]``.

        What is declared here is taken where it is declared, the rest at any mention.
        """
        first, last = self._mentions.ptr[index], self._mentions.ptr[index + 1]
        rows = first + rng.permutation(last - first)
        rows = rows[np.argsort(~self._mention_declares[rows], kind="stable")]
        heads, at = np.unique(self._mentions.value[rows], return_index=True)
        return heads, rows[at]

    def _candidates(
        self, heads: IntArray, declared: BoolArray, rng: np.random.Generator
    ) -> tuple[IntArray, IntArray]:
        """Triples of these heads, and where in ``heads`` the head of each is; ``[c]``."""
        start, degree = self.triples.ranges(heads, declared | self.config.inverse_of_references)
        cap = self.config.max_per_head
        rows = ranges(start, np.where(degree > cap, 0, degree))
        if (frequent := np.flatnonzero(degree > cap)).size:
            drawn = start[frequent, None] + rng.integers(0, degree[frequent, None], (len(frequent), cap))
            rows = np.concatenate([rows, np.unique(drawn)])
        return rows, np.searchsorted(start + degree, rows, side="right")

    def _visible(self, index: int, tail: IntArray, mention: IntArray) -> np.ndarray:
        """Whether each tail's name stands in the chunk outside its head; ``[m]``."""
        names = self._names[index]
        if not len(names):
            return np.zeros(len(tail), np.bool_)
        wanted = self._name_key[tail]
        at = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
        count = np.where(names[at] == wanted, self._name_counts[index][at], 0)
        return count > (self._mention_name[mention] == wanted)
