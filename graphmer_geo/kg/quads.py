"""The asserted quads of a store as integer columns.

Oxigraph writes them as one table and Arrow reads it back with each column dictionary-encoded, so that Python
sees every distinct term once instead of four objects per quad.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyoxigraph as ox
from numpy.typing import NDArray

from graphmer_geo.kg import vocabulary as v

Ids = NDArray[np.int64]

#: Stands for a value that is no integer.
NO_NUMBER = np.iinfo(np.int64).min

_QUERY = "SELECT ?s ?p ?o ?g WHERE { GRAPH ?g { ?s ?p ?o } }"
_COLUMNS = ("?s", "?p", "?o", "?g")
_BLOCK = 1 << 30  # a row must fit into one block, and a docstring may be long
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\^\^<([^>]*)>|(@.*))?', re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Quads:
    """Distinct terms by code, and the asserted quads' subjects and objects as codes, by predicate."""

    texts: list[str]  # IRI or lexical form
    datatypes: list[str]  # "" of IRIs
    numbers: Ids  # NO_NUMBER where the text is no integer
    rows: dict[str, tuple[Ids, Ids]]  # predicate IRI -> subject codes, object codes

    def of(self, predicate: str) -> tuple[Ids, Ids]:
        """Subjects and objects of one predicate."""
        none = np.zeros(0, dtype=np.int64)
        return self.rows.get(predicate, (none, none))


def read_quads(store: ox.Store) -> Quads:
    """Read all asserted quads, heuristic ones included."""
    subjects, predicates, objects, graphs = _table(store)
    kept = np.array([g[1:].startswith(v.ASSERTED_GRAPHS) for g in graphs[1]], dtype=bool)[graphs[0]]
    terms = [_parse(term) for term in (*subjects[1], *objects[1])]
    order = np.argsort(predicates[0][kept], kind="stable")
    subject_codes = subjects[0][kept][order]
    object_codes = objects[0][kept][order] + len(subjects[1])
    bounds = np.searchsorted(predicates[0][kept][order], np.arange(len(predicates[1]) + 1))
    rows = {
        predicate[1:-1]: (subject_codes[a:b], object_codes[a:b])
        for predicate, a, b in zip(predicates[1], bounds[:-1], bounds[1:], strict=True)
    }
    texts = [text for text, _ in terms]
    return Quads(texts, [d for _, d in terms], np.array([_number(t) for t in texts], dtype=np.int64), rows)


def _table(store: ox.Store) -> list[tuple[Ids, list[str]]]:
    """Codes and dictionary of each of the four columns."""
    solutions = store.query(_QUERY)
    assert isinstance(solutions, ox.QuerySolutions)
    text = solutions.serialize(format=ox.QueryResultsFormat.TSV)
    assert text is not None
    encoded = pa.dictionary(pa.int32(), pa.string())
    table = pc.read_csv(
        io.BytesIO(text),
        read_options=pc.ReadOptions(use_threads=False, block_size=_BLOCK),
        parse_options=pc.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=pc.ConvertOptions(column_types=dict.fromkeys(_COLUMNS, encoded)),
    )
    columns = []
    for name in _COLUMNS:
        column = table[name].unify_dictionaries().combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # of an empty table
            column = pa.array([], encoded) if not column.num_chunks else column.chunk(0)
        codes = column.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        columns.append((codes, column.dictionary.to_pylist()))
    return columns


def _parse(term: str) -> tuple[str, str]:
    """Text and datatype of a term as SPARQL's TSV writes it."""
    if term[0] == "<":
        return term[1:-1], ""
    if term.startswith("_:"):
        return term, ""
    match = _LITERAL.fullmatch(term)
    if match is None:  # a number or a truth value, written bare
        return term, v.XSD + _bare_type(term)
    text, datatype, language = match.groups()
    if "\\" in text:
        text = _ESCAPE.sub(_unescape, text)
    return text, v.RDF + "langString" if language else datatype or v.XSD + "string"


def _bare_type(term: str) -> str:
    if term in ("true", "false"):
        return "boolean"
    if "e" in term or "E" in term:
        return "double"
    return "decimal" if "." in term else "integer"


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code[0] in "uU" and len(code) > 1 else _CONTROLS.get(code, code)


def _number(text: str) -> int:
    """The integer a text is, if 64 bits hold it."""
    digits = text[1:] if text.startswith("-") else text
    return int(text) if digits.isdecimal() and len(digits) < 19 else NO_NUMBER
