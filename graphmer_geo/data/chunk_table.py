"""Rows of ``chunks/<split>.parquet``: tokens with byte spans, and which of them mention an entity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmer_geo.data.chunks import ChunkSpan, windows
from graphmer_geo.data.config import DataConfig
from graphmer_geo.data.entities import IDENTIFIER, EntityTable
from graphmer_geo.data.tokenizer import CodeTokenizer, Encoding, decode

#: Role of the mention of a chunk's own entity on <cls>, where its name is not written in the chunk.
OWNER_ROLE = "chunk"

CHUNK_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("unit", pa.string()),
        ("entity", pa.int64()),  # what the code is of; -1: a file without a module entity
        ("kind", pa.string()),  # callable, type or module
        ("start", pa.int64()),  # bytes
        ("end", pa.int64()),
        ("tok", pa.list_(pa.int32())),  # <cls> … <sep>
        ("tok_start", pa.list_(pa.int32())),  # bytes
        ("tok_end", pa.list_(pa.int32())),
        ("mention_start", pa.list_(pa.int32())),  # root index
        ("mention_len", pa.list_(pa.int32())),
        ("mention_entity", pa.list_(pa.int64())),
        ("mention_role", pa.list_(pa.string())),
        ("mention_name", pa.list_(pa.int32())),  # number of the name written there; -1: no entity has it
        ("name", pa.list_(pa.int32())),  # numbers of the names that can be read in the chunk, ascending
        ("name_count", pa.list_(pa.int32())),  # how often each
    ]
)


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One row of :data:`CHUNK_SCHEMA`."""

    entity: int
    kind: str
    start: int
    end: int
    tok: NDArray[np.int64]
    tok_start: NDArray[np.int64]
    tok_end: NDArray[np.int64]
    mention_start: NDArray[np.int64]
    mention_len: NDArray[np.int64]
    mention_entity: NDArray[np.int64]
    mention_role: list[str]
    mention_name: list[int]
    name: list[int]
    name_count: list[int]
    file: str = ""
    unit: str = ""

    def placed(self, file: str, unit: str) -> ChunkRow:
        """In this file and unit."""
        return replace(self, file=file, unit=unit)


@dataclass(frozen=True, slots=True)
class Mentions:
    """The resolved occurrences of one file, by position; bytes."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    entity: NDArray[np.int64]
    role: list[str]

    @classmethod
    def by_file(cls, occurrences: pa.Table, entities: EntityTable) -> dict[str, Mentions]:
        """Every file's, from :attr:`KnowledgeGraph.occurrences`. Unresolved names are left out."""
        found = pc.index_in(occurrences["entity"], value_set=pa.array(entities.iri, pa.string()))
        keep = pc.and_(found.is_valid(), occurrences["entity"].is_valid())
        table = occurrences.append_column("id", found).filter(keep)
        table = table.sort_by([("file", "ascending"), ("start", "ascending"), ("end", "ascending")])
        files = table["file"].to_pylist()
        columns = [table[name].to_numpy().astype(np.int64) for name in ("start", "end", "id")]
        roles = table["role"].to_pylist()
        result = {}
        first = 0
        for row in range(1, len(files) + 1):
            if row == len(files) or files[row] != files[first]:
                start, end, entity = (column[first:row] for column in columns)
                result[files[first]] = cls(start, end, entity, roles[first:row])
                first = row
        return result

    def inside(self, start: int, end: int) -> Mentions:
        """Those wholly within the bytes ``start`` … ``end``, each (place, entity) once."""
        rows = range(*np.searchsorted(self.start, [start, end]).tolist())
        unique: dict[tuple[int, int, int], int] = {}
        for row in rows:
            if self.start[row] < self.end[row] <= end:
                unique.setdefault((int(self.start[row]), int(self.end[row]), int(self.entity[row])), row)
        kept = np.array(list(unique.values()), np.int64)
        return Mentions(self.start[kept], self.end[kept], self.entity[kept], [self.role[k] for k in kept])


def make_windows(
    source: bytes,
    span: ChunkSpan,
    mentions: Mentions | None,
    tokenizer: CodeTokenizer,
    name_keys: Mapping[bytes, int],
    config: DataConfig,
) -> Iterator[ChunkRow]:
    """The rows of one chunk: tokens with ``<cls>`` and ``<sep>``, and the mentions linked to them."""
    encoding = tokenizer.encode(source, span.start, span.end)
    for first, last in windows(source, encoding.start, encoding.end, config.max_roots - 2):
        if first == last:
            continue
        part = Encoding(encoding.tok[first:last], encoding.start[first:last], encoding.end[first:last])
        yield _row(source, span, part, mentions, tokenizer, name_keys)


def _row(
    source: bytes,
    span: ChunkSpan,
    part: Encoding,
    mentions: Mentions | None,
    tokenizer: CodeTokenizer,
    name_keys: Mapping[bytes, int],
) -> ChunkRow:
    start, end = int(part.start[0]), int(part.end[-1])
    here = mentions.inside(start, end) if mentions else _NONE
    first, length = link(part.start, part.end, here.start, here.end)
    roles, entity = here.role, here.entity
    written = [_name_key(source[a:b], name_keys) for a, b in zip(here.start, here.end, strict=True)]
    if (
        span.entity >= 0 and span.entity not in entity
    ):  # its name is elsewhere, or nowhere: <cls> stands for it
        first, length = np.append(-1, first), np.append(1, length)
        entity, roles, written = np.append(span.entity, entity), [OWNER_ROLE, *roles], [-1, *written]
    names = Counter(
        key
        for match in IDENTIFIER.finditer(source[start:end])
        if (key := _name_key(match.group(), name_keys)) >= 0
    )
    return ChunkRow(
        entity=span.entity,
        kind=span.kind,
        start=start,
        end=end,
        tok=np.concatenate([[tokenizer.cls_id], part.tok, [tokenizer.sep_id]]),
        tok_start=np.concatenate([[start], part.start, [end]]),
        tok_end=np.concatenate([[start], part.end, [end]]),
        mention_start=first + 1,  # after <cls>
        mention_len=length,
        mention_entity=entity,
        mention_role=roles,
        mention_name=written,
        name=sorted(names),
        name_count=[names[key] for key in sorted(names)],
    )


def link(
    tok_start: NDArray[np.int64],
    tok_end: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First token and number of tokens that share bytes with each span ``start`` … ``end``; ``[k]``."""
    first = np.searchsorted(tok_end, start, side="right")
    last = np.searchsorted(tok_start, end, side="left")
    return first, last - first


def _name_key(name: bytes, keys: Mapping[bytes, int]) -> int:
    """Number of a name as written in the source, whatever its encoding."""
    if name in keys:
        return keys[name]
    return -1 if name.isascii() else keys.get(decode(name).encode("utf-8"), -1)


_NONE = Mentions(*(np.zeros(0, np.int64),) * 3, [])
