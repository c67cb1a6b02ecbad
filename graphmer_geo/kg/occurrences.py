"""The columnar side table: one row per place where a name is declared or used."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graphmer_geo.kg.facts import LinkedFile

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


class OccurrenceWriter:
    """Collects occurrences file by file into one table, ordered by file, then position."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []

    def add(self, linked: LinkedFile) -> None:
        """Append the occurrences of one file."""
        rows = sorted(
            linked.occurrences, key=lambda o: (o.start, o.end, o.role, o.relation or "", o.target or "")
        )
        columns = {
            "file": [linked.source.key] * len(rows),
            "start": [o.start for o in rows],
            "end": [o.end for o in rows],
            "line": [o.line for o in rows],
            "role": [o.role for o in rows],
            "relation": [o.relation for o in rows],
            "subject": [o.subject for o in rows],
            "entity": [o.target for o in rows],
            "how": [o.how for o in rows],
            "name": [_utf8(o.name) for o in rows],
        }
        self._tables.append(pa.table(columns, schema=SCHEMA))

    def table(self) -> pa.Table:
        """All rows so far."""
        return pa.concat_tables([SCHEMA.empty_table(), *self._tables]).combine_chunks()


def write_occurrences(table: pa.Table, folder: Path) -> None:
    """Write the table into a knowledge graph's folder."""
    pq.write_table(table, folder / FILE_NAME, compression="zstd")


def read_occurrences(folder: Path) -> pa.Table:
    """Read the table of a knowledge graph's folder."""
    return pq.read_table(folder / FILE_NAME).cast(SCHEMA)


def _utf8(text: str) -> str:
    """Names that were not valid text in the source must not break the table."""
    return text.encode("utf-8", "replace").decode("utf-8")
