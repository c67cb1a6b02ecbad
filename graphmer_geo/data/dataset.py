"""Prepared data as a dataset of leafy chains, drawn anew in every epoch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from graphmer_geo.data.check import Limits
from graphmer_geo.data.chunk_arrays import COLUMNS, ChunkArrays
from graphmer_geo.data.config import ChainConfig
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.leafy_chain import BoolArray, IntArray, LeafyChainData, TripleTable, assemble, ranges
from graphmer_geo.data.triple_index import Ragged, TripleIndex
from graphmer_geo.errors import UserError

Transform = Callable[[LeafyChainData, np.random.Generator], LeafyChainData]


class LeafyChainDataset(Dataset[LeafyChainData]):
    """One leafy chain per chunk of a split.

    Every entity that the chunk declares or refers to is a head, at one of its mentions. Its triples, wherever
    in the graph they were asserted (within the rules of
    :class:`~graphmer_geo.data.triple_index.TripleIndex`), and for what is declared here the inverse ones too,
    compete for ``max_triples`` places; rare relations of the chunk have the same chance as frequent ones.
    What is drawn, and what the transforms draw, depends on nothing but ``(seed, epoch, index)``.

    The graph is held in memory. Chunks are read by shard, when one of them is first asked for, and stay until
    :meth:`release`.

    Args:
        data: Prepared data or its folder.
        split: "train", "validation" or "test".
        config: Which triples ride along.
        seed: Seed of all draws.
        transforms: Applied in order, each with the example's generator (the masks of
            :mod:`graphmer_geo.transforms`).
        roots: Longest chunk, of the lengths the data was cut to; default: the longest of these.

    Attributes:
        shards: The chunks of each shard.

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
        self._roots = roots
        self._ends = list(accumulate(self.data.shard_sizes(split, roots)))
        self.shards = [range(*span) for span in pairwise([0, *self._ends])]
        self._open: dict[int, ChunkArrays] = {}
        self._lengths: dict[int, IntArray] = {}
        entities = self.data.entities
        self._label = Ragged.from_arrow(entities, "label_tok")
        self._label_len = self._label.length
        self._name_key = entities["name_key"].to_numpy().astype(np.int64)
        self._parent = entities["parent"].to_numpy().astype(np.int64)
        self.triples = TripleIndex.build(self.data, split, self.config, self._label)
        self._num_relations = len(self.data.relations)

    def __len__(self) -> int:
        return self._ends[-1]

    def set_epoch(self, epoch: int) -> None:
        """Choose which epoch's draws the following examples have."""
        self.epoch = epoch

    @cached_property
    def limits(self) -> Limits:
        """What ids of its chains stay below."""
        relations = max(self.data.relations.values()) + 1
        return Limits(len(self.data.tokenizer), relations, self.config.max_leaves_per_tail)

    @property
    def lengths(self) -> IntArray:
        """Number of nodes to expect of each example, ``[len]``: exact for roots, an estimate for leaves.

        Leaves count even if the chains are to have none: batches are the same with and without them.
        """
        return np.concatenate([self.shard_lengths(shard) for shard in range(len(self.shards))])

    def shard_lengths(self, shard: int) -> IntArray:
        """Those of the examples of one shard; remembered when the shard is not."""
        if shard not in self._lengths:
            # As small as they are, of everything that was ever read.
            self._lengths[shard] = self._expected(self._chunks(shard)).astype(np.int32)
        return self._lengths[shard].astype(np.int64)

    def release(self, shard: int) -> None:
        """Forget the chunks of a shard; they are read again when asked for."""
        self._open.pop(shard, None)

    def root_tokens(self, index: int) -> IntArray:
        """The tokens of a chunk."""
        chunks, row = self._place(index)
        return chunks.roots[row]

    def __getitem__(self, index: int) -> LeafyChainData:
        if not 0 <= index < len(self):
            raise IndexError(f"chunk {index} of {len(self)}")
        rng = np.random.default_rng((self.seed, self.epoch, index))
        chunks, row = self._place(index)
        triples = self._draw(chunks, row, rng)  # in any case: the masks that follow do not depend on `leaves`
        if not self.config.leaves:
            triples = triples.take(np.zeros(0, np.int64))
        chain = assemble(chunks.roots[row], triples)
        for transform in self.transforms:
            chain = transform(chain, rng)
        return chain

    def _place(self, index: int) -> tuple[ChunkArrays, int]:
        """The shard of a chunk, and its row there."""
        shard = bisect_right(self._ends, index)
        return self._chunks(shard), index - self.shards[shard].start

    def _chunks(self, shard: int) -> ChunkArrays:
        if shard not in self._open:
            table = self.data.shard(self.split, shard, self._roots, COLUMNS)
            self._open[shard] = ChunkArrays.from_arrow(table)
        return self._open[shard]

    def _expected(self, chunks: ChunkArrays) -> IntArray:
        """Number of nodes to expect of each chunk."""
        count, num_entities = len(chunks.roots.length), len(self._label_len)
        chunk = np.repeat(np.arange(count), chunks.mentions.length)
        chunk, heads = np.divmod(np.unique(chunk * num_entities + chunks.mentions.value), num_entities)
        everywhere = np.full(len(heads), self.config.inverse_of_references)
        degree = np.minimum(self.triples.ranges(heads, everywhere)[1], self.config.max_per_head)
        candidates = np.bincount(chunk, degree, minlength=count)
        leaves = np.ceil(np.minimum(candidates, self.config.max_triples) * self._per_tail).astype(np.int64)
        return chunks.roots.length + leaves

    @cached_property
    def _per_tail(self) -> float:
        """Leaves of a triple, on average."""
        return float(self._label_len[self.triples.tail].mean()) if len(self.triples.tail) else 0.0

    def _draw(self, chunks: ChunkArrays, row: int, rng: np.random.Generator) -> TripleTable:
        """The triples that ride along this time."""
        heads, mention = _heads(chunks, row, rng)
        rows, owner = self._candidates(heads, chunks.declares[mention], rng)
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
            head_start=chunks.mention_start[mention],
            head_len=chunks.mention_len[mention],
            visible=_visible(chunks, row, self._name_key[tail], mention),
            target=self.triples.target[rows],
            leaf_len=length,
            leaf_tok=self._label.value[ranges(self._label.ptr[tail], length)],
        )

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


def _heads(chunks: ChunkArrays, row: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """The entities of a chunk and a mention of each (a row of the mention columns); ``[h]``.

    What is declared here is taken where it is declared, the rest at any mention.
    """
    first, last = chunks.mentions.ptr[row], chunks.mentions.ptr[row + 1]
    rows = first + rng.permutation(last - first)
    rows = rows[np.argsort(~chunks.declares[rows], kind="stable")]
    heads, at = np.unique(chunks.mentions.value[rows], return_index=True)
    return heads, rows[at]


def _visible(chunks: ChunkArrays, row: int, wanted: IntArray, mention: IntArray) -> np.ndarray:
    """Whether each tail's name (by number) stands in the chunk outside its head; ``[m]``."""
    names = chunks.names[row]
    if not len(names):
        return np.zeros(len(wanted), np.bool_)
    at = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    count = np.where(names[at] == wanted, chunks.name_counts[row][at], 0)
    return count > (chunks.mention_name[mention] == wanted)
