"""The columnar side table: one row per place where a name is declared or used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

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


#: The same with each text once: so a process sends its rows.
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


def encoded_table(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """One table of encoded rows."""
    return pa.Table.from_batches(batches, ENCODED)


def plain(table: pa.Table) -> pa.Table:
    """A table with texts as texts."""
    return table.cast(SCHEMA).combine_chunks()


def _order(row: Occurrence) -> tuple[int, int, str, str, str]:
    return row.start, row.end, row.role, row.relation or "", row.target or ""


def write_occurrences(table: pa.Table, folder: Path) -> None:
    """Write a table as one file."""
    pq.write_table(table, folder / FILE_NAME, compression="zstd")


def read_occurrences(folder: Path) -> pa.Table:
    """Read the table of a knowledge graph's folder."""
    return pq.read_table(folder / FILE_NAME).cast(SCHEMA)


def read_occurrence_parts(folder: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Read some columns of the table, part by part; each part is of whole files."""
    place = folder / FILE_NAME
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        yield pq.read_table(path, columns=list(columns))


def _utf8(text: str) -> str:
    """Names that were not valid text in the source must not break the table."""
    return text.encode("utf-8", "replace").decode("utf-8")
