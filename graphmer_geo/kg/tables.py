"""The graph's entities and relations as columns, read from the store property by property."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
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
        pa.field("name_start", pa.int64()),
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
    "name_start": "nameStartByte",
    "name_end": "nameEndByte",
}
_KINDS = v.KINDS | {v.EXTERNAL}
_DIGITS = 16 + len("/")  # of a SHA-256, between a file graph's prefix and the file's key


def asserted(store: ox.Store, predicate: str) -> Iterator[tuple[str, str, str]]:
    """(subject, object, graph) values of a property wherever it is asserted, surely or heuristically."""
    for quad in store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
        graph: str = quad.graph_name.value  # type: ignore[union-attr]
        if graph.startswith(v.ASSERTED_GRAPHS):
            yield quad.subject.value, quad.object.value, graph  # type: ignore[union-attr]


def file_of_graph(graph: str) -> tuple[str, bool]:
    """The file key in the IRI of a file's named graph, and whether it is the graph of heuristic edges."""
    heuristic = graph.startswith(v.HEURISTIC_GRAPHS)
    prefix = v.HEURISTIC_GRAPHS if heuristic else v.FILE_GRAPHS
    return graph[len(prefix) + _DIGITS :], heuristic


def entity_table(store: ox.Store) -> pa.Table:
    """All entities, sorted by IRI."""
    kinds: dict[str, str] = {}
    for subject, kind, _ in asserted(store, v.RDF_TYPE):
        name = kind.removeprefix(v.GM)
        if name in _KINDS:
            kinds[subject] = name
    iris = sorted(kinds)
    columns: dict[str, list[object]] = {"iri": list(iris), "kind": [kinds[i] for i in iris]}
    for column, prop in _COLUMNS.items():
        values = {s: o for s, o, _ in asserted(store, v.gm(prop))}
        found = (values.get(i) for i in iris)
        if pa.types.is_integer(ENTITIES.field(column).type):
            columns[column] = [None if x is None else int(x) for x in found]
        else:
            columns[column] = [x or "" for x in found]
    files = {s: o.removeprefix(v.FILE_BASE) for s, o, _ in asserted(store, v.gm("definedInFile"))}
    columns["file"] = [files.get(i) for i in iris]
    parents = {o: s for relation in v.CONTAINMENT for s, o, _ in asserted(store, v.gm(relation))}
    columns["parent"] = [parents.get(i) for i in iris]
    return pa.table(columns, schema=ENTITIES)


def triple_table(store: ox.Store) -> pa.Table:
    """All asserted relations between entities, sorted by file, subject, relation, object."""
    rows = sorted(
        (file, subject, relation, target, heuristic)
        for relation in v.RELATIONS
        for subject, target, graph in asserted(store, v.gm(relation))
        for file, heuristic in (file_of_graph(graph),)
    )
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(TRIPLES)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, TRIPLES, strict=True)], schema=TRIPLES)
