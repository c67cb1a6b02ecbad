"""A compact copy of prepared data, to be carried to a machine that only trains."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.errors import UserError
from graphmer_geo.kg.folder import replaced_folder

#: Columns that neither training nor evaluation reads.
SPARE = {"entities": ("iri",), "chunks": ("tok_start", "tok_end")}
#: Compression of Parquet files: slow to write, as fast to read.
LEVEL = 19
#: Files differ in size: each attempt to fit takes a little less than the share that there is room for.
MARGIN = 0.97


@dataclass(frozen=True)
class Packed:
    """What became of it."""

    bytes: int
    chunks: int
    """Training chunks kept."""
    of: int
    """Training chunks there were."""


def pack(data: str | Path, out: str | Path, max_mb: float | None = None) -> Packed:
    """Copy prepared data without what only its preparation needed, compressed well.

    If it is still larger than ``max_mb`` (10⁶ bytes), whole source files are left out of the training chunks
    (drawn by a hash of their names, the same ones at every length of a curriculum); the graph, validation
    and test stay complete.

    Raises:
        UserError: even without training chunks it would be larger.
    """
    folder, target = DataFolder.open(data), Path(out)
    if target.resolve() == folder.path.resolve():
        raise UserError(f"{str(target)!r} is the data itself; choose another --out")
    with replaced_folder(target) as packed:
        (packed / "chunks").mkdir()
        for name in ("tokenizer.json", "relations.json"):
            shutil.copyfile(folder.path / name, packed / name)
        _write(folder.entities.drop_columns(list(SPARE["entities"])), packed / "entities.parquet")
        _write(folder.triples, packed / "triples.parquet")
        for split in SPLITS[1:]:
            _write(_slim(folder.chunks(split)), packed / "chunks" / f"{split}.parquet")
        folder.manifest.save(packed)  # written again below, a line longer if chunks were left out
        fixed = _size(packed) + 64
        lengths = (None, *folder.manifest.config.curriculum)
        tables = {_name(roots): _slim(folder.chunks("train", roots)) for roots in lengths}
        files = _fit(packed, tables, inf if max_mb is None else max_mb * 1e6 - fixed)
        if files is None:
            raise UserError(
                f"the graph, validation and test alone take {fixed / 1e6:.4g} MB of {max_mb}; "
                "raise --max-mb, or prepare data from less code"
            )
        manifest = folder.manifest
        kept = pq.read_metadata(packed / "chunks" / _name(None)).num_rows
        if kept < len(tables[_name(None)]):
            told = f"{manifest.fingerprint} packed {files}"
            counts = {split: dict(values) for split, values in manifest.counts.items()}
            counts["train"]["chunks_packed"] = kept
            fingerprint = hashlib.sha256(told.encode()).hexdigest()
            manifest = replace(manifest, fingerprint=fingerprint, counts=counts)
        manifest.save(packed)
    return Packed(_size(target), kept, len(tables[_name(None)]))


def _fit(packed: Path, tables: dict[str, pa.Table], room: float) -> int | None:
    """Write the training chunks of as many files as there is room for; how many, or None if of none."""
    files = sorted(set(tables[_name(None)]["file"].to_pylist()), key=_drawn)
    kept = len(files)
    while kept > 0:
        chosen = pa.array(files[:kept])
        for name, table in tables.items():
            _write(table.filter(pc.is_in(table["file"], value_set=chosen)), packed / "chunks" / name)
        size = sum((packed / "chunks" / name).stat().st_size for name in tables)
        if size <= room:
            return kept
        kept = min(kept - 1, int(kept * max(room, 0.0) / size * MARGIN))
    return None


def _drawn(file: str) -> bytes:
    return hashlib.sha256(file.encode()).digest()


def _name(roots: int | None) -> str:
    return "train.parquet" if roots is None else f"train-{roots}.parquet"


def _slim(chunks: pa.Table) -> pa.Table:
    return chunks.drop_columns(list(SPARE["chunks"]))


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", compression_level=LEVEL)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
