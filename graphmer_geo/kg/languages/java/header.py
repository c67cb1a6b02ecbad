"""Modifiers, Javadoc and signatures: what a declaration says besides its name and types."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tree_sitter import Node

from graphmer_geo.kg.languages.java.grammar import Text

_VISIBILITY = frozenset({"public", "protected", "private"})
_MARGIN = re.compile(r"^[ \t]*\*+ ?", re.MULTILINE)
_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


class Modifiers(NamedTuple):
    """The keywords and the annotations before a declaration."""

    words: tuple[str, ...]
    annotations: tuple[Node, ...]


NO_MODIFIERS = Modifiers((), ())


def modifiers_of(node: Node) -> Modifiers:
    """The modifiers and annotations of a declaration or parameter."""
    for child in node.children:
        if child.type == "modifiers":
            words: list[str] = []
            annotations: list[Node] = []
            for modifier in child.children:
                kind = modifier.type
                if kind in ("annotation", "marker_annotation"):
                    annotations.append(modifier)
                elif not kind.endswith("comment"):
                    words.append(kind)
            return Modifiers(tuple(words), tuple(annotations))
        if child.type in ("identifier", "type_identifier"):
            break
    return NO_MODIFIERS


def literals_of(modifiers: Modifiers, implicit_visibility: str = "package-private") -> dict[str, Any]:
    """The datatype properties that modifiers state."""
    words = modifiers.words
    visibility = next((word for word in words if word in _VISIBILITY), implicit_visibility)
    literals: dict[str, Any] = {"visibility": visibility}
    others = [word for word in words if word not in _VISIBILITY]
    if others:
        literals["modifier"] = others
        if "static" in others:
            literals["isStatic"] = True
        if "abstract" in others:
            literals["isAbstract"] = True
    return literals


def docstring_of(comment: Node | None, text: Text) -> str | None:
    """The text of a Javadoc comment without its frame; None for any other comment."""
    if comment is None or comment.type != "block_comment":
        return None
    raw = text.of(comment)
    if not raw.startswith("/**") or len(raw) < 6:
        return None
    return _MARGIN.sub("", raw[3:-2]).strip() or None


def signature_of(node: Node, body: Node | None, text: Text) -> str:
    """A declaration from its first modifier that is no annotation up to its body, on one line."""
    start = node.start_byte
    for child in node.children:
        if child.type == "modifiers":
            start = child.end_byte
            for modifier in child.children:
                if (
                    modifier.type not in ("annotation", "marker_annotation")
                    and "comment" not in modifier.type
                ):
                    start = modifier.start_byte
                    break
        elif "comment" not in child.type:
            if (
                start < child.start_byte
                and child.prev_sibling is not None
                and start == child.prev_sibling.end_byte
            ):
                start = child.start_byte
            break
    raw = text.slice(start, body.start_byte if body is not None else node.end_byte)
    if "/" in raw:
        raw = _COMMENT.sub(" ", raw)
    return _SPACE.sub(" ", raw).strip().rstrip(";").strip()
