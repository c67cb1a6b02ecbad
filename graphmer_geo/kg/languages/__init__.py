"""The registry of programming languages. A language module is imported when it is first needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from graphmer_geo.errors import UserError

if TYPE_CHECKING:
    from graphmer_geo.kg.languages.base import Language
    from tree_sitter import Parser

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


def get_parser(name: str) -> Parser:
    """A tree-sitter parser for the language of this name.

    Raises:
        UserError: If the language is unknown.
    """
    grammar = import_module(_look_up(GRAMMARS, name))

    from tree_sitter import Language as Grammar
    from tree_sitter import Parser

    return Parser(Grammar(grammar.language()))


def _look_up(table: dict[str, str], name: str) -> str:
    if name not in table:
        raise UserError(f"unknown language {name!r}; known: {', '.join(sorted(table))}")
    return table[name]
