"""A knowledge graph and its source text become training data: ``graphmer data prepare``."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graphmer_geo.data.chunk_table import CHUNK_SCHEMA, ChunkRow, Mentions, make_windows
from graphmer_geo.data.chunks import ChunkSpan, EntitySpan, chunk_spans
from graphmer_geo.data.config import DataConfig
from graphmer_geo.data.entities import EntityTable
from graphmer_geo.data.folder import FORMAT, MANIFEST, DataManifest, write_relations
from graphmer_geo.data.near_duplicates import near_duplicates
from graphmer_geo.data.splits import SPLITS, split_units, text_key, units_of
from graphmer_geo.data.tokenizer import CodeTokenizer, decode
from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph
from graphmer_geo.kg.folder import replaced_folder
from graphmer_geo.kg.vocabulary import RELATIONS

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # stage, done, total


def prepare(
    kg: KnowledgeGraph | str | Path,
    out: str | Path,
    config: DataConfig | None = None,
    *,
    tokenizer: CodeTokenizer | None = None,
    progress: Progress | None = None,
) -> DataManifest:
    """Write training data of ``kg`` to the folder ``out``, replacing data of an earlier run.

    Files: ``tokenizer.json``, ``relations.json``, ``entities.parquet``, ``triples.parquet``,
    ``chunks/{train,validation,test}.parquet`` (and ``train-<length>.parquet`` for a curriculum),
    ``manifest.json``. The tokenizer sees training chunks only.
    Chunks of validation and test whose text (white space aside) occurs in an earlier split, and functions
    that are nearly one of an earlier split, are dropped and counted. If the graph and the configuration are
    those of the data already there, nothing is done.

    Args:
        kg: A knowledge graph or its folder. The source files must still be where they were read.
        out: Folder to write; the old one stays intact until the new one is complete.
        config: Settings.
        tokenizer: That of a trained model, to use the model on this code instead of training one: all code is
            put into the train split, and nothing is left out as a copy.
        progress: Called with a stage, and how much of how much is done.

    Raises:
        UserError: ``out`` holds something else, a source file has changed, or the graph has too few units to
            split.
    """
    config = config or DataConfig()
    target = Path(out)
    graph = KnowledgeGraph.open(kg) if isinstance(kg, str | Path) else kg
    fingerprint = _fingerprint(graph, config, tokenizer)
    if target.exists() and not (target / MANIFEST).is_file() and (target.is_file() or any(target.iterdir())):
        raise UserError(f"{str(target)!r} exists and is not prepared data; choose another --out")
    if (target / MANIFEST).is_file():
        present = DataManifest.load(target)
        if present.fingerprint == fingerprint:
            log.info("%s is up to date", target)
            return present
    with replaced_folder(target) as folder:
        manifest = _Preparation(graph, config, progress or _silent, tokenizer).write(folder, fingerprint)
        manifest.save(folder)
    return manifest


def _silent(stage: str, done: int, total: int) -> None:
    """No progress."""


def _fingerprint(kg: KnowledgeGraph, config: DataConfig, tokenizer: CodeTokenizer | None) -> str:
    parts = {"format": FORMAT, "kg": kg.manifest.fingerprint, "config": config.to_dict()}
    if tokenizer is not None:
        parts["tokenizer"] = tokenizer.tokenizer.to_str()
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class _File:
    """One source file, cut."""

    key: str
    source: bytes
    spans: list[ChunkSpan]


class _Preparation:
    """One run: holds the tables that several steps need."""

    def __init__(
        self, kg: KnowledgeGraph, config: DataConfig, progress: Progress, tokenizer: CodeTokenizer | None
    ) -> None:
        self.kg, self.config, self.progress, self.tokenizer = kg, config, progress, tokenizer
        table = kg.entities()
        self.entities = EntityTable.from_kg(table)
        self.records = {r.key: r for r in kg.manifest.files if r.status != "skipped"}
        self.unit_of = units_of(self.records.values(), config.unit)
        self.mentions = Mentions.by_file(kg.occurrences, self.entities)
        self.spans_of, self.owner_of = _spans_by_file(table, self.entities)
        self.counts: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}

    def write(self, folder: Path, fingerprint: str) -> DataManifest:
        """All files but the manifest."""
        files = list(self._cut())
        sizes: dict[str, Counter[str]] = defaultdict(Counter)
        for file in files:
            size = sum(span.end - span.start for span in file.spans)
            sizes[self.unit_of[file.key]][self.records[file.key].language] += size
        splits = self._split({unit: parts for unit, parts in sizes.items() if sum(parts.values())})
        split_of = {file.key: splits[self.unit_of[file.key]] for file in files if file.spans}
        files = self._without_near_duplicates(files, split_of)
        tokenizer = self.tokenizer or CodeTokenizer.train(
            (
                decode(file.source[span.start : span.end])
                for file in files
                for span in file.spans
                if split_of[file.key] == "train"
            ),
            self.config.vocab_size,
        )
        tokenizer.save(folder / "tokenizer.json")
        self._write_chunks(folder, files, split_of, tokenizer)
        relations = write_relations(folder, RELATIONS, self.kg.ontology_version)
        entities = self.entities.to_arrow(self.unit_of, splits, tokenizer)
        pq.write_table(entities, folder / "entities.parquet", compression="zstd")
        triples = self._triples(relations, splits)
        pq.write_table(triples, folder / "triples.parquet", compression="zstd")
        self._count_triples(triples)
        return DataManifest(
            fingerprint=fingerprint,
            kg_fingerprint=self.kg.manifest.fingerprint,
            ontology_version=self.kg.ontology_version,
            config=self.config,
            units=dict(sorted(splits.items())),
            counts={split: dict(sorted(counts.items())) for split, counts in self.counts.items()},
        )

    def _split(self, sizes: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
        """The split of every unit."""
        if self.tokenizer is not None:
            return dict.fromkeys(sizes, "train")
        config = self.config
        return split_units(
            sizes,
            config.fractions,
            config.seed,
            test_units=config.test_units,
            validation_units=config.validation_units,
        )

    def _cut(self) -> Iterator[_File]:
        for done, key in enumerate(sorted(self.records)):
            self.progress("chunks", done, len(self.records))
            source = self.kg.read_source(key)
            names = self.mentions[key].start.tolist() if key in self.mentions else []
            spans = chunk_spans(source, self.spans_of.get(key, ()), self.owner_of.get(key, -1), names)
            yield _File(key, source, spans)

    def _without_near_duplicates(self, files: Sequence[_File], split_of: Mapping[str, str]) -> list[_File]:
        """Drop functions of validation and test that are nearly those of an earlier split."""
        places: dict[str, list[tuple[_File, ChunkSpan]]] = {split: [] for split in SPLITS}
        for file in files:
            for span in file.spans:
                if span.kind == "callable":
                    places[split_of[file.key]].append((file, span))
        dropped: set[tuple[str, int]] = set()
        if self.config.near_duplicates:
            texts = [(file.source[span.start : span.end] for file, span in places[split]) for split in SPLITS]
            found = near_duplicates(texts, self.config.near_duplicates)
            for split, copies in zip(SPLITS, found, strict=True):
                self.counts[split]["near_duplicates_dropped"] = len(copies)
                dropped |= {(file.key, span.start) for file, span in (places[split][row] for row in copies)}
        return [
            replace(file, spans=[span for span in file.spans if (file.key, span.start) not in dropped])
            for file in files
        ]

    def _write_chunks(
        self, folder: Path, files: Sequence[_File], split_of: Mapping[str, str], tokenizer: CodeTokenizer
    ) -> None:
        (folder / "chunks").mkdir()
        seen: set[bytes] = set()
        for split in SPLITS:
            fresh: set[bytes] = set()
            own = [file for file in files if split_of.get(file.key) == split]
            counts = self.counts[split]
            for roots in (self.config.max_roots, *(self.config.curriculum if split == "train" else ())):
                longest = roots == self.config.max_roots
                found: Counter[str] = Counter(
                    chunks=0, tokens=0, mentions=0, duplicates_dropped=0, too_short=0
                )
                rows = self._rows(own, roots, tokenizer, seen, fresh, found)
                file_name = f"{split}.parquet" if longest else f"{split}-{roots}.parquet"
                columns: dict[str, list[Any]] = {
                    name: [getattr(row, name) for row in rows] for name in CHUNK_SCHEMA.names
                }
                table = pa.table(columns, schema=CHUNK_SCHEMA)
                pq.write_table(table, folder / "chunks" / file_name, compression="zstd")
                counts.update({key if longest else f"{key}_{roots}": n for key, n in found.items()})
            seen |= fresh
            self.progress("tokens", SPLITS.index(split) + 1, len(SPLITS))

    def _rows(
        self,
        files: Sequence[_File],
        roots: int,
        tokenizer: CodeTokenizer,
        seen: Set[bytes],
        fresh: set[bytes],
        counts: Counter[str],
    ) -> list[ChunkRow]:
        """The windows of some files, of at most ``roots`` tokens; their texts go to ``fresh``."""
        _, name_keys = self.entities.names()
        config = replace(self.config, max_roots=roots, curriculum=())
        rows: list[ChunkRow] = []
        for file in files:
            mentions = self.mentions.get(file.key)
            for span in file.spans:
                for row in make_windows(file.source, span, mentions, tokenizer, name_keys, config):
                    key = text_key(file.source[row.start : row.end])
                    if len(row.tok) < config.min_roots:
                        counts["too_short"] += 1
                    elif key in seen:
                        counts["duplicates_dropped"] += 1
                    else:
                        fresh.add(key)
                        rows.append(row.placed(file.key, self.unit_of[file.key]))
                        counts.update(chunks=1, tokens=len(row.tok), mentions=len(row.mention_start))
        return rows

    def _triples(self, relations: Mapping[str, int], splits: Mapping[str, str]) -> pa.Table:
        """One row per fact. A fact of two splits belongs to the earlier one, so it is never a test target."""
        table = self.kg.triples()
        iris = pa.array(self.entities.iri)
        units = [self.unit_of.get(key) for key in table["file"].to_pylist()]
        rank = np.array([_rank(splits.get(unit or "")) for unit in units], np.int64)
        head = pc.index_in(table["subject"], value_set=iris).to_numpy().astype(np.int64)
        tail = pc.index_in(table["object"], value_set=iris).to_numpy().astype(np.int64)
        relation = np.array([relations[name] for name in table["relation"].to_pylist()], np.int64)
        heuristic = table["heuristic"].to_numpy().astype(np.int64)
        order = np.lexsort((heuristic, rank, tail, relation, head))
        keys = np.stack([head[order], relation[order], tail[order]])
        first = np.ones(len(order), np.bool_)
        first[1:] = (keys[:, 1:] != keys[:, :-1]).any(0)
        rows = order[first]
        rows = rows[rank[rows] < len(SPLITS)]
        return pa.table(
            {
                "head": head[rows],
                "relation": relation[rows],
                "tail": tail[rows],
                "unit": [units[row] for row in rows.tolist()],
                "split": [SPLITS[rank[row]] for row in rows.tolist()],
                "heuristic": heuristic[rows].astype(np.bool_),
            }
        )

    def _count_triples(self, triples: pa.Table) -> None:
        counted = triples["split"].value_counts().to_pylist()
        for split in SPLITS:
            self.counts[split]["triples"] = sum(c["counts"] for c in counted if c["values"] == split)


def _rank(split: str | None) -> int:
    """Position of a split; facts of files without code (which are in no split) come last and are left out."""
    return SPLITS.index(split) if split is not None else len(SPLITS)


def _spans_by_file(
    table: pa.Table, entities: EntityTable
) -> tuple[dict[str, list[EntitySpan]], dict[str, int]]:
    """Declarations of every file, and what its top-level code belongs to: its module, else its first type."""
    spans: dict[str, list[EntitySpan]] = defaultdict(list)
    start, end, files = (table[name].to_pylist() for name in ("start", "end", "file"))
    for entity, file in enumerate(files):
        if file is not None and start[entity] is not None:
            spans[file].append(EntitySpan(entity, entities.kind[entity], start[entity], end[entity]))
    owners = {}
    for file, members in spans.items():
        modules = [span.entity for span in members if span.kind == "Module"]
        owners[file] = modules[0] if modules else min(members, key=lambda s: (s.start, -s.end)).entity
    return spans, owners
