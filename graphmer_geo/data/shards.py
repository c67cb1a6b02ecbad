"""Chunks on disk: pieces of bounded size, each a sample of the whole, so that no process needs all of them.

``chunks/<split>/00000.parquet``, … hold whole source files, in the order of a hash of their names. So the
chunks of a shard come from everywhere in the corpus, a shuffle within a shard is nearly one of everything,
and the rows of all shards in a row are the same however large a shard may be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graphmer_geo.data.chunk_table import CHUNK_SCHEMA, ChunkRow


def drawn(file: str) -> bytes:
    """What files are ordered by."""
    return hashlib.sha256(file.encode("utf-8", "surrogatepass")).digest()


def shard_numbers(sizes: Sequence[int], most: int) -> list[int]:
    """The shard of each file, ascending from 0: as few shards of about equal size as hold ``most`` each.

    A shard exceeds its size by less than its last file, and only a file larger than that is one of its own.
    """
    ends = np.cumsum(np.asarray(sizes, np.int64))
    if not len(ends) or not ends[-1]:
        return [0] * len(ends)
    count = -(-int(ends[-1]) // most)
    numbers = (ends - np.asarray(sizes, np.int64)) * count // int(ends[-1])
    return [int(n) for n in np.unique(numbers, return_inverse=True)[1]]  # without gaps


def shard_folder(split: str, roots: int | None = None) -> str:
    """Name of the folder below ``chunks/``; ``roots`` if it is one of the shorter lengths."""
    return split if roots is None else f"{split}-{roots}"


def shard_file(number: int) -> str:
    """Name of a shard in its folder."""
    return f"{number:05}.parquet"


def write_parquet(table: pa.Table, path: Path, level: int | None = None) -> None:
    """Write Parquet, compressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", compression_level=level)


def chunk_table(rows: Sequence[ChunkRow]) -> pa.Table:
    """Rows as a table."""
    columns: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows] for name in CHUNK_SCHEMA.names
    }
    return pa.table(columns, schema=CHUNK_SCHEMA)
