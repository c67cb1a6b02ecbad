"""Where the documentation of a function stands in its code, found from the text alone.

Chunks are all that prepared data holds of the source, and training needs no parser, so neither does this: one
pass over the head of a function, by a regular expression that knows strings, comments and brackets. What it
reads is never evaluated.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

_QUOTED = (
    rb'(?:"""(?:[^\\]|\\.)*?"""'
    rb"|'''(?:[^\\]|\\.)*?'''"
    rb'|"(?:[^"\\\n]|\\.)*"'
    rb"|'(?:[^'\\\n]|\\.)*')"
)
_HEAD = re.compile(rb"#[^\n]*|" + _QUOTED + rb"|\bdef\b|[(\[{]|[)\]}]|:", re.DOTALL)
_BEFORE = re.compile(rb"(?:\s|#[^\n]*\n|\\\n)*")
_DOCSTRING = re.compile(rb"[rRuU]?(" + _QUOTED + rb")[ \t]*(?=[\r\n;#]|$)", re.DOTALL)

_JAVADOC = re.compile(rb"(?:\s|//[^\n]*\n|/\*(?!\*).*?\*/)*(/\*\*(?!/)(.*?)\*/)", re.DOTALL)
_STAR = re.compile(r"^[ \t]*\*+ ?", re.MULTILINE)
_BLOCK_TAG = re.compile(r"^\s*@\w+", re.MULTILINE)
_MARKUP = re.compile(r"\{@\w+\s+([^}]*)\}|</?\w+[^>]*>")


@dataclass(frozen=True, slots=True)
class Docstring:
    """The documentation of a function: its text, and its bytes ``start`` … ``end`` in the code."""

    text: str
    start: int
    end: int

    @property
    def summary(self) -> str:
        """The first paragraph on one line: what a person would ask for."""
        return " ".join(re.split(r"\n\s*\n", self.text, maxsplit=1)[0].split())


def find_docstring(code: bytes, language: str) -> Docstring | None:
    """The documentation of the function that ``code`` is, comments before it included.

    Args:
        code: A function or method as UTF-8, from its first decorator, modifier or comment on.
        language: As the knowledge graph names it.

    Returns:
        ``None`` if there is none, or the language is not known here.
    """
    finder = _FINDERS.get(language)
    return finder(code) if finder else None


def _python(code: bytes) -> Docstring | None:
    depth, defined = 0, False
    for match in _HEAD.finditer(code):
        token = match.group()
        if token == b"def":
            defined = defined or depth == 0
        elif token in b"([{":
            depth += 1
        elif token in b")]}":
            depth -= 1
        elif token == b":" and defined and depth == 0:
            before = _BEFORE.match(code, match.end())
            found = _DOCSTRING.match(code, before.end() if before else match.end())
            return _python_text(found) if found else None
    return None


def _python_text(found: re.Match[bytes]) -> Docstring | None:
    quoted = found.group(1)
    width = 3 if quoted[:3] in (b'"""', b"'''") else 1
    text = inspect.cleandoc(quoted[width:-width].decode("utf-8", errors="replace"))
    return Docstring(text, found.start(), found.end(1)) if text else None


def _java(code: bytes) -> Docstring | None:
    found = _JAVADOC.match(code)
    if found is None:
        return None
    text = _STAR.sub("", found.group(2).decode("utf-8", errors="replace"))
    text = _MARKUP.sub(lambda match: match.group(1) or " ", _BLOCK_TAG.split(text, maxsplit=1)[0])
    text = inspect.cleandoc(text)
    return Docstring(text, found.start(1), found.end(1)) if text else None


_FINDERS: dict[str, Callable[[bytes], Docstring | None]] = {"python": _python, "java": _java}
