"""The registry of programming languages. A language module is imported when it is first needed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from graphmer_geo.errors import UserError

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar
    from tree_sitter import Parser, Range

    from graphmer_geo.kg.languages.base import Language

#: name -> "module:attribute" of its Language
LANGUAGES = {
    "java": "graphmer_geo.kg.languages.java:JAVA",
    "python": "graphmer_geo.kg.languages.python:PYTHON",
}

#: name -> module of its tree-sitter grammar
GRAMMARS = {"java": "tree_sitter_java", "python": "tree_sitter_python"}


def get_language(name: str) -> Language:
    """The language of this name.

    Raises:
        UserError: If the language is unknown.
    """
    module, _, attribute = _look_up(LANGUAGES, name).partition(":")
    language: Language = getattr(import_module(module), attribute)
    return language


def get_parser(name: str, ranges: Sequence[Range] | None = None) -> Parser:
    """A tree-sitter parser for the language of this name.

    The grammar is the language's own wheel. Where that is not installed, the one of the unmaintained
    tree-sitter-languages (extra ``legacy-grammars``, tree-sitter before 0.22) does.

    Args:
        name: The language.
        ranges: The parts of a file to parse (default: all of it).

    Raises:
        UserError: If the language is unknown.
    """
    grammar = _grammar(name)
    if grammar is None:
        return _legacy_parser(name, ranges)

    from tree_sitter import Parser

    return Parser(grammar) if ranges is None else Parser(grammar, included_ranges=ranges)


@cache
def _grammar(name: str) -> Grammar | None:
    """The grammar of the language's own wheel; None if only the legacy package is there."""
    module = _look_up(GRAMMARS, name)
    if find_spec(module) is None and find_spec("tree_sitter_languages") is not None:
        return None

    from tree_sitter import Language as Grammar

    return Grammar(import_module(module).language())


def _legacy_parser(name: str, ranges: Sequence[Range] | None) -> Parser:
    import tree_sitter_languages

    with warnings.catch_warnings():  # it uses what tree-sitter 0.21 has deprecated
        warnings.simplefilter("ignore", FutureWarning)
        parser: Any = tree_sitter_languages.get_parser(name)
    if ranges is not None:
        parser.set_included_ranges(ranges)
    return cast("Parser", parser)


def _look_up(table: dict[str, str], name: str) -> str:
    if name not in table:
        raise UserError(f"unknown language {name!r}; known: {', '.join(sorted(table))}")
    return table[name]
