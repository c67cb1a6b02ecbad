"""The folder of prepared data: its files, its manifest, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from graphmer_geo.data.config import INVERSE, DataConfig
from graphmer_geo.data.shards import shard_file, shard_folder
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.tokenizer import CodeTokenizer
from graphmer_geo.errors import UserError

FORMAT = 2
#: Chunks were ``chunks/<split>.parquet``, one file each; it is read as one shard each.
UNSHARDED = 1
MANIFEST = "manifest.json"
REMEDY = "make it with `graphmer data prepare KG --out DATA`"


@dataclass(frozen=True)
class DataManifest:
    """What the data was made from and what came out.

    Attributes:
        fingerprint: Equal if knowledge graph, configuration and format are.
        kg_fingerprint: That of the knowledge graph.
        ontology_version: Version of the ontology whose relations are used.
        config: The :class:`DataConfig`.
        units: Split of every unit.
        counts: Per split: chunks, tokens, mentions, triples, dropped duplicates, pieces too short.
        shards: Chunks in each shard, by the folder below ``chunks/``.
    """

    fingerprint: str
    kg_fingerprint: str
    ontology_version: str
    config: DataConfig
    units: dict[str, str]
    counts: dict[str, dict[str, int]]
    shards: dict[str, list[int]]
    format: int = FORMAT

    def save(self, folder: Path) -> None:
        """Write ``manifest.json``."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``manifest.json``.

        Raises:
            UserError: The folder does not exist or holds no data of this format.
        """
        path, values = folder / MANIFEST, _read_manifest(folder)
        try:
            if values["format"] not in (UNSHARDED, FORMAT):
                raise UserError(f"{str(path)!r} has format {values['format']}, not {FORMAT}; {REMEDY}")
            config = DataConfig.from_dict(values["config"])
            if values["format"] == UNSHARDED:
                values["shards"] = _one_shard_each(folder, config)
            return cls(**{**values, "config": config})
        except (KeyError, TypeError) as error:
            raise UserError(f"{str(path)!r} is not a manifest of prepared data ({error}); {REMEDY}") from None


def fingerprint_of(folder: Path) -> str | None:
    """That of the data in a folder, whatever its format; None if there is no data."""
    return _read_manifest(folder).get("fingerprint") if (folder / MANIFEST).is_file() else None


def _one_shard_each(folder: Path, config: DataConfig) -> dict[str, list[int]]:
    names = [*map(shard_folder, SPLITS), *(shard_folder("train", roots) for roots in config.curriculum)]
    paths = {name: folder / "chunks" / f"{name}.parquet" for name in names}
    return {n: [pq.read_metadata(p).num_rows if p.is_file() else 0] for n, p in paths.items()}


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise UserError(f"{str(folder)!r} holds no prepared data (no {MANIFEST}); {REMEDY}")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{str(path)!r} is not a manifest of prepared data ({error}); {REMEDY}") from None
    if not isinstance(values, dict):
        raise UserError(f"{str(path)!r} is not a manifest of prepared data (no object); {REMEDY}")
    return values


def relation_ids(relations: Iterable[str]) -> dict[str, int]:
    """Ids of relations and their inverses: 0 is "none", the rest by sorted name."""
    names = sorted({name for relation in relations for name in (relation, relation + INVERSE)})
    return {"none": 0} | {name: index for index, name in enumerate(names, 1)}


@dataclass(frozen=True, eq=False)
class DataFolder:
    """Prepared data on disk; everything is read when first asked for.

    Raises:
        UserError: The folder holds no prepared data, or a file of it is missing.
    """

    path: Path
    manifest: DataManifest

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a folder written by :func:`graphmer_geo.data.prepare`."""
        return cls(Path(path), DataManifest.load(Path(path)))

    @cached_property
    def tokenizer(self) -> CodeTokenizer:
        """``tokenizer.json``."""
        return CodeTokenizer.load(self.path / "tokenizer.json")

    @cached_property
    def relations(self) -> dict[str, int]:
        """Id of every relation, by name; 0 is "none"."""
        path = self.path / "relations.json"
        if not path.is_file():
            raise UserError(f"{str(path)!r} is missing; {REMEDY}")
        ids: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))["relations"]
        return ids

    @cached_property
    def entities(self) -> pa.Table:
        """``entities.parquet``: id, iri, label, kind, language, unit, split, label_tok, parent, name_key."""
        return self._table("entities.parquet")

    @cached_property
    def triples(self) -> pa.Table:
        """``triples.parquet``: head, relation, tail (ids), unit, split, heuristic."""
        return self._table("triples.parquet")

    def chunks(self, split: str, roots: int | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The chunks of a split in one table; training chunks also as cut to one of the shorter lengths."""
        count = len(self.shard_sizes(split, roots))
        return pa.concat_tables([self.shard(split, n, roots, columns) for n in range(count)]).combine_chunks()

    def shard(
        self, split: str, number: int, roots: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Those of one shard. It is read by this thread alone: loader workers are many already."""
        path = self._present(split, roots, number)
        return pq.read_table(path, columns=None if columns is None else list(columns), use_threads=False)

    def shard_sizes(self, split: str, roots: int | None = None) -> list[int]:
        """Number of chunks in each shard, all of which are there; raises as :meth:`shards` does."""
        self.shards(split, roots)
        return self.manifest.shards[self._folder_of(split, roots)]

    def shards(self, split: str, roots: int | None = None) -> list[Path]:
        """The files of ``chunks/<split>/``.

        Raises:
            UserError: no such split, the data was not cut to that length, or a shard is missing.
        """
        count = len(self.manifest.shards[self._folder_of(split, roots)])
        return [self._present(split, roots, number) for number in range(count)]

    def _present(self, split: str, roots: int | None, number: int) -> Path:
        name = self._folder_of(split, roots)
        is_sharded = self.manifest.format != UNSHARDED
        path = self.path / "chunks" / (f"{name}/{shard_file(number)}" if is_sharded else f"{name}.parquet")
        if not path.is_file():
            raise UserError(f"{str(path)!r} is missing; {REMEDY}")
        return path

    def _folder_of(self, split: str, roots: int | None) -> str:
        if split not in SPLITS:
            raise UserError(f"no split {split!r}; use one of {', '.join(SPLITS)}")
        config = self.manifest.config
        if roots is None or roots == config.max_roots:
            return shard_folder(split)
        if split != "train" or roots not in config.curriculum:
            known = ", ".join(map(str, (*config.curriculum, config.max_roots)))
            raise UserError(
                f"{str(self.path)!r} has no {split} chunks of {roots} roots, only of {known}; "
                f"prepare the data again with --max_roots LONGEST --curriculum '[SHORTER, …]'"
            )
        return shard_folder(split, roots)

    def _table(self, name: str) -> pa.Table:
        path = self.path / name
        if not path.is_file():
            raise UserError(f"{str(path)!r} is missing; {REMEDY}")
        return pq.read_table(path).combine_chunks()


def write_relations(folder: Path, relations: Iterable[str], ontology_version: str) -> dict[str, int]:
    """Write ``relations.json`` and return the ids."""
    ids = relation_ids(relations)
    text = json.dumps({"ontology_version": ontology_version, "relations": ids}, indent=1)
    (folder / "relations.json").write_text(text + "\n", encoding="utf-8")
    return ids
