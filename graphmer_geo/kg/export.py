"""The graph in formats that other tools read. Equal graphs give equal files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Literal, get_args
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox

from graphmer_geo.errors import UserError
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.occurrences import write_occurrences
from graphmer_geo.kg.references import reference_triples
from graphmer_geo.kg.store import KnowledgeGraph

_THREADS = 2
_GRAPHS_AT_ONCE = 64

Format = Literal["nt", "nq", "ttl", "graphml", "parquet"]


def export(
    kg: KnowledgeGraph, out: str | Path, format: Format = "nq", *, with_occurrences: bool = False
) -> None:
    """Write the graph.

    Args:
        kg: The graph.
        out: File to write; for ``parquet`` a folder.
        format: ``nq``: N-Quads, graph by graph, the lines of each sorted. ``nt``, ``ttl``: what is said of
            the code, without named graphs, ontology and provenance (inferred facts included if there are
            any). ``graphml``: entities and relations, for networkx or Gephi. ``parquet``: the tables of
            entities, relations and occurrences.
        with_occurrences: For ``nq``: also write every reference of the code as a node, with its span, role,
            target and how that was found, in a named graph of their own, at the end.

    Raises:
        UserError: If the format is unknown, has no place for occurrences, or the file cannot be written.
    """
    if format not in _WRITERS:
        raise UserError(f"unknown format {format!r}; one of: {', '.join(get_args(Format))}")
    if with_occurrences and format != "nq":
        raise UserError(
            f"format {format!r} does not take occurrences as RDF; use nq (parquet has their table)"
        )
    target = Path(out)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _WRITERS[format](kg, target)
        if with_occurrences:
            with target.open("a", encoding="utf-8", newline="\n") as file:
                graph = v.REFERENCE_GRAPH
                file.writelines(f"{t} <{graph}> .\n" for t in reference_triples(kg.occurrences))
    except OSError as error:
        raise UserError(
            f"cannot write {str(target)!r}: {error.strerror or error}; choose another --out"
        ) from None


def _write_nq(kg: KnowledgeGraph, out: Path) -> None:
    """Graph by graph: only a few are in memory at once, and two threads share the store's decoding."""
    graphs = sorted(kg.store.named_graphs(), key=str)
    with out.open("wb") as file, ThreadPoolExecutor(_THREADS) as pool:
        file.write(_graph_lines(kg.store, ox.DefaultGraph()))
        for i in range(0, len(graphs), _GRAPHS_AT_ONCE):
            some = graphs[i : i + _GRAPHS_AT_ONCE]
            file.writelines(pool.map(_graph_lines, repeat(kg.store), some))


def _graph_lines(store: ox.Store, graph: ox.NamedNode | ox.BlankNode | ox.DefaultGraph) -> bytes:
    triples = store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph)
    assert triples is not None
    end = b".\n" if isinstance(graph, ox.DefaultGraph) else f"{graph} .\n".encode()
    return b"".join(line.removesuffix(b".") + end for line in sorted(triples.split(b"\n")[:-1]))


def _write_nt(kg: KnowledgeGraph, out: Path) -> None:
    _write_lines(out, sorted({f"{triple} .\n" for triple in _facts(kg.store)}))


def _write_ttl(kg: KnowledgeGraph, out: Path) -> None:
    triples = sorted(set(_facts(kg.store)), key=str)
    prefixes = {name: v.PREFIXES[name] for name in ("gm", "rdf", "xsd")}
    with out.open("wb") as file:
        ox.serialize(triples, file, format=ox.RdfFormat.TURTLE, prefixes=prefixes)


def _write_graphml(kg: KnowledgeGraph, out: Path) -> None:
    _write_lines(out, _graphml(kg.entities(), kg.triples()))


def _graphml(entities: pa.Table, triples: pa.Table) -> Iterator[str]:
    columns = ("kind", "name", "qualified_name", "language", "file")
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    for column in columns:
        yield f'<key id="{column}" for="node" attr.name="{column}" attr.type="string"/>\n'
    yield '<key id="relation" for="edge" attr.name="relation" attr.type="string"/>\n'
    yield '<key id="heuristic" for="edge" attr.name="heuristic" attr.type="boolean"/>\n'
    yield '<graph edgedefault="directed">\n'
    for iri, *values in zip(*(entities[c].to_pylist() for c in ("iri", *columns)), strict=True):
        data = "".join(
            _data(key, value) for key, value in zip(columns, values, strict=True) if value is not None
        )
        yield f"<node id={quoteattr(iri)}>{data}</node>\n"
    names = ("subject", "object", "relation", "heuristic")
    for subject, target, relation, heuristic in zip(*(triples[c].to_pylist() for c in names), strict=True):
        data = _data("relation", relation) + _data("heuristic", str(heuristic).lower())
        yield f"<edge source={quoteattr(subject)} target={quoteattr(target)}>{data}</edge>\n"
    yield "</graph>\n</graphml>\n"


def _data(key: str, value: str) -> str:
    legal = "".join(
        c if c >= " " or c in "\t\n\r" else "�" for c in value
    )  # XML 1.0 has no other control characters
    return f'<data key="{key}">{escape(legal)}</data>'


def _write_parquet(kg: KnowledgeGraph, out: Path) -> None:
    out.mkdir(exist_ok=True)
    pq.write_table(kg.entities(), out / "entities.parquet", compression="zstd")
    pq.write_table(kg.triples(), out / "triples.parquet", compression="zstd")
    write_occurrences(kg.occurrences, out)


def _facts(store: ox.Store) -> Iterator[ox.Triple]:
    """The triples of the file graphs and of inference."""
    for quad in store:
        graph = quad.graph_name
        if isinstance(graph, ox.NamedNode) and graph.value not in (v.ONTOLOGY_GRAPH, v.PROVENANCE_GRAPH):
            yield quad.triple


def _write_lines(out: Path, lines: Iterable[str]) -> None:
    with out.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)


_WRITERS: dict[str, Callable[[KnowledgeGraph, Path], None]] = {
    "nt": _write_nt,
    "nq": _write_nq,
    "ttl": _write_ttl,
    "graphml": _write_graphml,
    "parquet": _write_parquet,
}
