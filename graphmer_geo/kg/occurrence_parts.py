"""The occurrence table on disk: parts of whole files, so that an edit does not write millions of rows.

``occurrences.parquet`` in a graph's folder is a folder of Parquet files, which Parquet readers take for one
table. Each part notes which source files it has. Parts are never more or fewer than when the graph was built.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graphmer_geo.kg.occurrences import ENCODED, FILE_NAME, SCHEMA, encoded_table, plain

ROWS = 1 << 16  #: of a part, unless a single file has more
_FILES = b"graphmer.files"

#: A file's key, and how many rows it has.
FileRows = tuple[str, int]


@dataclass(frozen=True)
class Change:
    """What becomes of a table."""

    parts: dict[str, pa.Table]  #: those that are written anew, by name
    rows: int  #: by how many there are more
    how: Counter[str]  #: and how many more of each kind


def write_parts(table: pa.Table, folder: Path) -> None:
    """Write an encoded table, ordered by file, into a graph's folder."""
    names = table.select(["file"]).unify_dictionaries()["file"].combine_chunks()
    codes = names.indices.to_numpy()
    ends = [*(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(codes)]
    cuts = [0]
    for previous, end in pairwise(ends):
        if end - cuts[-1] > ROWS:
            cuts.append(previous)
    place = folder / FILE_NAME
    place.mkdir()
    for number, (start, end) in enumerate(pairwise([*cuts, len(codes)])):
        save_part(table.slice(start, end - start), place / f"{number:05}.parquet")


def save_part(table: pa.Table, path: Path) -> None:
    """Write a part, and which files it has."""
    rows = plain(table)  # a slice has all texts of what it was cut from
    counted = rows["file"].value_counts().to_pylist()
    files = [[one["values"], one["counts"]] for one in counted]
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        writer.write_table(rows)
        writer.add_key_value_metadata({_FILES: json.dumps(files)})


def change(
    folder: Path, keys: Sequence[str], batches: Sequence[tuple[pa.RecordBatch, Mapping[str, int]]]
) -> Change:
    """What becomes of the parts in a graph's folder.

    Args:
        folder: The graph.
        keys: The files of the new table, in their order.
        batches: New rows, encoded, with the files they are of and how many each has.
    """
    paths = sorted((folder / FILE_NAME).iterdir())
    before = [_files_of(path) for path in paths]
    home = {key: number for number, files in enumerate(before) for key, _ in files}
    new = {
        key: (batch, at, count) for batch, rows in batches for key, at, count in _spans(list(rows.items()))
    }
    after: list[list[str]] = [[] for _ in paths]
    at = 0
    for key in keys:
        if key in new or key in home:
            at = max(at, home.get(key, 0))  # a file that has moved up takes those behind it along
            after[at].append(key)
    return _changed(paths, before, after, new)


def _changed(
    paths: Sequence[Path],
    before: Sequence[Sequence[FileRows]],
    after: Sequence[Sequence[str]],
    new: Mapping[str, tuple[pa.RecordBatch, int, int]],
) -> Change:
    number_of = {key: number for number, files in enumerate(before) for key, _ in files}
    touched = [
        number
        for number, keys in enumerate(after)
        if [key for key, _ in before[number]] != keys or any(key in new for key in keys)
    ]
    needed = {*touched, *(number_of[key] for n in touched for key in after[n] if key not in new)}
    old = {number: _read(paths[number]) for number in sorted(needed)}
    spans = {key: (old[number], at, count) for number in old for key, at, count in _spans(before[number])}
    parts: dict[str, pa.Table] = {}
    for number in touched:
        slices = [_rows(new[key] if key in new else spans[key]) for key in after[number]]
        parts[paths[number].name] = pa.concat_tables([encoded_table([]), *slices])
    rows, how = 0, Counter[str]()
    for number in touched:
        for table, sign in ((parts[paths[number].name], 1), (old[number], -1)):
            rows += sign * table.num_rows
            for one in table["how"].cast(pa.string()).value_counts().to_pylist():
                how[one["values"]] += sign * one["counts"]
    return Change(parts, rows, how)


def _spans(files: Sequence[FileRows]) -> Iterator[tuple[str, int, int]]:
    starts = accumulate((count for _, count in files), initial=0)
    return ((key, start, count) for (key, count), start in zip(files, starts, strict=False))


def _rows(span: tuple[pa.Table | pa.RecordBatch, int, int]) -> pa.Table:
    source, start, count = span
    table = source if isinstance(source, pa.Table) else pa.Table.from_batches([source], ENCODED)
    return table.slice(start, count)


def _files_of(path: Path) -> list[FileRows]:
    metadata = pq.read_metadata(path).metadata or {}
    return [(key, count) for key, count in json.loads(metadata[_FILES])]


def _read(path: Path) -> pa.Table:
    texts = [f.name for f in SCHEMA if f.type == pa.string()]
    return pq.read_table(path, read_dictionary=texts).replace_schema_metadata(None).cast(ENCODED)
