"""A knowledge graph and its source text become training data: ``graphmer data prepare``."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from graphmer_geo.data.chunk_writing import ChunkWriter
from graphmer_geo.data.config import DataConfig
from graphmer_geo.data.cut_code import CutCode, CutFile, cut
from graphmer_geo.data.entities import EntityTable
from graphmer_geo.data.folder import FORMAT, MANIFEST, DataManifest, fingerprint_of, write_relations
from graphmer_geo.data.mentions import COLUMNS as MENTION_COLUMNS
from graphmer_geo.data.mentions import MentionIndex
from graphmer_geo.data.shards import write_parquet
from graphmer_geo.data.splits import SPLITS, split_units, units_of
from graphmer_geo.data.text_columns import coded
from graphmer_geo.data.tokenizer import CodeTokenizer
from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph
from graphmer_geo.kg.folder import replaced_folder
from graphmer_geo.kg.vocabulary import RELATIONS

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # stage, done, total

_ENTITY_COLUMNS = (
    "iri", "kind", "name", "qualified_name", "language", "file", "start", "end", "parent",
)  # fmt: skip


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
    ``chunks/{train,validation,test}/<shard>.parquet`` (and ``train-<length>/`` for a curriculum),
    ``manifest.json``. The tokenizer sees training chunks only. Source code and its chunks are read and
    written piece by piece; the graph, and where its entities are mentioned, are held in memory.
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
    if fingerprint_of(target) == fingerprint:
        log.info("%s is up to date", target)
        return DataManifest.load(target)
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


class _Preparation:
    """One run: holds the tables that several steps need."""

    def __init__(
        self, kg: KnowledgeGraph, config: DataConfig, progress: Progress, tokenizer: CodeTokenizer | None
    ) -> None:
        self.kg, self.config, self.progress, self.tokenizer = kg, config, progress, tokenizer
        table = kg.entities(_ENTITY_COLUMNS)
        self.entities = EntityTable.from_kg(table)
        records = [r for r in kg.manifest.files if r.status != "skipped"]
        self.unit_of = units_of(records, config.unit)
        self.ids = {iri: entity for entity, iri in enumerate(self.entities.iri)}
        self.mentions = MentionIndex.read(kg.occurrence_parts(MENTION_COLUMNS), self.ids)
        self.files: list[CutFile] = []
        for file in cut(kg, table, self.entities, self.mentions, self.unit_of):
            progress("chunks", len(self.files), len(self.unit_of))
            self.files.append(file)

    def write(self, folder: Path, fingerprint: str) -> DataManifest:
        """All files but the manifest."""
        config = self.config
        splits = self._split()
        code = CutCode.of(self.kg, self.files, splits)
        copies: dict[str, int] = {}
        if config.near_duplicates:
            code, copies = code.without_near_duplicates(config.near_duplicates)
        tokenizer = self.tokenizer or CodeTokenizer.train(code.texts("train"), config.vocab_size)
        tokenizer.save(folder / "tokenizer.json")
        writer = ChunkWriter(folder, config, tokenizer, self.mentions, self.entities)
        written = writer.write(code, self.progress)
        relations = write_relations(folder, RELATIONS, self.kg.ontology_version)
        entities = self.entities.to_arrow(self.unit_of, splits, tokenizer)
        write_parquet(entities, folder / "entities.parquet")
        triples = self._triples(relations, splits)
        write_parquet(triples, folder / "triples.parquet")
        counts = {split: dict(found) for split, found in written.counts.items()}
        facts = {c["values"]: c["counts"] for c in triples["split"].value_counts().to_pylist()}
        for split in SPLITS:
            counts[split]["triples"] = facts.get(split, 0)
            if copies:
                counts[split]["near_duplicates_dropped"] = copies[split]
        return DataManifest(
            fingerprint=fingerprint,
            kg_fingerprint=self.kg.manifest.fingerprint,
            ontology_version=self.kg.ontology_version,
            config=config,
            units=dict(sorted(splits.items())),
            counts={split: dict(sorted(found.items())) for split, found in counts.items()},
            shards=written.shards,
        )

    def _split(self) -> dict[str, str]:
        """The split of every unit that has code."""
        sizes: dict[str, Counter[str]] = defaultdict(Counter)
        for file in self.files:
            sizes[file.unit][file.language] += file.size
        with_code = {unit: parts for unit, parts in sizes.items() if sum(parts.values())}
        if self.tokenizer is not None:
            return dict.fromkeys(with_code, "train")
        return split_units(
            with_code,
            self.config.fractions,
            self.config.seed,
            test_units=self.config.test_units,
            validation_units=self.config.validation_units,
        )

    def _triples(self, relations: Mapping[str, int], splits: Mapping[str, str]) -> pa.Table:
        """One row per fact. A fact of two splits belongs to the earlier one, so it is never a test target."""
        table = self.kg.triples()
        head, tail = (coded(table[column], self.ids) for column in ("subject", "object"))
        relation = coded(table["relation"], relations)
        units = sorted(set(self.unit_of.values()))
        place = {unit: number for number, unit in enumerate(units)}
        unit = coded(table["file"], {file: place[unit] for file, unit in self.unit_of.items()})
        # Facts of files without code, which are in no split, come last and are left out.
        ranks = [SPLITS.index(splits[unit]) if unit in splits else len(SPLITS) for unit in units]
        rank = np.array([*ranks, len(SPLITS)], np.int64)[unit]
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
                "unit": pa.array(units, pa.string()).take(unit[rows]),
                "split": pa.array(SPLITS).take(rank[rows]),
                "heuristic": heuristic[rows].astype(np.bool_),
            }
        )
