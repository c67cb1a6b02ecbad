"""A compact copy of prepared data, to be carried to a machine that only trains."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from graphmer_geo.data.folder import FORMAT, DataFolder
from graphmer_geo.data.shards import drawn, shard_file, shard_folder, write_parquet
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
        for name in ("tokenizer.json", "relations.json"):
            shutil.copyfile(folder.path / name, packed / name)
        write_parquet(
            folder.entities.drop_columns(list(SPARE["entities"])), packed / "entities.parquet", LEVEL
        )
        write_parquet(folder.triples, packed / "triples.parquet", LEVEL)
        shards = {split: _copy(folder, packed, split, None) for split in SPLITS[1:]}
        manifest = replace(folder.manifest, format=FORMAT)
        manifest.save(packed)  # written again below, a line longer if chunks were left out
        fixed = _size(packed) + 64
        lengths = (None, *manifest.config.curriculum)
        fitting = _fit(folder, packed, lengths, inf if max_mb is None else max_mb * 1e6 - fixed)
        if fitting is None:
            raise UserError(
                f"the graph, validation and test alone take {fixed / 1e6:.4g} MB of {max_mb}; "
                "raise --max-mb, or prepare data from less code"
            )
        files, train = fitting
        manifest = replace(manifest, shards=shards | train)
        kept, there = sum(train[shard_folder("train")]), sum(folder.shard_sizes("train"))
        if kept < there:
            told = f"{manifest.fingerprint} packed {files}"
            counts = {split: dict(values) for split, values in manifest.counts.items()}
            counts["train"]["chunks_packed"] = kept
            fingerprint = hashlib.sha256(told.encode()).hexdigest()
            manifest = replace(manifest, fingerprint=fingerprint, counts=counts)
        manifest.save(packed)
    return Packed(_size(target), kept, there)


def _fit(
    folder: DataFolder, packed: Path, lengths: Sequence[int | None], room: float
) -> tuple[int, dict[str, list[int]]] | None:
    """Write the training chunks of as many files as there is room for.

    Returns:
        How many files, and how many chunks in each shard; None if there is room for none.
    """
    files = sorted(folder.chunks("train", columns=["file"])["file"].unique().to_pylist(), key=drawn)
    kept = len(files)
    while kept > 0:
        chosen = pa.array(files[:kept])
        written = {
            shard_folder("train", roots): _copy(folder, packed, "train", roots, chosen) for roots in lengths
        }
        size = sum(_size(packed / "chunks" / name) for name in written)
        if size <= room:
            return kept, written
        for name in written:
            shutil.rmtree(packed / "chunks" / name)
        kept = min(kept - 1, int(kept * max(room, 0.0) / size * MARGIN))
    return None


def _copy(
    folder: DataFolder, packed: Path, split: str, roots: int | None, files: pa.Array | None = None
) -> list[int]:
    """Write the shards of a split, of some files or all; how many chunks each has."""
    sizes: list[int] = []
    for number in range(len(folder.shard_sizes(split, roots))):
        table = folder.shard(split, number, roots).drop_columns(list(SPARE["chunks"]))
        if files is not None:
            table = table.filter(pc.is_in(table["file"], value_set=files))
        if table.num_rows or not sizes:
            write_parquet(
                table, packed / "chunks" / shard_folder(split, roots) / shard_file(len(sizes)), LEVEL
            )
            sizes.append(table.num_rows)
    return sizes


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
