"""The columnar side table: one row per place where a name is declared or used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graphmer_geo.kg.facts import LinkedFile, Occurrence

FILE_NAME = "occurrences.parquet"

SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),  # key
        pa.field("start", pa.int64(), nullable=False),  # bytes
        pa.field("end", pa.int64(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),  # from 1
        pa.field("role", pa.string(), nullable=False),
        pa.field("relation", pa.string()),  # local name; null: evidence for no triple
        pa.field("subject", pa.string(), nullable=False),  # IRI of the enclosing entity
        pa.field("entity", pa.string()),  # IRI of the target; null: unresolved
        pa.field("how", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),  # as written
    ]
)


#: The same with each text once: a process sends its rows so, and the file is written so.
ENCODED = pa.schema(
    [
        pa.field(f.name, pa.dictionary(pa.int32(), f.type), f.nullable) if f.type == pa.string() else f
        for f in SCHEMA
    ]
)


def encoded(files: Iterable[LinkedFile]) -> pa.RecordBatch:
    """The occurrences of some files, ordered by file, then position; texts are dictionary-encoded."""
    keys: list[str] = []
    rows: list[Occurrence] = []
    for linked in files:
        keys += [linked.source.key] * len(linked.occurrences)
        rows += sorted(linked.occurrences, key=_order)
    starts, ends, lines, roles, relations, subjects, targets, hows, names = (
        zip(*rows, strict=True) if rows else [()] * 9
    )
    columns = [
        keys, starts, ends, lines, roles, relations, subjects, targets, hows,
        [name if name.isascii() else _utf8(name) for name in names],
    ]  # fmt: skip
    arrays = [pa.array(c, field.type) for c, field in zip(columns, ENCODED, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=ENCODED)


def table_of(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """One table of encoded rows."""
    return pa.Table.from_batches(batches, ENCODED).unify_dictionaries()


def replaced(
    old: pa.Table, keys: Sequence[str], batches: Sequence[tuple[pa.RecordBatch, Mapping[str, int]]]
) -> pa.Table:
    """A table of some files, in that order: their new rows, where there are any, else their old ones.

    Args:
        old: The rows of an earlier corpus, encoded, file by file.
        keys: The files.
        batches: New rows, encoded, with the files they are of and how many each has.
    """
    parts: dict[str, tuple[pa.Table, int, int]] = {}
    names = old["file"].combine_chunks()
    if len(names):
        codes = names.indices.to_numpy()
        starts = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(codes)]
        texts = names.dictionary.to_pylist()
        for start, end in pairwise(starts):
            parts[texts[codes[start]]] = old, start, end
    for batch, rows in batches:
        new, start = pa.Table.from_batches([batch]), 0
        for key, count in rows.items():
            parts[key] = new, start, start + count
            start += count
    slices: list[tuple[pa.Table, int, int]] = []
    for table, start, end in (parts[key] for key in keys if key in parts):
        if slices and slices[-1][0] is table and slices[-1][2] == start:
            start = slices.pop()[1]
        slices.append((table, start, end))
    return pa.concat_tables(
        [table_of([]), *(table.slice(start, end - start) for table, start, end in slices)]
    ).unify_dictionaries()


def plain(table: pa.Table) -> pa.Table:
    """A table with texts as texts."""
    return table.cast(SCHEMA).combine_chunks()


def _order(row: Occurrence) -> tuple[int, int, str, str, str]:
    return row.start, row.end, row.role, row.relation or "", row.target or ""


def write_occurrences(table: pa.Table, folder: Path) -> None:
    """Write a table, encoded or plain, into a knowledge graph's folder."""
    # Without Arrow's own schema the file says nothing of dictionaries: its readers get plain texts.
    pq.write_table(table, folder / FILE_NAME, compression="zstd", store_schema=False)


def read_occurrences(folder: Path) -> pa.Table:
    """Read the table of a knowledge graph's folder."""
    return pq.read_table(folder / FILE_NAME).cast(SCHEMA)


def read_encoded(folder: Path) -> pa.Table:
    """The same, with each text once."""
    texts = [f.name for f in SCHEMA if f.type == pa.string()]
    return pq.read_table(folder / FILE_NAME, read_dictionary=texts).cast(ENCODED)


def _utf8(text: str) -> str:
    """Names that were not valid text in the source must not break the table."""
    return text.encode("utf-8", "replace").decode("utf-8")
