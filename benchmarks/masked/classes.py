"""What kind of token each token is, by the grammar of its language: the text is parsed and never run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.kg.languages import LANGUAGES, get_parser

#: By number. Prose is comments and docstrings; other is punctuation, operators and white space.
CLASSES = ("identifier", "keyword", "literal", "type", "prose", "other")
IDENTIFIER, KEYWORD, LITERAL, TYPE, PROSE, OTHER = range(len(CLASSES))

#: Named nodes of the grammars that are one class whatever is in them.
_WHOLE = {
    "comment": PROSE, "line_comment": PROSE, "block_comment": PROSE,
    "string_start": LITERAL, "string_content": LITERAL, "string_end": LITERAL, "escape_sequence": LITERAL,
    "string_literal": LITERAL, "character_literal": LITERAL, "integer": LITERAL, "float": LITERAL,
    "decimal_integer_literal": LITERAL, "hex_integer_literal": LITERAL, "octal_integer_literal": LITERAL,
    "binary_integer_literal": LITERAL, "decimal_floating_point_literal": LITERAL,
    "hex_floating_point_literal": LITERAL, "true": LITERAL, "false": LITERAL, "none": LITERAL,
    "null_literal": LITERAL, "this": KEYWORD, "super": KEYWORD,
    "integral_type": TYPE, "floating_point_type": TYPE, "boolean_type": TYPE, "void_type": TYPE,
    "type_identifier": TYPE,
}  # fmt: skip
#: Fields whose child is the name of what is called.
_CALLED = {"call": "function", "method_invocation": "name"}


@dataclass(frozen=True)
class Classified:
    """Class and part of speech of the root tokens of some chunks, by row."""

    classes: list[np.ndarray]  # [R] each: index into CLASSES
    called: list[np.ndarray]  # [R] bool each: the token begins the name of what is called


def classify(folder: DataFolder, split: str, limit: int | None = None, seed: int = 0) -> Classified:
    """The tokens of a split's chunks.

    Windows of one function are put together again before they are parsed, so that none begins in the middle
    of a string.

    Args:
        folder: prepared data.
        split: whose chunks.
        limit: look only at so many functions, drawn with the seed; the others come out empty.
        seed: of that draw.

    Raises:
        UserError: a file is of a language without a grammar.
    """
    table, token_bytes = folder.chunks(split), folder.tokenizer.token_bytes
    columns = table["tok"].combine_chunks()
    tokens, ptr = columns.values.to_numpy(), columns.offsets.to_numpy()
    rows = list(_runs(table))
    if limit is not None and len(rows) > limit:
        chosen = np.random.default_rng((seed, 0xC1)).permutation(len(rows))[:limit]
        rows = [rows[i] for i in np.sort(chosen)]
    empty = np.zeros(0, np.int64)
    classes, called = [empty] * len(table), [empty.astype(bool)] * len(table)
    languages = [key.split("/", 1)[0] for key in table["file"].to_pylist()]
    for run in rows:
        pieces = [token_bytes[t] for row in run for t in tokens[ptr[row] : ptr[row + 1]].tolist()]
        kinds, calls = classes_of(pieces, languages[run[0]])
        for row in run:
            count = int(ptr[row + 1] - ptr[row])
            classes[row], kinds = kinds[:count], kinds[count:]
            called[row], calls = calls[:count], calls[count:]
    return Classified(classes, called)


def _runs(table: pa.Table) -> Iterator[list[int]]:
    """Rows that are windows of one piece of a file, each starting where the one before it ends."""
    files, start, end = (table[name].to_pylist() for name in ("file", "start", "end"))
    run: list[int] = []
    for row in range(len(files)):
        if run and (files[row], start[row]) != (files[run[-1]], end[run[-1]]):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def classes_of(pieces: list[bytes], language: str) -> tuple[np.ndarray, np.ndarray]:
    """Class ``[R]`` of tokens that spell a piece of source together, and which begin a called name.

    A token is what the first of its characters that is not white space belongs to.

    Raises:
        UserError: the language has no grammar.
    """
    if language not in LANGUAGES:
        raise UserError(f"no grammar for {language!r}; known: {', '.join(sorted(LANGUAGES))}")
    source = b"".join(pieces)
    by_byte = np.full(len(source) + 1, OTHER)
    call_at = np.zeros(len(source) + 1, bool)
    _paint(get_parser(language).parse(source).root_node, by_byte, call_at)
    ends = np.cumsum([len(piece) for piece in pieces])
    space = [len(piece) - len(piece.lstrip()) for piece in pieces]
    first = ends - [len(piece) for piece in pieces] + space
    blank = first >= ends
    return np.where(blank, OTHER, by_byte[first]), call_at[first] & ~blank


def _paint(root: Any, by_byte: np.ndarray, call_at: np.ndarray) -> None:
    """Write the class of every leaf over its bytes."""
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, in_type = stack.pop()
        kind = node.type
        if kind in _CALLED and (name := _called_name(node)) is not None:
            call_at[name.start_byte] = True
        if kind == "expression_statement" and node.child_count == 1 and node.children[0].type == "string":
            by_byte[node.start_byte : node.end_byte] = PROSE
        elif kind in _WHOLE:
            by_byte[node.start_byte : node.end_byte] = _WHOLE[kind]
        elif node.child_count:
            inside = in_type or kind == "type"
            stack.extend((child, inside or _is_base_list(node, child)) for child in node.children)
        else:
            by_byte[node.start_byte : node.end_byte] = _leaf(node, in_type)


def _leaf(node: Any, in_type: bool) -> int:
    if node.type == "identifier":
        return TYPE if in_type else IDENTIFIER
    return KEYWORD if not node.is_named and node.type.replace("_", "").isalpha() else OTHER


def _called_name(node: Any) -> Any:
    """The identifier that a call names last: ``b`` of ``a.b()``; None where an expression is called."""
    name = node.child_by_field_name(_CALLED[node.type])
    if name is not None and name.type == "attribute":
        name = name.child_by_field_name("attribute")
    return name if name is not None and name.type == "identifier" else None


def _is_base_list(node: Any, child: Any) -> bool:
    return node.type == "class_definition" and child.type == "argument_list"
