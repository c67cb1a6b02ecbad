"""The columnar side table: one row per place where a name is declared or used."""

from __future__ import annotations

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


_ROWS = 100_000  #: rows that wait as Python objects before they become Arrow arrays


class OccurrenceWriter:
    """Collects occurrences file by file into one table, ordered by file, then position."""

    def __init__(self) -> None:
        self._batches: list[pa.RecordBatch] = []
        self._files: list[str] = []
        self._rows: list[Occurrence] = []

    def add(self, linked: LinkedFile) -> None:
        """Append the occurrences of one file."""
        self._files += [linked.source.key] * len(linked.occurrences)
        self._rows += sorted(linked.occurrences, key=_order)
        if len(self._rows) >= _ROWS:
            self._flush()

    def table(self) -> pa.Table:
        """All rows so far."""
        self._flush()
        return pa.Table.from_batches(self._batches, SCHEMA).combine_chunks()

    def _flush(self) -> None:
        if self._rows:
            starts, ends, lines, roles, relations, subjects, targets, hows, names = zip(
                *self._rows, strict=True
            )
            columns = [
                self._files, starts, ends, lines, roles, relations, subjects, targets, hows,
                [name if name.isascii() else _utf8(name) for name in names],
            ]  # fmt: skip
            arrays = [pa.array(c, field.type) for c, field in zip(columns, SCHEMA, strict=True)]
            self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
            self._files, self._rows = [], []


def _order(row: Occurrence) -> tuple[int, int, str, str, str]:
    return row.start, row.end, row.role, row.relation or "", row.target or ""


def write_occurrences(table: pa.Table, folder: Path) -> None:
    """Write the table into a knowledge graph's folder."""
    pq.write_table(table, folder / FILE_NAME, compression="zstd")


def read_occurrences(folder: Path) -> pa.Table:
    """Read the table of a knowledge graph's folder."""
    return pq.read_table(folder / FILE_NAME).cast(SCHEMA)


def _utf8(text: str) -> str:
    """Names that were not valid text in the source must not break the table."""
    return text.encode("utf-8", "replace").decode("utf-8")
