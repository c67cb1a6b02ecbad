"""The shipped ontology has no pitfall, and each check finds the pitfall it is for."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
import rdflib

from benchmarks.ontology_pitfalls import PITFALLS, find_pitfalls, main
from graphmer_geo.resources import ontology_file

#: Pitfall -> statements that have it, added to the shipped ontology.
SEEDS = {
    "missing_annotations": "gm:Nameless a owl:Class .",
    "missing_domain_or_range": "gm:lost a owl:ObjectProperty ; rdfs:domain gm:Class .",
    "several_domains": "gm:calls rdfs:domain gm:Parameter .",
    "no_inverse": "gm:lonely a owl:ObjectProperty .",
    "wrong_inverse": "gm:calls owl:inverseOf gm:hasParameter .",
    "hierarchy_cycles": "gm:Declaration rdfs:subClassOf gm:Class .",
    "undeclared_terms": "gm:calls rdfs:seeAlso gm:Misspelt .",
    "two_kinds": "gm:calls a owl:DatatypeProperty .",
    "equivalences": "gm:extends owl:equivalentProperty gm:implements .",
    "same_label": 'gm:Klass a owl:Class ; rdfs:label "class"@en .',
    "not_simple": "gm:dependsOnTransitively a owl:AsymmetricProperty .",
    "unsatisfiable": "gm:Both a owl:Class ; rdfs:subClassOf gm:Callable , gm:Variable .",
    "outside_the_profile": "gm:Class rdfs:subClassOf [ owl:someValuesFrom gm:Method ] .",
}
PREFIXES = """@prefix gm: <https://w3id.org/graphmer#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . """


def ontology(extra: str = "") -> rdflib.Graph:
    graph = rdflib.Graph().parse(data=ontology_file().read_bytes(), format="turtle")
    return graph.parse(data=PREFIXES + extra, format="turtle")


def test_the_ontology_has_no_pitfall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_pitfalls(ontology()) == {}
    assert main([]) == 0
    bad = tmp_path / "bad.ttl"
    bad.write_text(PREFIXES + SEEDS["no_inverse"])
    assert main([str(bad)]) == 1
    assert "no_inverse: lonely has no inverse" in capsys.readouterr().out


def test_every_check_has_a_seed() -> None:
    assert [p.__name__ for p in PITFALLS] == list(SEEDS)


@pytest.mark.parametrize("name", SEEDS)
def test_a_seeded_pitfall_is_found(name: str) -> None:
    assert name in find_pitfalls(ontology(SEEDS[name]))


@pytest.mark.skipif(shutil.which("java") is None, reason="HermiT runs on Java")
@pytest.mark.parametrize("seed", ["", SEEDS["unsatisfiable"]])
def test_hermit_finds_the_ontology_consistent_and_no_class_unsatisfiable(seed: str) -> None:
    owlready2 = pytest.importorskip("owlready2", reason="an OWL parser and HermiT, not a dependency")
    world = owlready2.World()
    triples = ontology(seed).serialize(format="nt").encode()
    loaded = world.get_ontology("https://w3id.org/graphmer").load(fileobj=io.BytesIO(triples))
    with loaded:  # raises if the ontology is inconsistent
        owlready2.sync_reasoner_hermit(world, infer_property_values=False, debug=0)
    unsatisfiable = {c.name for c in world.inconsistent_classes()}
    assert unsatisfiable - {"Nothing"} == ({"Both"} if seed else set())
