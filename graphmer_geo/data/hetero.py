"""A knowledge graph as PyG ``HeteroData`` and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch_geometric.data import HeteroData

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph

_COLUMNS = ("iri", "kind", "name", "qualified_name")

Fact = tuple[str, str, str]  # subject IRI, relation, object IRI


def to_hetero(kg: KnowledgeGraph) -> HeteroData:
    """The entities and asserted relations of a knowledge graph.

    Returns:
        Node types are the ontology's classes (``Function``, ``Class``, ``ExternalSymbol``, …); each has
        ``num_nodes``, ``node_id`` ``[num_nodes]`` (row in ``kg.entities()``), and the lists ``iri``, ``name``
        and ``qualified_name``. Edge types are ``(class, relation, class)``; each has ``edge_index`` ``[2,
        E]`` and ``heuristic`` ``[E]`` (true if nothing but heuristics supports the fact). A fact that several
        files assert is one edge. :func:`from_hetero` is the way back, :func:`node_index` finds nodes by IRI.
    """
    # Spans, files and parents are not needed: reading them from a store on disk is most of the time.
    return hetero_from_tables(kg.entities(_COLUMNS), kg.triples())


def hetero_from_tables(entities: pa.Table, triples: pa.Table) -> HeteroData:
    """The same from the tables of :meth:`KnowledgeGraph.entities` and :meth:`KnowledgeGraph.triples`.

    Raises:
        UserError: A triple's subject or object is not among the entities.
    """
    data = HeteroData()
    kinds = entities["kind"].combine_chunks().dictionary_encode()
    kind_names = kinds.dictionary.to_pylist()
    kind = kinds.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    local = np.empty(len(kind), np.int64)  # [num_entities] position among the nodes of the same type
    for code, name in sorted(enumerate(kind_names), key=lambda pair: pair[1]):
        rows = np.flatnonzero(kind == code)
        local[rows] = np.arange(len(rows))
        store = data[name]
        store.num_nodes = len(rows)
        store.node_id = torch.from_numpy(rows)
        for column in ("iri", "name", "qualified_name"):
            store[column] = entities[column].take(pa.array(rows)).to_pylist()

    head, tail = (_row_of(triples[side], entities["iri"]) for side in ("subject", "object"))
    relations = triples["relation"].combine_chunks().dictionary_encode()
    relation = relations.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    relation_names = relations.dictionary.to_pylist()
    heuristic = triples["heuristic"].to_numpy().astype(np.bool_)

    edge_type = (kind[head] * len(relation_names) + relation) * len(kind_names) + kind[tail]
    order = np.lexsort((heuristic, tail, head, edge_type))  # what is not heuristic first
    keys = np.stack([edge_type, head, tail])[:, order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (keys[:, 1:] != keys[:, :-1]).any(0)
    order = order[first]
    found, starts = np.unique(edge_type[order], return_index=True)
    ends = np.append(starts, len(order))[1:]
    for code, first_row, end_row in zip(found.tolist(), starts, ends, strict=True):
        rows = order[first_row:end_row]
        rest, to_kind = divmod(code, len(kind_names))
        from_kind, rel = divmod(rest, len(relation_names))
        store = data[kind_names[from_kind], relation_names[rel], kind_names[to_kind]]
        store.edge_index = torch.from_numpy(np.stack([local[head[rows]], local[tail[rows]]]))
        store.heuristic = torch.from_numpy(heuristic[rows])
    return data


def from_hetero(data: HeteroData) -> list[Fact]:
    """All facts of a graph made by :func:`to_hetero`, sorted."""
    facts: list[Fact] = []
    for source, relation, target in data.edge_types:
        heads, tails = data[source].iri, data[target].iri
        index = data[source, relation, target].edge_index.tolist()
        facts.extend((heads[i], relation, tails[j]) for i, j in zip(*index, strict=True))
    return sorted(facts)


def node_index(data: HeteroData) -> dict[str, tuple[str, int]]:
    """Node type and position of every IRI."""
    return {iri: (kind, row) for kind in data.node_types for row, iri in enumerate(data[kind].iri)}


def _row_of(iris: pa.ChunkedArray, known: pa.ChunkedArray) -> np.ndarray:
    rows = pc.index_in(iris, value_set=known.combine_chunks())
    if rows.null_count:
        missing = iris.filter(pc.is_null(rows))[0].as_py()
        raise UserError(f"a triple names {missing!r}, which is no entity of the graph; build the graph again")
    return rows.to_numpy().astype(np.int64)
