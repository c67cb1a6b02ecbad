"""Where the code and the leaves of one leafy chain go on a page, in character cells; no drawing yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphmer_geo.data.leafy_chain import LeafyChainData
from graphmer_geo.viz.palette import STRUCTURE, family_of

TAB = 4


@dataclass(frozen=True)
class Leaf:
    """One triple, drawn as a chip below the name it hangs on."""

    relation: str  # as in the relation map: ``calls``, or ``calls^-1`` for the inverse direction
    tail: str  # the tail's tokens as text; empty when masked
    visible: bool  # the tail's name can be read in this very code
    line: int  # of the head, from 0, in the lines shown
    start: int  # columns of the head
    end: int


@dataclass(frozen=True)
class ChainLayout:
    """The lines of a chunk and the leaves on them."""

    lines: tuple[str, ...]
    leaves: tuple[Leaf, ...]  # sorted by line and column
    first_line: int  # how many lines of the chunk come before the first one shown
    total_lines: int
    hidden_leaves: int  # on lines or columns that are not shown


def layout_chain(
    data: LeafyChainData,
    token_bytes: Sequence[bytes],
    relation_names: Mapping[int, str],
    *,
    max_lines: int = 18,
    max_columns: int = 100,
) -> ChainLayout:
    """Lay out one (unbatched) chain.

    Args:
        data: The chain.
        token_bytes: What each token stands for; empty for special tokens.
        relation_names: Relation id to name.
        max_lines: Longest excerpt; of longer chunks the part with most leaves is shown.
        max_columns: Where lines are cut.
    """
    num_roots = data.num_nodes - data["leaf_index"].numel()
    pieces = [token_bytes[t].decode("utf-8", errors="replace") for t in data["tok"][:num_roots].tolist()]
    text, offsets = _join(pieces)
    lines = text.rstrip().split("\n")
    leaves, hidden = _place(data, token_bytes, relation_names, text, offsets, max_columns)
    first = _busiest(len(lines), [leaf.line for leaf in leaves], max_lines)
    shown = [leaf for leaf in leaves if first <= leaf.line < first + max_lines]
    moved = [
        Leaf(leaf.relation, leaf.tail, leaf.visible, leaf.line - first, leaf.start, leaf.end)
        for leaf in shown
    ]
    return ChainLayout(
        lines=tuple(_cut(line, max_columns) for line in lines[first : first + max_lines]),
        leaves=tuple(sorted(moved, key=lambda leaf: (leaf.line, leaf.start, leaf.relation, leaf.tail))),
        first_line=first,
        total_lines=len(lines),
        hidden_leaves=hidden + len(leaves) - len(shown),
    )


def interest(layout: ChainLayout) -> float:
    """How much a drawing of this chain would show: kinds of facts and names that carry them, on one screen.

    Facts that follow from containment count for nothing; a crowd counts against.
    """
    telling = [leaf for leaf in layout.leaves if family_of(leaf.relation) is not STRUCTURE]
    families = {family_of(leaf.relation).title for leaf in telling}
    heads = {(leaf.line, leaf.start) for leaf in telling}
    both = len({leaf.visible for leaf in telling})
    crowd = max(0, len(layout.leaves) - 14) + max(0, layout.total_lines - len(layout.lines)) / 4
    return 3 * len(families) + 2 * both + min(len(heads), 8) - crowd - layout.hidden_leaves


def _join(pieces: Sequence[str]) -> tuple[str, list[int]]:
    """The text, with tabs and line ends made plain, and where each token begins in it."""
    parts, offsets, length = [], [], 0
    for piece in pieces:
        plain = piece.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " " * TAB)
        offsets.append(length)
        parts.append(plain)
        length += len(plain)
    return "".join(parts), [*offsets, length]


def _place(
    data: LeafyChainData,
    token_bytes: Sequence[bytes],
    relation_names: Mapping[int, str],
    text: str,
    offsets: Sequence[int],
    max_columns: int,
) -> tuple[list[Leaf], int]:
    """One leaf per triple whose head can be shown, and how many cannot."""
    tails: list[list[bytes]] = [[] for _ in range(data["triple_rel"].numel())]
    leaf_tokens = data["tok"][data["leaf_index"]].tolist()
    for token, triple in zip(leaf_tokens, data["leaf_triple"].tolist(), strict=True):
        tails[triple].append(token_bytes[token])
    leaves, hidden = [], 0
    columns = ("triple_rel", "triple_head_start", "triple_head_len", "triple_visible")
    rows = zip(*(data[name].tolist() for name in columns), tails, strict=True)
    for relation, head, length, visible, tail in rows:
        start, end = offsets[head], offsets[head + length]
        start += len(text[start:end]) - len(text[start:end].lstrip())
        end = start + len(text[start:end].split("\n")[0].rstrip())
        column = start - (text.rfind("\n", 0, start) + 1)
        if end <= start or column + end - start > max_columns:
            hidden += 1
            continue
        name = b"".join(tail).decode("utf-8", errors="replace").strip()
        line = text.count("\n", 0, start)
        leaves.append(Leaf(relation_names[relation], name, bool(visible), line, column, column + end - start))
    return leaves, hidden


def _busiest(num_lines: int, marks: Sequence[int], window: int) -> int:
    """First line of the window with most marks; the earliest of equals."""
    starts = range(max(1, num_lines - window + 1))
    return max(starts, key=lambda s: (sum(s <= mark < s + window for mark in marks), -s))


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else line[: columns - 1] + "…"
