"""Code to embed, wherever it comes from: a knowledge graph, prepared data, or lines of JSON."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from graphmer_geo.data import ChainConfig, LeafyChainData, LeafyChainDataset
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.functions import Piece, PieceFolder, chunk_table, pieces
from graphmer_geo.data.leafy_chain import TripleTable, assemble
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.tokenizer import CodeTokenizer
from graphmer_geo.data.words import LeafWords, WordTable, function_texts
from graphmer_geo.errors import UserError

#: What is said of each piece of code, beside its vector.
ITEMS = pa.schema(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("file", pa.string()),
        ("start", pa.int64()),  # bytes of the file; lines of a JSONL file
        ("end", pa.int64()),
        ("iri", pa.string()),
    ]
)
_BLOCK = 512
_KINDS = {"functions": ("callable",), "files": ("callable", "type", "module")}


@dataclass(frozen=True)
class Block:
    """Some pieces of code: what they are, their chains and their words, number by number."""

    items: pa.Table
    chains: list[LeafyChainData]
    words: WordTable


@dataclass(frozen=True)
class CodeReader:
    """How a model takes code: its tokenizer, its chains, and how many buckets its words have."""

    tokenizer: CodeTokenizer
    chain: ChainConfig
    roots: int
    buckets: int

    def folder(self, data: DataFolder, split: str, of: str = "functions") -> Iterator[Block]:
        """The functions of one split of prepared data, or all of its code, file by file."""
        leaf_words, kinds = LeafWords(data, self.buckets), _KINDS[of]
        roots = min(self.roots, data.manifest.config.max_roots)
        table = chunk_table(pieces(data, split, kinds), self.tokenizer, roots)
        dataset = LeafyChainDataset(PieceFolder.of(data, table), split, config=self.chain)
        found, row = pieces(data, split, kinds), 0
        while block := list(islice(found, _BLOCK)):
            chains = [dataset[row + number] for number in range(len(block))]
            row += len(block)
            items, labels = _items(data, block)
            texts = [piece.text(self.tokenizer).decode("utf-8", errors="replace") for piece in block]
            words = self._words(zip(labels, texts, strict=True)).joined(leaf_words.of(chains))
            yield Block(items, chains, words)

    def lines(self, path: Path) -> Iterator[Block]:
        """The ``code`` of each line of a JSONL file (``name`` if it has one); such code has no leaves."""
        rows = json_lines(path, ("code",))
        while block := list(islice(rows, _BLOCK)):
            names = [str(row.get("name", f"{path.name}:{number}")) for number, row in block]
            numbers = [number for number, _ in block]
            columns = {
                "name": names, "kind": ["Function"] * len(block), "file": [str(path)] * len(block),
                "start": numbers, "end": numbers, "iri": [""] * len(block),
            }  # fmt: skip
            code = [row["code"] for _, row in block]
            named = zip((str(row.get("name", "")) for _, row in block), code, strict=True)
            chains = [self.chain_of(text) for text in code]
            yield Block(pa.table(columns, schema=ITEMS), chains, self._words(named))

    def chain_of(self, text: str) -> LeafyChainData:
        """A text as the encoder takes it: the beginning of it, without leaves."""
        tok = self.tokenizer.encode_label(text)[: self.roots - 2]
        roots = [self.tokenizer.cls_id, *tok, self.tokenizer.sep_id]
        return assemble(np.array(roots, np.int64), TripleTable.from_triples([]))

    def _words(self, named: Iterable[tuple[str, str]]) -> WordTable:
        return WordTable.of((function_texts(name, text) for name, text in named), self.buckets)


def _items(data: DataFolder, block: Sequence[Piece]) -> tuple[pa.Table, list[str]]:
    at = pa.array([max(piece.entity, 0) for piece in block])
    entities = data.entities
    if "iri" not in entities.column_names:  # a packed copy
        entities = entities.append_column("iri", pa.array([""] * len(entities)))
    found = entities.select(["label", "kind", "iri"]).take(at).to_pydict()
    columns = {
        "name": found["label"], "kind": found["kind"], "iri": found["iri"],
        **{name: [getattr(piece, name) for piece in block] for name in ("file", "start", "end")},
    }  # fmt: skip
    return pa.table(columns, schema=ITEMS), found["label"]


def json_lines(path: Path, keys: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Number (from 1) and object of each line.

    Raises:
        UserError: the file cannot be read, or a line lacks one of ``keys`` as a string.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise UserError(f"{path}, line {number} is not JSON ({error}); mend it") from None
                missing = [k for k in keys if not isinstance(row, dict) or not isinstance(row.get(k), str)]
                if missing:
                    raise UserError(f"{path}, line {number} has no text {missing[0]!r}; give one per line")
                yield number, row
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}; give a JSONL file in UTF-8") from None


@contextmanager
def prepared(source: Path, tokenizer: CodeTokenizer) -> Iterator[DataFolder]:
    """Prepared data: the folder itself, or what is made of a knowledge graph for a trained model.

    Raises:
        UserError: it is neither, or its tokenizer is not that of the model.
    """
    if (source / "chunks").is_dir():
        data = DataFolder.open(source)
        if data.tokenizer.tokenizer.to_str() != tokenizer.tokenizer.to_str():
            raise UserError(
                f"the tokenizer of {str(source)!r} is not that of the model; "
                "give the knowledge graph instead, or data prepared with the model"
            )
        yield data
        return
    from graphmer_geo.data.preparation import prepare

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        prepare(source, folder, tokenizer=tokenizer)
        yield DataFolder.open(folder)


def fingerprint(source: Path) -> str:
    """Equal as long as the code behind a source is.

    Raises:
        UserError: there is nothing to read.
    """
    if source.is_file():
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if (source / "chunks").is_dir():
        return DataFolder.open(source).manifest.fingerprint
    from graphmer_geo.kg.manifest import Manifest

    return Manifest.load(source).fingerprint


def splits_of(data: DataFolder, split: str) -> tuple[str, ...]:
    """The splits that ``split`` stands for; "all" for all."""
    if split == "all":
        return SPLITS
    if split not in SPLITS:
        raise UserError(f"no split {split!r}; use one of {', '.join(SPLITS)}, or all")
    return (split,)
