"""Inference equals owlrl's on the entailments it claims, can be repeated, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.derived import derived_rules
from graphmer_geo.kg.reasoning import forget, infer
from graphmer_geo.resources import ontology_file


def quads(kg: KnowledgeGraph) -> set[ox.Quad]:
    return set(kg.store)


def by_owlrl(kg: KnowledgeGraph) -> set[tuple[str, str, str]]:
    """What asserted and rule-derived facts entail about this graph's nodes, in this ontology's terms."""
    import owlrl
    import rdflib

    data = rdflib.Graph().parse(data=ontology_file().read_bytes(), format="turtle")
    nodes = set()
    for quad in kg.store:
        if quad.graph_name.value.startswith((*v.ASSERTED_GRAPHS, v.INFERRED_GRAPHS + "gm-")):
            data.parse(data=f"{quad.triple} .", format="nt")
            nodes.add(quad.subject.value)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(data)
    return {
        (str(s), str(p), str(o))
        for s, p, o in data
        if str(s) in nodes and (str(p).startswith(v.GM) or (str(p) == v.RDF_TYPE and _named_class(str(o))))
    }


def _named_class(iri: str) -> bool:
    return iri.startswith((v.GM, v.PROV))


def test_entailments_equal_owlrl(kg: KnowledgeGraph) -> None:
    infer(kg.store, on_demand=True)
    expected = by_owlrl(kg)
    keep = (*v.ASSERTED_GRAPHS, v.INFERRED_GRAPHS)
    got = {
        (q.subject.value, q.predicate.value, q.object.value)
        for q in kg.store
        if q.graph_name.value.startswith(keep)
    }
    prov = v.PROV + "Entity"  # stands outside the ontology's own classes
    assert got == {t for t in expected if t[2] != prov}


def test_inference_is_idempotent_and_removable(kg: KnowledgeGraph) -> None:
    before = quads(kg)
    first = kg.infer()
    owl = {"cax-sco", "prp-spo1", "prp-trp", "prp-inv"}
    assert set(first) == owl | set(derived_rules())
    assert all(first[rule] for rule in owl)
    inferred = quads(kg)
    assert kg.infer() == first
    assert quads(kg) == inferred
    kg.forget_inferred()
    assert quads(kg) == before
    forget(kg.store)


def test_inferred_facts_do_not_leak_into_tables_or_validation(kg: KnowledgeGraph, corpus: Path) -> None:
    plain = build_kg([corpus], languages=["toy"])
    report = plain.validate()
    kg.infer()
    assert kg.entities().equals(plain.entities())
    assert kg.triples().equals(plain.triples())
    assert kg.validate().shapes == report.shapes
    assert kg.query("ASK { ?a gm:subtypeOf ?b . ?b gm:supertypeOf ?a . ?a a gm:TypeDeclaration }") == [
        {"ask": True}
    ]


def test_a_read_only_graph_says_how_to_write(corpus: Path, tmp_path: Path) -> None:
    kg = build_kg([corpus], tmp_path / "kg", languages=["toy"])
    with pytest.raises(UserError, match="writable=True"):
        kg.infer()
    del kg
    writable = KnowledgeGraph.open(tmp_path / "kg", writable=True)
    counts = writable.infer()
    del writable
    again = KnowledgeGraph.open(tmp_path / "kg")
    assert sum(counts.values()) == sum(q.graph_name.value.startswith(v.INFERRED_GRAPHS) for q in again.store)
