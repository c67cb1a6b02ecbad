"""Functions as search sees them: whole again, where chunks were windows, with or without documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from graphmer_geo.data.chunk_table import CHUNK_SCHEMA, OWNER_ROLE
from graphmer_geo.data.folder import DataFolder
from graphmer_geo.data.tokenizer import CodeTokenizer
from graphmer_geo.data.triple_index import Ragged

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Piece:
    """The code of one declaration, of all its windows; positions count its tokens, -1 is ``<cls>``."""

    entity: int
    kind: str
    file: str
    unit: str
    start: int  # bytes of the file
    end: int
    tok: IntArray  # without <cls> and <sep>
    mention_start: IntArray
    mention_len: IntArray
    mention_entity: IntArray
    mention_role: tuple[str, ...]
    mention_name: IntArray

    def text(self, tokenizer: CodeTokenizer) -> bytes:
        """Its code as UTF-8: tokens leave nothing out."""
        return b"".join(tokenizer.token_bytes[token] for token in self.tok.tolist())

    def without(self, spans: Sequence[tuple[int, int]], tokenizer: CodeTokenizer) -> Piece:
        """Without the tokens that share bytes with one of the spans ``start, end`` of :meth:`text`."""
        ends = np.cumsum([len(tokenizer.token_bytes[token]) for token in self.tok.tolist()], dtype=np.int64)
        kept = np.ones(len(self.tok) + 1, np.bool_)  # one more, for mentions at the very end
        for start, end in spans:
            if start < end:
                first, last = np.searchsorted(ends, start, side="right"), np.searchsorted(ends, end)
                kept[first : last + 1] = False
        kept[-1] = True
        place: IntArray = np.cumsum(kept) - kept
        owner = self.mention_start < 0
        first_token = np.maximum(self.mention_start, 0)
        gone = np.append(0, np.cumsum(~kept))
        whole = gone[first_token] == gone[np.minimum(first_token + self.mention_len, len(kept))]
        moved = np.where(owner, -1, place[first_token])
        return replace(self, tok=self.tok[kept[:-1]], mention_start=moved)._with_mentions(owner | whole)

    def cut(self, length: int) -> Piece:
        """Its first tokens."""
        if len(self.tok) <= length:
            return self
        inside = self.mention_start + self.mention_len <= length
        return replace(self, tok=self.tok[:length])._with_mentions(inside)

    def _with_mentions(self, kept: NDArray[np.bool_]) -> Piece:
        roles = tuple(role for role, keep in zip(self.mention_role, kept.tolist(), strict=True) if keep)
        names = ("mention_start", "mention_len", "mention_entity", "mention_name")
        return replace(self, mention_role=roles, **{name: getattr(self, name)[kept] for name in names})


def pieces(folder: DataFolder, split: str, kinds: Sequence[str] = ("callable",)) -> Iterator[Piece]:
    """The declarations of a split in the order of its chunks, each with all its windows.

    Args:
        folder: Prepared data.
        split: "train", "validation" or "test".
        kinds: Of chunks: callable, type, module.

    Raises:
        UserError: There is no such split.
    """
    table = folder.chunks(split)
    ragged = {name: Ragged.from_arrow(table, name) for name in _RAGGED}
    roles = table["mention_role"].combine_chunks()
    columns = {name: table[name].to_pylist() for name in ("file", "unit", "entity", "kind", "start", "end")}
    first = 0
    for row in range(1, len(table) + 1):
        if row < len(table) and all(columns[c][row] == columns[c][first] for c in ("entity", "kind", "file")):
            continue
        if columns["kind"][first] in kinds:
            values = {name: columns[name][first] for name in ("file", "unit", "entity", "kind", "start")}
            windows = [
                _window({name: column[number] for name, column in ragged.items()}, roles[number].as_py())
                for number in range(first, row)
            ]
            yield _joined(windows, values | {"end": columns["end"][row - 1]})
        first = row


_RAGGED = ("tok", "mention_start", "mention_len", "mention_entity", "mention_name")
_Window = tuple[dict[str, IntArray], list[str]]


def _window(values: dict[str, IntArray], roles: list[str]) -> _Window:
    return values | {"tok": values["tok"][1:-1], "mention_start": values["mention_start"] - 1}, roles


def _joined(windows: Sequence[_Window], values: dict[str, object]) -> Piece:
    """One piece; what stands on ``<cls>`` of a window is kept of the first only."""
    parts: dict[str, list[IntArray]] = {name: [] for name in _RAGGED}
    roles: list[str] = []
    before = 0
    for number, (columns, found) in enumerate(windows):
        own = np.array([role != OWNER_ROLE or not number for role in found], np.bool_)
        shift = np.where(columns["mention_start"] < 0, 0, before)
        moved = columns | {"mention_start": columns["mention_start"] + shift}
        for name, part in parts.items():
            part.append(moved[name] if name == "tok" else moved[name][own])
        roles += [role for role, keep in zip(found, own.tolist(), strict=True) if keep]
        before += len(columns["tok"])
    joined = {name: np.concatenate(part) for name, part in parts.items()}
    return Piece(mention_role=tuple(roles), **joined, **values)  # type: ignore[arg-type]


def chunk_table(found: Iterable[Piece], tokenizer: CodeTokenizer, max_roots: int) -> pa.Table:
    """Rows of :data:`CHUNK_SCHEMA`, each the beginning of a piece, as the encoder takes it.

    Which names can be read is left out: it is asked of targets only, and search has none.
    """
    found = iter(found)
    tables = [CHUNK_SCHEMA.empty_table()]
    while block := list(islice(found, _BLOCK)):
        rows = [_row(piece.cut(max_roots - 2), tokenizer) for piece in block]
        columns = {name: [row[name] for row in rows] for name in CHUNK_SCHEMA.names}
        tables.append(pa.table(columns, schema=CHUNK_SCHEMA))
    return pa.concat_tables(tables).combine_chunks()


_BLOCK = 4096


def _row(part: Piece, tokenizer: CodeTokenizer) -> dict[str, object]:
    none: list[int] = []
    return {
        "file": part.file, "unit": part.unit, "entity": part.entity, "kind": part.kind,
        "start": part.start, "end": part.end,
        "tok": np.concatenate([[tokenizer.cls_id], part.tok, [tokenizer.sep_id]]),
        "tok_start": none, "tok_end": none,
        "mention_start": part.mention_start + 1, "mention_len": part.mention_len,
        "mention_entity": part.mention_entity, "mention_role": part.mention_role,
        "mention_name": part.mention_name, "name": none, "name_count": none,
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class PieceFolder(DataFolder):
    """Prepared data whose chunks are given pieces: what :class:`LeafyChainDataset` makes chains of."""

    table: pa.Table = field(default_factory=CHUNK_SCHEMA.empty_table)
    without_relations: tuple[str, ...] = ()

    @classmethod
    def of(cls, folder: DataFolder, table: pa.Table, without_relations: Sequence[str] = ()) -> PieceFolder:
        """``folder`` with other chunks, and without the triples of some relations."""
        return cls(folder.path, folder.manifest, table, tuple(without_relations))

    def shard(
        self, split: str, number: int, roots: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """The pieces, whatever is asked for."""
        return self.table if columns is None else self.table.select(list(columns))

    def shard_sizes(self, split: str, roots: int | None = None) -> list[int]:
        """All are in one."""
        return [self.table.num_rows]

    @cached_property
    def triples(self) -> pa.Table:
        """Those of the folder, but for the relations that are left out."""
        table = self._table("triples.parquet")
        hidden = [self.relations[name] for name in self.without_relations]
        keep = np.isin(table["relation"].to_numpy(), hidden, invert=True)
        return table.filter(pa.array(keep)).combine_chunks()


def text_piece(code: str, tokenizer: CodeTokenizer) -> Piece:
    """Code of no graph: nothing in it is known, so nothing will hang on it."""
    tok, none = np.array(tokenizer.encode_label(code), np.int64), np.zeros(0, np.int64)
    return Piece(-1, "callable", "", "", 0, len(code.encode()), tok, none, none, none, (), none)
