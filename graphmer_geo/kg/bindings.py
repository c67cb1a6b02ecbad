"""Values for the variables of a SPARQL query, put in as a VALUES block."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from graphmer_geo.errors import UserError
from graphmer_geo.kg.terms import Term

# What must be skipped whole to find the braces that are structure: IRIs, strings and comments.
_TOKEN = re.compile(
    r"""
      <[^<>"{}|^`\\\s]*>
    | \"{3}(?:\"{0,2}(?:[^"\\]|\\.))*\"{3} | '{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}
    | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*'
    | \#[^\n]*
    | [{}]
    | \bCONSTRUCT\b
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_]\w*")


def bind(query: str, values: Mapping[str, Term]) -> str:
    """The query with the values joined to its outermost pattern, where its filters see them.

    Oxigraph's own substitution demands that each variable is also selected, so it cannot bind a parameter
    that only a filter or a pattern mentions.

    Raises:
        UserError: If a name is no SPARQL variable, does not occur in the query, or the query has no pattern.
    """
    if not values:
        return query
    for name in values:
        if not _NAME.fullmatch(name) or not re.search(rf"[?$]{name}\b", query):
            raise UserError(f"the query has no variable ?{name}; its name must match the parameter")
    names = " ".join(f"?{name}" for name in values)
    terms = " ".join(str(term) for term in values.values())
    at = _pattern_start(query)
    return f"{query[:at]} VALUES ({names}) {{ ({terms}) }} {query[at:]}"


def _pattern_start(query: str) -> int:
    """Position just behind the brace that opens the WHERE pattern."""
    depth = 0
    template = False  # inside the template of CONSTRUCT { … } WHERE { … }
    for token, text, end in _tokens(query):
        if token == "construct":
            template = "{" in text
        elif token == "{":
            if not template:
                return end
            depth += 1
        elif token == "}":
            depth -= 1
            template = template and depth > 0
    raise UserError("the query has no { pattern } to bind parameters in")


def _tokens(query: str) -> Iterator[tuple[str, str, int]]:
    """(lower-cased token, text up to the next WHERE, end of the token), of braces and CONSTRUCT."""
    for match in _TOKEN.finditer(query):
        token = match.group().lower()
        if token in ("{", "}", "construct"):
            yield token, re.split(r"(?i)\bwhere\b", query[match.end() :], maxsplit=1)[0], match.end()
