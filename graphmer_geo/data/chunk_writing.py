"""Tokens, mentions and names of all chunks, written shard by shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from graphmer_geo.data.chunk_table import ChunkRow, make_windows
from graphmer_geo.data.config import DataConfig
from graphmer_geo.data.cut_code import CutCode, CutFile
from graphmer_geo.data.entities import EntityTable
from graphmer_geo.data.mentions import MentionIndex
from graphmer_geo.data.shards import chunk_table, shard_file, shard_folder, shard_numbers, write_parquet
from graphmer_geo.data.splits import SPLITS, text_key
from graphmer_geo.data.tokenizer import CodeTokenizer


@dataclass(frozen=True)
class WrittenChunks:
    """Per split, what was counted; per folder, how many chunks each shard has."""

    counts: dict[str, Counter[str]]
    shards: dict[str, list[int]]


class ChunkWriter:
    """Writes ``chunks/``; the rows of one shard are in memory at a time, and a hash of each text.

    Args:
        folder: Of the data.
        config: Settings.
        tokenizer: As trained on the train split.
        mentions: Where entities are mentioned.
        entities: Their names.
    """

    def __init__(
        self,
        folder: Path,
        config: DataConfig,
        tokenizer: CodeTokenizer,
        mentions: MentionIndex,
        entities: EntityTable,
    ) -> None:
        self.folder, self.tokenizer, self.mentions = folder / "chunks", tokenizer, mentions
        self.config = config
        self._name_keys = entities.names()[1]
        self._seen: set[bytes] = set()  # texts of the splits before
        self._fresh: set[bytes] = set()  # and of this one

    def write(self, code: CutCode, progress: Callable[[str, int, int], None]) -> WrittenChunks:
        """Write all splits, train first: what it has is dropped from the others."""
        counts: dict[str, Counter[str]] = {}
        shards: dict[str, list[int]] = {}
        done, total = 0, sum(map(len, code.splits.values()))
        for split in SPLITS:
            counts[split] = Counter()
            for number, files in self._shards(code.splits[split]):
                progress("tokens", done, total)
                for roots in (None, *(self.config.curriculum if split == "train" else ())):
                    rows, found = self._rows(code, files, roots)
                    name = shard_folder(split, roots)
                    write_parquet(chunk_table(rows), self.folder / name / shard_file(number))
                    shards.setdefault(name, []).append(len(rows))
                    suffix = "" if roots is None else f"_{roots}"
                    counts[split].update({key + suffix: n for key, n in found.items()})
                done += len(files)
            self._seen |= self._fresh
            self._fresh.clear()
        progress("tokens", total, total)
        return WrittenChunks(counts, shards)

    def _shards(self, files: Sequence[CutFile]) -> Iterator[tuple[int, list[CutFile]]]:
        """The files of each shard; one without files if there are none."""
        numbers = shard_numbers([file.size for file in files], self.config.shard_bytes)
        if not files:
            yield 0, []
        for number, members in groupby(zip(numbers, files, strict=True), key=lambda pair: pair[0]):
            yield number, [file for _, file in members]

    def _rows(
        self, code: CutCode, files: Sequence[CutFile], roots: int | None
    ) -> tuple[list[ChunkRow], Counter[str]]:
        """The windows of some files, of at most ``roots`` tokens, and what became of them."""
        config = self.config if roots is None else replace(self.config, max_roots=roots, curriculum=())
        found: Counter[str] = Counter(chunks=0, tokens=0, mentions=0, duplicates_dropped=0, too_short=0)
        rows: list[ChunkRow] = []
        for file in files:
            source, mentions = code.kg.read_source(file.key), self.mentions.of(file.key)
            for span in file.spans:
                for row in make_windows(source, span, mentions, self.tokenizer, self._name_keys, config):
                    key = text_key(source[row.start : row.end])
                    if len(row.tok) < config.min_roots:
                        found["too_short"] += 1
                    elif key in self._seen:
                        found["duplicates_dropped"] += 1
                    else:
                        self._fresh.add(key)
                        rows.append(row.placed(file.key, file.unit))
                        found.update(chunks=1, tokens=len(row.tok), mentions=len(row.mention_start))
        return rows, found
