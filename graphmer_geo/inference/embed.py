"""Vectors of code: one per function or per file, written as they are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphmer_geo.data import CodeTokenizer, LeafyChainData, plan_batches
from graphmer_geo.data.collate import collate
from graphmer_geo.data.pairs import PairConfig
from graphmer_geo.data.words import WordTable
from graphmer_geo.errors import UserError
from graphmer_geo.files import replacing
from graphmer_geo.inference.sources import ITEMS, Block, CodeReader, prepared, splits_of
from graphmer_geo.models import GraphMER
from graphmer_geo.models.graphmer import word_bags
from graphmer_geo.nn.search import Bags
from graphmer_geo.train.pair_batch import query_chain
from graphmer_geo.train.run_folder import chain_of
from graphmer_geo.train.search import SEARCH

Of = Literal["functions", "files"]
Progress = Callable[[str, int, int], None]
Vectors = NDArray[np.float32]

#: Nodes in one batch of the encoder.
BATCH_TOKENS = 8192


@dataclass(frozen=True)
class Embedded:
    """Some pieces of code with their vectors ``[n, D]`` of unit length, and their words."""

    items: pa.Table
    vectors: Vectors
    words: WordTable


class Embedder:
    """The encoder of a run as a function from code, or from a question, to vectors.

    A run of ``graphmer finetune`` gives the vectors that search compares; any other run gives the mean state
    of a function's nodes, which says what it looks like and not what it is asked for by.

    Args:
        run: folder of a run.

    Raises:
        UserError: it is not the folder of a run.
    """

    def __init__(self, run: str | Path) -> None:
        self.run = Path(run)
        model = GraphMER.from_pretrained(run)
        device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        self.model = model.to(device or "cpu").eval()
        self.device = next(self.model.parameters()).device
        self.pairs = PairConfig()
        if model.search_head is not None:
            described = json.loads((self.run / SEARCH).read_text(encoding="utf-8"))
            self.pairs = PairConfig.from_dict(described["pairs"])
        tokenizer = CodeTokenizer.load(self.run / "tokenizer.json")
        self.reader = CodeReader(tokenizer, chain_of(run), self.pairs.roots, self.pairs.buckets)

    def source(
        self,
        source: str | Path,
        *,
        split: str = "all",
        of: Of = "functions",
        progress: Progress | None = None,
    ) -> Iterator[Embedded]:
        """The functions, or the files, of some code, a block at a time.

        Args:
            source: a knowledge graph, prepared data, or a JSONL file with ``code`` on each line.
            split: of prepared data; "all" for all.
            of: what gets a vector. A file's is the mean of those of its functions, classes and other code.
            progress: called with a stage, and how much of how much is done.
        """
        path = Path(source)
        if path.is_file():
            blocks = self._embedded(self.reader.lines(path))
            yield from _by_file(blocks) if of == "files" else blocks
            return
        with prepared(path, self.reader.tokenizer) as data:
            names = splits_of(data, split)
            for number, name in enumerate(names):
                if progress:
                    progress("embed", number, len(names))
                blocks = self._embedded(self.reader.folder(data, name, of))
                yield from _by_file(blocks) if of == "files" else blocks
            if progress:
                progress("embed", len(names), len(names))

    def queries(self, texts: Sequence[str]) -> Embedded:
        """Questions in plain words."""
        chains = [query_chain(text, self.reader.tokenizer) for text in texts]
        words = WordTable.of(([(0, text)] for text in texts), self.pairs.buckets)
        none = ITEMS.empty_table()
        return Embedded(none, self.vectors(chains, is_code=False), words)

    def _embedded(self, blocks: Iterator[Block]) -> Iterator[Embedded]:
        for block in blocks:
            yield Embedded(block.items, self.vectors(block.chains), block.words)

    @torch.no_grad()
    def vectors(self, chains: Sequence[LeafyChainData], is_code: bool = True) -> Vectors:
        """``[len(chains), D]`` of unit length."""
        found = np.zeros((len(chains), self.model.config.hidden_size), np.float32)
        lengths = [chain["tok"].numel() for chain in chains]
        for rows in plan_batches(lengths, BATCH_TOKENS, shuffle=False):
            batch = {k: v.to(self.device) for k, v in collate([chains[row] for row in rows]).items()}
            found[rows] = self._pooled(batch, len(rows), is_code).cpu().numpy()
        return found

    def _pooled(self, batch: dict[str, Tensor], count: int, is_code: bool) -> Tensor:
        states = self.model.encode(batch)
        if self.model.search_head is not None:
            sides = torch.full((count,), is_code, device=self.device)
            return self.model.search_vectors(batch, states, sides)
        sums = states.new_zeros(count, states.size(1)).index_add(0, batch["batch"], states)
        return torch.nn.functional.normalize(sums.float(), dim=-1)

    def bags(self, words: WordTable) -> Bags:
        """Words as the search head takes them."""
        tensors = {key: value.to(self.device) for key, value in words.tensors("code").items()}
        return word_bags(tensors, "code", len(words))


def _by_file(blocks: Iterator[Embedded]) -> Iterator[Embedded]:
    """Consecutive pieces of one file as one, with all their words."""
    kept: Embedded | None = None
    for block in blocks:
        whole = block if kept is None else _concatenated(kept, block)
        files = whole.items["file"].to_pylist()
        starts = [n for n, file in enumerate(files) if not n or file != files[n - 1]]
        kept = _rows(whole, starts[-1], len(files))
        if len(starts) > 1:
            yield _merged(whole, starts)
    if kept is not None:
        yield _merged(kept, [0, len(kept.vectors)])


def _concatenated(one: Embedded, other: Embedded) -> Embedded:
    return Embedded(
        pa.concat_tables([one.items, other.items]),
        np.concatenate([one.vectors, other.vectors]),
        one.words.followed_by(other.words),
    )


def _rows(block: Embedded, start: int, stop: int) -> Embedded:
    words = block.words.take(range(start, stop))
    return Embedded(block.items.slice(start, stop - start), block.vectors[start:stop], words)


def _merged(block: Embedded, starts: Sequence[int]) -> Embedded:
    """One row per pair of neighbours in ``starts``; what follows the last is left out."""
    first = np.array(starts[:-1])
    files = block.items["file"].take(pa.array(first)).to_pylist()
    ends = [block.items["end"][stop - 1].as_py() for stop in starts[1:]]
    columns = {
        "name": files, "kind": ["File"] * len(files), "file": files, "start": [0] * len(files),
        "end": ends, "iri": [""] * len(files),
    }  # fmt: skip
    sums = np.add.reduceat(block.vectors[: starts[-1]], first, axis=0)
    vectors = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return Embedded(pa.table(columns, schema=ITEMS), vectors, block.words.merged(starts))


def embed(
    run: str | Path,
    source: str | Path,
    out: str | Path,
    *,
    split: str = "all",
    of: Of = "functions",
    progress: Progress | None = None,
) -> int:
    """Write the vectors of some code to a file, a block at a time: memory does not grow with the code.

    Args:
        run: folder of a run.
        source: a knowledge graph, prepared data, or a JSONL file with ``code`` on each line.
        out: ``….parquet``: a row per function with name, kind, file, place, IRI and ``vector``; or ``….npy``:
            the vectors alone, with the other columns in ``….items.parquet`` beside it.
        split: of prepared data; "all" for all.
        of: "functions" or "files".
        progress: called with a stage, and how much of how much is done.

    Returns:
        How many vectors there are.

    Raises:
        UserError: run or source cannot be read, hold nothing, or ``out`` has another ending.
    """
    path = Path(out)
    writers = {".parquet": _to_parquet, ".npy": _to_npy}
    if path.suffix not in writers:
        raise UserError(f"out is {str(path)!r}; end it with {' or '.join(writers)}")
    embedder = Embedder(run)
    blocks = _some(embedder.source(source, split=split, of=of, progress=progress), f"{of} in {str(source)!r}")
    return writers[path.suffix](blocks, path, embedder.model.config.hidden_size)


def _some(blocks: Iterator[Embedded], what: str) -> Iterator[Embedded]:
    """The blocks, of which there must be one: nothing is written of nothing."""
    count = 0
    for block in blocks:
        count += len(block.vectors)
        yield block
    if not count:
        raise UserError(f"there are no {what}; nothing is written")


def _to_parquet(blocks: Iterator[Embedded], out: Path, size: int) -> int:
    schema = ITEMS.append(pa.field("vector", pa.list_(pa.float32(), size)))
    with ExitStack() as stack:
        part = stack.enter_context(replacing(out))
        writer = stack.enter_context(pq.ParquetWriter(part, schema, compression="zstd"))
        count = 0
        for block in blocks:
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(block.vectors.ravel()), size)
            writer.write_table(block.items.append_column(schema.field("vector"), vectors))
            count += len(block.vectors)
        return count


def _to_npy(blocks: Iterator[Embedded], out: Path, size: int) -> int:
    items = out.with_suffix(".items.parquet")
    with ExitStack() as stack:
        part, table = stack.enter_context(replacing(out)), stack.enter_context(replacing(items))
        writer = stack.enter_context(pq.ParquetWriter(table, ITEMS, compression="zstd"))
        file = stack.enter_context(part.open("wb"))
        count = 0
        write_header(file, count, size)
        for block in blocks:
            file.write(np.ascontiguousarray(block.vectors, "<f4").tobytes())
            writer.write_table(block.items)
            count += len(block.vectors)
        write_header(file, count, size)
        return count


def write_header(file: object, rows: int, size: int) -> None:
    """The header of a ``.npy`` file of float32; NumPy leaves room in it for the number of rows to grow."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, size)}
    file.seek(0)  # type: ignore[attr-defined]
    np.lib.format.write_array_header_1_0(file, header)  # type: ignore[arg-type]
    file.seek(0, 2)  # type: ignore[attr-defined]
