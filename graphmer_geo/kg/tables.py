"""The graph's entities and relations as columns, read from the store property by property.

Where an entity's name is written, the occurrence table says.

The store serialises each property natively and Arrow parses it: no Python object is made per triple.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyoxigraph as ox

from graphmer_geo.kg import vocabulary as v

ENTITIES = pa.schema(
    [
        pa.field("iri", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # local name of the class
        pa.field("name", pa.string(), nullable=False),
        pa.field("qualified_name", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("file", pa.string()),  # key; null for externals and Java packages
        pa.field("start", pa.int64()),  # bytes; null where file is
        pa.field("end", pa.int64()),
        pa.field("name_start", pa.int64()),  # null where no name is written, and in remote graphs
        pa.field("name_end", pa.int64()),
        pa.field("parent", pa.string()),  # IRI; null at the top
    ]
)

TRIPLES = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),  # key of the file that asserts it
        pa.field("subject", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),  # local name
        pa.field("object", pa.string(), nullable=False),
        pa.field("heuristic", pa.bool_(), nullable=False),
    ]
)

_COLUMNS = {
    "name": "name",
    "qualified_name": "qualifiedName",
    "language": "language",
    "start": "startByte",
    "end": "endByte",
}
#: Columns of entities -> columns of their definitions in the occurrence table.
NAME_COLUMNS = {"name_start": "start", "name_end": "end"}
_KINDS = v.KINDS | {v.EXTERNAL}
_DIGITS = 16 + len("/")  # of a SHA-256, between a file graph's prefix and the file's key
#: Escapes of a literal in tab-separated results; the backslash itself must be the last.
_ESCAPES = {'\\"': '"', "\\t": "\t", "\\n": "\n", "\\r": "\r", "\\b": "\b", "\\f": "\f", "\\\\": "\\"}


def file_of_graph(graph: str) -> tuple[str, bool]:
    """The file key in the IRI of a file's named graph, and whether it is the graph of heuristic edges."""
    heuristic = graph.startswith(v.HEURISTIC_GRAPHS)
    prefix = v.HEURISTIC_GRAPHS if heuristic else v.FILE_GRAPHS
    return graph[len(prefix) + _DIGITS :], heuristic


def entity_table(
    store: ox.Store, columns: Sequence[str] = ENTITIES.names, occurrences: pa.Table | None = None
) -> pa.Table:
    """Entities, sorted by IRI.

    Args:
        store: The graph.
        columns: Which columns to read; each costs time.
        occurrences: The occurrence table, for the places of names (default: they are null).
    """
    typed = _asserted_rows(store, v.RDF_TYPE)
    kinds = pa.DictionaryArray.from_arrays(
        typed["o"].indices, pc.replace_substring_regex(typed["o"].dictionary, f"^{v.GM}", "")
    )
    known = pc.is_in(kinds, value_set=pa.array(sorted(_KINDS)))
    iris, kinds = typed["s"].filter(known).cast(pa.string()), kinds.filter(known)
    order = pc.array_sort_indices(iris)
    iris = iris.take(order)
    table = {"iri": iris, "kind": kinds.take(order).cast(pa.string())}
    for column in columns:
        if column in _COLUMNS:
            rows = _rows(store, f"SELECT ?s ?o WHERE {{ ?s <{v.gm(_COLUMNS[column])}> ?o }}", union=True)
            values = _literals(rows["o"], ENTITIES.field(column).type)
            found = values.take(pc.index_in(iris, value_set=_values(rows["s"])))
            table[column] = pc.fill_null(found, "") if pa.types.is_string(found.type) else found
        elif column == "file":
            rows = _asserted_rows(store, v.gm("definedInFile"))
            files = pc.utf8_slice_codeunits(rows["o"].cast(pa.string()), len(v.FILE_BASE))
            table[column] = files.take(pc.index_in(iris, value_set=_values(rows["s"])))
        elif column == "parent":
            parts = [_asserted_rows(store, v.gm(relation)) for relation in v.CONTAINMENT]
            subjects = pa.concat_arrays([_values(p["s"]) for p in parts])
            objects = pa.concat_arrays([_values(p["o"]) for p in parts])
            table[column] = subjects.take(pc.index_in(iris, value_set=objects))
    table |= _name_columns(iris, occurrences)
    schema = pa.schema([ENTITIES.field(name) for name in columns])
    return pa.table({name: table[name] for name in columns}, schema=schema)


def _name_columns(iris: pa.Array, occurrences: pa.Table | None) -> dict[str, pa.Array]:
    if occurrences is None:
        return dict.fromkeys(NAME_COLUMNS, pa.nulls(len(iris), pa.int64()))
    own = pc.and_(
        pc.equal(occurrences["role"], "definition"), pc.equal(occurrences["subject"], occurrences["entity"])
    )
    definitions = occurrences.select(["entity", *NAME_COLUMNS.values()]).filter(own).combine_chunks()
    rows = pc.index_in(iris, value_set=definitions["entity"])
    return {name: definitions[column].take(rows) for name, column in NAME_COLUMNS.items()}


def triple_table(store: ox.Store) -> pa.Table:
    """All asserted relations between entities, sorted by file, subject, relation, object."""
    parts = [(relation, _asserted_rows(store, v.gm(relation))) for relation in v.RELATIONS]
    counts = [len(rows["s"]) for _, rows in parts]
    relations = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(len(parts), dtype=np.int32), counts)), [name for name, _ in parts]
    )
    graphs, subjects, objects = (
        pa.chunked_array([rows[column] for _, rows in parts], _IRIS).unify_dictionaries().combine_chunks()
        for column in ("g", "s", "o")
    )
    names = [file_of_graph(graph) for graph in graphs.dictionary.to_pylist()]
    files = pa.DictionaryArray.from_arrays(graphs.indices, pa.array([f for f, _ in names], pa.string()))
    heuristic = np.array([h for _, h in names], np.bool_)[graphs.indices.to_numpy()]
    keys = [_ranks(column) for column in (objects, relations, subjects, files)]
    order = pa.array(np.lexsort([heuristic, *keys]))
    columns = [c.take(order).cast(pa.string()) for c in (files, subjects, relations, objects)]
    return pa.table([*columns, pa.array(heuristic).take(order)], schema=TRIPLES)


# Reading
# --------------------------------------------------------------------------------------------------------

_IRIS = pa.dictionary(pa.int32(), pa.string())


def _asserted_rows(store: ox.Store, predicate: str) -> dict[str, pa.DictionaryArray]:
    """Columns g, s and o (IRIs) of a property wherever it is asserted."""
    rows = _rows(store, f"SELECT ?g ?s ?o WHERE {{ GRAPH ?g {{ ?s <{predicate}> ?o }} }}", union=False)
    columns = {name: _unquoted(column) for name, column in rows.items()}
    graphs = columns["g"].dictionary
    tests = [pc.starts_with(graphs, prefix) for prefix in v.ASSERTED_GRAPHS]
    asserted_graphs: pa.Array = reduce(pc.or_, tests)
    mask = asserted_graphs.take(columns["g"].indices)
    return {name: column.filter(mask) for name, column in columns.items()}


def _rows(store: ox.Store, sparql: str, *, union: bool) -> dict[str, pa.DictionaryArray]:
    """The columns of a SELECT, each cell as a SPARQL term in text."""
    result = store.query(sparql, use_default_graph_as_union=union)
    assert isinstance(result, ox.QuerySolutions)
    names = [variable.value for variable in result.variables]
    text = result.serialize(format=ox.QueryResultsFormat.TSV)
    assert text is not None
    table = csv.read_csv(
        pa.BufferReader(text),
        read_options=csv.ReadOptions(column_names=names, skip_rows=1),
        parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, _IRIS), strings_can_be_null=False, null_values=[]
        ),
    )
    return {name: _joined(table[name]) for name in names}


def _joined(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """One array with one dictionary, of the chunks a reader made."""
    if not column.num_chunks:
        return pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], pa.string()))
    joined = column.unify_dictionaries().combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def _unquoted(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """``<iri>`` without its brackets, ``"text"`` without its quotes."""
    inner = pc.utf8_slice_codeunits(column.dictionary, 1, -1)
    return pa.DictionaryArray.from_arrays(column.indices, inner)


def _values(column: pa.DictionaryArray) -> pa.StringArray:
    """IRIs as plain strings, with or without brackets."""
    return pc.utf8_trim(column.cast(pa.string()), "<>")


def _literals(column: pa.DictionaryArray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_integer(kind):
        return column.dictionary.cast(kind).take(column.indices)
    texts = _unquoted(column).dictionary
    if pc.any(pc.match_substring(texts, "\\")).as_py():
        texts = pa.array([_unescaped(text) for text in texts.to_pylist()], pa.string())
    return texts.take(column.indices)


def _unescaped(text: str) -> str:
    pieces = text.split("\\\\")
    for escape, char in _ESCAPES.items():
        pieces = [piece.replace(escape, char) for piece in pieces] if escape != "\\\\" else pieces
    return "\\".join(pieces)


def _ranks(column: pa.DictionaryArray) -> np.ndarray:
    """Integers in the order of the column's strings."""
    order = pc.array_sort_indices(column.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    # Two graphs may name one file (its own and that of its heuristic edges): equal strings rank alike.
    texts = column.dictionary.take(pa.array(order))
    if len(order) > 1:
        new = np.append(True, pc.not_equal(texts[1:], texts[:-1]).to_numpy(zero_copy_only=False))
        rank[order] = np.cumsum(new) - 1
    return rank[column.indices.to_numpy()]
