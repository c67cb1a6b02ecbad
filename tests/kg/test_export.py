from __future__ import annotations

from pathlib import Path

import networkx as nx
import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest
import rdflib

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.export import export
from graphmer_geo.kg.stats import statistics


def test_nq_holds_every_quad_sorted_and_equal_for_equal_builds(
    kg: KnowledgeGraph, corpus: Path, tmp_path: Path
) -> None:
    export(kg, tmp_path / "a.nq", "nq")
    export(build_kg([corpus], tmp_path / "kg", languages=["toy"]), tmp_path / "b.nq", "nq")
    text = (tmp_path / "a.nq").read_bytes()
    assert text == (tmp_path / "b.nq").read_bytes()
    places = [(str(q.graph_name), f"{q.triple} .") for q in ox.parse(input=text, format=ox.RdfFormat.N_QUADS)]
    assert places == sorted(places)
    assert set(ox.parse(input=text, format=ox.RdfFormat.N_QUADS)) == set(kg.store)


def test_nt_and_ttl_hold_the_same_facts_about_code(kg: KnowledgeGraph, tmp_path: Path) -> None:
    export(kg, tmp_path / "a.nt", "nt")
    export(kg, tmp_path / "a.ttl", "ttl")
    nt, ttl = (rdflib.Graph().parse(tmp_path / name) for name in ("a.nt", "a.ttl"))
    assert set(nt) == set(ttl)
    assert not list(nt.subjects(rdflib.RDF.type, rdflib.OWL.Class))
    facts = {q.triple for q in kg.store if q.graph_name.value.startswith(v.ASSERTED_GRAPHS)}
    assert len(nt) == len(facts)


def test_graphml_is_read_by_networkx(kg: KnowledgeGraph, tmp_path: Path) -> None:
    export(kg, tmp_path / "g.graphml", "graphml")
    graph = nx.read_graphml(tmp_path / "g.graphml", force_multigraph=True)
    assert sorted(graph.nodes) == kg.entities()["iri"].to_pylist()
    edges = sorted((s, d["relation"], o, d["heuristic"]) for s, o, d in graph.edges(data=True))
    columns = ("subject", "relation", "object", "heuristic")
    assert edges == sorted(tuple(r[c] for c in columns) for r in kg.triples().to_pylist())


def test_parquet_holds_the_three_tables(kg: KnowledgeGraph, tmp_path: Path) -> None:
    export(kg, tmp_path / "tables", "parquet")
    assert pq.read_table(tmp_path / "tables/entities.parquet").equals(kg.entities())
    assert pq.read_table(tmp_path / "tables/triples.parquet").equals(kg.triples())
    assert pq.read_table(tmp_path / "tables/occurrences.parquet").equals(kg.occurrences)


def test_bad_format_and_place(kg: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown format 'xls'; one of: nt, nq"):
        export(kg, tmp_path / "x", "xls")  # type: ignore[arg-type]
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="cannot write"):
        export(kg, tmp_path / "folder", "nt")


def test_statistics_count_what_the_tables_hold(kg: KnowledgeGraph) -> None:
    counts = statistics(kg)
    assert counts["totals"]["files"] == 4
    assert counts["classes"] == {
        "Parameter": 7, "ExternalSymbol": 3, "Function": 3, "Method": 3, "Module": 4, "Class": 2,
    }  # fmt: skip
    assert list(counts["classes"].values()) == sorted(counts["classes"].values(), reverse=True)
    assert counts["relations"]["extends"] == 2
    assert counts["resolution"]["unresolved"] == 1
    assert counts["unresolved_share"] == round(1 / sum(counts["resolution"].values()), 4)
