"""The source files of a graph, cut into chunks. Text is read again whenever it is needed, and never kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from graphmer_geo.data.chunks import ChunkSpan, EntitySpan, chunk_spans
from graphmer_geo.data.entities import EntityTable
from graphmer_geo.data.mentions import MentionIndex
from graphmer_geo.data.near_duplicates import near_duplicates
from graphmer_geo.data.shards import drawn
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.tokenizer import decode
from graphmer_geo.kg import KnowledgeGraph


@dataclass(frozen=True)
class CutFile:
    """One source file, cut."""

    key: str
    unit: str
    language: str
    spans: list[ChunkSpan]

    @cached_property
    def size(self) -> int:
        """Bytes of its chunks."""
        return sum(span.end - span.start for span in self.spans)

    def without(self, starts: set[int]) -> CutFile:
        """Without the chunks that start there."""
        return replace(self, spans=[span for span in self.spans if span.start not in starts])


@dataclass(frozen=True)
class CutCode:
    """The files of each split, in the order in which they are written."""

    kg: KnowledgeGraph
    splits: Mapping[str, list[CutFile]]

    @classmethod
    def of(cls, kg: KnowledgeGraph, files: Iterable[CutFile], split_of_unit: Mapping[str, str]) -> CutCode:
        """Give every file to the split of its unit."""
        splits: dict[str, list[CutFile]] = {split: [] for split in SPLITS}
        for file in sorted((f for f in files if f.spans), key=lambda f: drawn(f.key)):
            splits[split_of_unit[file.unit]].append(file)
        return cls(kg, splits)

    def texts(self, split: str) -> Iterator[str]:
        """All chunks of a split."""
        return (decode(text) for _, _, text in self._pieces(split))

    def without_near_duplicates(self, threshold: float) -> tuple[CutCode, dict[str, int]]:
        """Without functions that are nearly those of an earlier split, and how many there were in each."""
        texts = [(text for _, _, text in self._pieces(split, "callable")) for split in SPLITS]
        dropped: dict[str, set[int]] = defaultdict(set)
        counts = {}
        for split, rows in zip(SPLITS, near_duplicates(texts, threshold), strict=True):
            counts[split] = len(rows)
            places = [(file.key, span.start) for file, span in self._callables(split)] if rows else []
            for file, start in (places[row] for row in rows):
                dropped[file].add(start)
        kept = {
            split: [file.without(dropped[file.key]) if file.key in dropped else file for file in files]
            for split, files in self.splits.items()
        }
        return CutCode(self.kg, kept), counts

    def _callables(self, split: str) -> Iterator[tuple[CutFile, ChunkSpan]]:
        return ((f, span) for f in self.splits[split] for span in f.spans if span.kind == "callable")

    def _pieces(self, split: str, kind: str | None = None) -> Iterator[tuple[CutFile, ChunkSpan, bytes]]:
        for file in self.splits[split]:
            source = self.kg.read_source(file.key)
            for span in file.spans:
                if kind in (None, span.kind):
                    yield file, span, source[span.start : span.end]


def cut(
    kg: KnowledgeGraph,
    table: pa.Table,
    entities: EntityTable,
    mentions: MentionIndex,
    unit_of: Mapping[str, str],
) -> Iterator[CutFile]:
    """Cut every file of a graph, by name.

    Args:
        kg: The graph.
        table: Its entities.
        entities: The same.
        mentions: Where they are mentioned.
        unit_of: Unit of each file that was read.
    """
    language = {record.key: record.language for record in kg.manifest.files if record.status != "skipped"}
    spans_of, owner_of = _spans_by_file(table, entities)
    for key in sorted(unit_of):
        names = mentions.of(key).start.tolist()
        spans = chunk_spans(kg.read_source(key), spans_of.pop(key, ()), owner_of.get(key, -1), names)
        yield CutFile(key, unit_of[key], language[key], spans)


def _spans_by_file(
    table: pa.Table, entities: EntityTable
) -> tuple[dict[str, list[EntitySpan]], dict[str, int]]:
    """Declarations of every file, and what its top-level code belongs to: its module, else its first type."""
    spans: dict[str, list[EntitySpan]] = defaultdict(list)
    start, end, files = (table[name].to_pylist() for name in ("start", "end", "file"))
    for entity, file in enumerate(files):
        if file is not None and start[entity] is not None:
            spans[file].append(EntitySpan(entity, entities.kind[entity], start[entity], end[entity]))
    owners = {}
    for file, members in spans.items():
        modules = [span.entity for span in members if span.kind == "Module"]
        owners[file] = modules[0] if modules else min(members, key=lambda s: (s.start, -s.end)).entity
    return spans, owners
