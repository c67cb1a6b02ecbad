"""The named SPARQL queries of ``ontology/queries/``, with what their comment headers say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from graphmer_geo.errors import UserError
from graphmer_geo.resources import query_files

_HEADER = re.compile(r"#\s*(title|description|parameter|then):\s*(.+)")


@dataclass(frozen=True)
class NamedQuery:
    """A shipped query.

    ``parameters`` are variables that must be given a value, with what each means; ``then`` names the step of
    :mod:`graphmer_geo.kg.answers` that makes the answer of the rows, if they are not the answer themselves.
    """

    name: str
    title: str
    description: str
    parameters: dict[str, str]
    text: str
    then: str


@cache
def named_queries() -> dict[str, NamedQuery]:
    """All shipped queries by name."""
    return {
        q.name: q for q in (_parse(f.name.removesuffix(".rq"), f.read_text("utf-8")) for f in query_files())
    }


def named_query(name: str) -> NamedQuery:
    """The query of this name.

    Raises:
        UserError: If there is none.
    """
    queries = named_queries()
    if name not in queries:
        raise UserError(f"no query named {name!r}; there are: {', '.join(sorted(queries))}")
    return queries[name]


def _parse(name: str, text: str) -> NamedQuery:
    notes: dict[str, list[str]] = {"title": [], "description": [], "parameter": [], "then": []}
    for key, value in _HEADER.findall(text):
        notes[key].append(value.strip())
    parameters = {
        p.strip(): meaning.strip() for p, _, meaning in (note.partition(":") for note in notes["parameter"])
    }
    title, description, then = (" ".join(notes[key]) for key in ("title", "description", "then"))
    return NamedQuery(name, title, description, parameters, text, then)
