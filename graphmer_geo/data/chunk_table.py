"""Rows of ``chunks/<split>/``: tokens with byte spans, and which of them mention an entity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from graphmer_geo.data.chunks import ChunkSpan, windows
from graphmer_geo.data.config import DataConfig
from graphmer_geo.data.entities import IDENTIFIER
from graphmer_geo.data.mentions import Mentions
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


def make_windows(
    source: bytes,
    span: ChunkSpan,
    mentions: Mentions,
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
    mentions: Mentions,
    tokenizer: CodeTokenizer,
    name_keys: Mapping[bytes, int],
) -> ChunkRow:
    start, end = int(part.start[0]), int(part.end[-1])
    here = mentions.inside(start, end)
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
