"""Cutting a file into chunks: one per function or method, one per stretch of other code between them.

Works from entity spans and bytes alone, so it is the same for every language. No byte is in two chunks.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CALLABLES = frozenset({"Function", "Method", "Constructor", "Initializer"})
TYPES = frozenset({"Class", "Interface", "Enum", "Record", "AnnotationType"})


_BLANK_LINE = re.compile(rb"\n[ \t\r]*\n")


class EntitySpan(NamedTuple):
    """A declaration in one file; bytes."""

    entity: int
    kind: str
    start: int
    end: int


class ChunkSpan(NamedTuple):
    """A piece of one file that makes a chunk, or several windows of one."""

    entity: int  # what it is the code of; -1: a file without a module entity
    kind: str  # "callable", "type" (class header and fields) or "module" (top-level code)
    start: int
    end: int


@dataclass(slots=True)
class _Node:
    span: ChunkSpan
    children: list[_Node]


def chunk_spans(
    source: bytes, entities: Iterable[EntitySpan], owner: int, names: Sequence[int]
) -> list[ChunkSpan]:
    """The chunks of one file, in order and disjoint.

    A function inside a function stays with it, and so does a class inside a function. What is left of a class
    or of the file falls into the gaps between their members. What follows a gap's last name and a blank line
    (or a gap without names) is a comment; it goes to the member after the gap, so that it stays with what it
    describes.

    Args:
        source: The file's bytes.
        entities: Its declarations.
        owner: The entity of top-level code; -1 if there is none.
        names: Sorted byte offsets of all names that are declared or used in the file.
    """
    root = _Node(ChunkSpan(owner, "module", 0, len(source)), [])
    stack = [root]
    for entity in sorted(entities, key=lambda e: (e.start, -e.end, e.entity)):
        kind = "callable" if entity.kind in CALLABLES else "type" if entity.kind in TYPES else None
        if kind is None or entity.end <= entity.start:
            continue
        while stack[-1].span.end <= entity.start and stack[-1] is not root:
            stack.pop()
        above = stack[-1]
        if above.span.kind != "callable" and entity.end <= above.span.end:
            node = _Node(ChunkSpan(entity.entity, kind, entity.start, entity.end), [])
            above.children.append(node)
            stack.append(node)
    return list(_cut(source, root, names))


def _cut(source: bytes, node: _Node, names: Sequence[int]) -> Iterator[ChunkSpan]:
    """Chunks of a node and everything below it."""
    position = node.span.start
    for child in node.children:
        gap = node.span._replace(start=position, end=child.span.start)
        own = gap._replace(end=_end_of_named(source, gap, names))
        if (kept := _strip(source, own)) is not None:
            yield kept
        if (lead := _strip(source, gap._replace(start=own.end))) is not None:
            child = _Node(child.span._replace(start=lead.start), child.children)
        yield from _cut(source, child, names)
        position = child.span.end
    rest = _strip(source, node.span._replace(start=position))
    if rest and (not node.children or _end_of_named(source, rest, names) > rest.start):
        yield rest


def _strip(source: bytes, span: ChunkSpan) -> ChunkSpan | None:
    """Without white space at either end; None if nothing is left."""
    text = source[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip())
    end = span.start + len(text.rstrip())
    return span._replace(start=start, end=end) if start < end else None


def _end_of_named(source: bytes, gap: ChunkSpan, names: Sequence[int]) -> int:
    """Where the code of a gap ends: at the first blank line after its last name; its start if it has none."""
    last = bisect_left(names, gap.end) - 1
    if last < 0 or names[last] < gap.start:
        return gap.start
    blank = _BLANK_LINE.search(source, names[last], gap.end)
    return blank.start() if blank else gap.end


def windows(
    source: bytes, start: NDArray[np.int64], end: NDArray[np.int64], limit: int
) -> list[tuple[int, int]]:
    """Cut tokens into windows of at most ``limit``, between lines where possible.

    Of the line starts in the second half of a window the least indented is taken (the last of equals): in
    every brace or indentation language that is where a statement, and the outermost one, begins. A line
    longer than half a window is cut between tokens.

    Args:
        source: The file's bytes.
        start: First byte of each token.
        end: Byte after each token.
        limit: Most tokens of a window.

    Returns:
        ``(first token, token after the last)`` of each window.
    """
    result, first = [], 0
    while len(start) - first > limit:
        low, high = first + limit // 2, first + limit  # candidates for the first token of the next window
        cut, least = high, None
        for token in range(max(low, first + 1), high + 1):
            before = source[int(start[token - 1]) : int(start[token])]
            if (newline := max(before.rfind(b"\n"), before.rfind(b"\r"))) >= 0:
                indent = len(before) - newline - 1
                if least is None or indent <= least:
                    cut, least = token, indent
        result.append((first, cut))
        first = cut
    result.append((first, len(start)))
    return result
