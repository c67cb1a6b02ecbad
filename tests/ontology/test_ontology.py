"""The ontology says what the code uses, and nothing a reasoner would regret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import rdflib

from graphmer_geo.errors import UserError
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.reasoning import _is_forward
from graphmer_geo.kg.term_table import term_tables, update
from graphmer_geo.resources import datasets_path, ontology_file, query_files, shape_files

ONTOLOGY = load_ontology()
RELATIONS = sorted(ONTOLOGY.relations)


@pytest.fixture(scope="module")
def graph() -> rdflib.Graph:
    return rdflib.Graph().parse(data=ontology_file().read_bytes(), format="turtle")


def test_the_vocabulary_cannot_drift_from_the_ontology() -> None:
    assert v.KINDS | {v.EXTERNAL} <= set(ONTOLOGY.classes)
    assert set(v.RELATIONS) <= set(ONTOLOGY.relations)
    types = {str: "string", bool: "boolean", int: "integer"}
    assert {n: types[t] for n, t in v.LITERALS.items()} == {
        n: ONTOLOGY.literals[n].datatype for n in v.LITERALS
    }


def _of_status(terms: Mapping[str, Any], status: str) -> set[str]:
    return {name for name, term in terms.items() if term.status == status}


def test_every_term_is_used_by_an_extractor_or_a_rule_or_marked_planned() -> None:
    assert _of_status(ONTOLOGY.classes, "asserted") == v.KINDS | {v.EXTERNAL, "Project", "SourceFile"}
    relations = {*v.RELATIONS, "directlyContains", "definedInFile"}
    assert _of_status(ONTOLOGY.relations, "asserted") == relations
    literals = {*v.ENTITY_FIELDS, *v.LITERALS, *v.ARTIFACT_LITERALS}
    assert _of_status(ONTOLOGY.literals, "asserted") == literals
    assert _of_status(ONTOLOGY.literals, "derived") == set(v.DERIVED_LITERALS)
    asserted = _of_status(ONTOLOGY.classes, "asserted")
    above = set().union(*(ONTOLOGY.classes[n].ancestors for n in asserted | set(v.DERIVED_CLASSES)))
    assert _of_status(ONTOLOGY.classes, "derived") == (above & set(ONTOLOGY.classes)) - asserted
    forward = {r for r in ONTOLOGY.relations if _is_forward(r, ONTOLOGY)}
    backward = {ONTOLOGY.relations[r].inverse for r in forward}
    assert _of_status(ONTOLOGY.relations, "derived") == (forward | backward) - relations
    terms = {**ONTOLOGY.classes, **ONTOLOGY.relations, **ONTOLOGY.literals}
    assert _of_status(ONTOLOGY.classes, "exported") == set(v.REFERENCE_CLASSES.values())
    assert _of_status(ONTOLOGY.relations, "exported") == set(v.REFERENCE_RELATIONS)
    assert _of_status(ONTOLOGY.literals, "exported") == {*v.REFERENCE_LITERALS, *v.NAME_LITERALS}
    assert {t.status for t in terms.values()} == {"asserted", "derived", "exported", "planned"}


def test_every_kind_is_reachable_and_every_leaf_is_a_kind() -> None:
    parents = {p for c in ONTOLOGY.classes.values() for p in c.parents}
    leaves = {n for n, c in ONTOLOGY.classes.items() if n not in parents and "Declaration" in c.ancestors}
    assert {n for n in leaves if ONTOLOGY.classes[n].status == "asserted"} <= v.KINDS
    assert all("Declaration" in ONTOLOGY.classes[k].ancestors for k in v.KINDS)


def test_every_term_has_label_comment_domain_and_range(graph: rdflib.Graph) -> None:
    for term in (*ONTOLOGY.classes.values(), *ONTOLOGY.relations.values(), *ONTOLOGY.literals.values()):
        assert term.label, term.name
        assert term.comment.endswith((".", "]")), term.name
    for relation in ONTOLOGY.relations.values():
        assert relation.domain, relation.name
        assert relation.range, relation.name
        assert set(relation.domain) | set(relation.range) <= set(ONTOLOGY.classes)
    assert all(p.domain for p in ONTOLOGY.literals.values())


@pytest.mark.parametrize("name", RELATIONS)
def test_every_relation_has_an_inverse_that_mirrors_it(name: str) -> None:
    relation = ONTOLOGY.relations[name]
    if "Symmetric" in relation.characteristics:
        assert not relation.inverse
        return
    assert relation.inverse
    inverse = ONTOLOGY.relations[relation.inverse]
    assert inverse.inverse == name
    assert (inverse.domain, inverse.range) == (relation.range, relation.domain)
    assert {ONTOLOGY.relations[s].inverse for s in relation.supers} == set(inverse.supers)


def _all_supers(name: str) -> set[str]:
    supers = set(ONTOLOGY.relations[name].supers)
    return supers.union(*(_all_supers(s) for s in supers))


@pytest.mark.parametrize("name", RELATIONS)
def test_owl_dl_restriction_on_what_is_not_simple(name: str) -> None:
    """A transitive property and whatever lies above one may not be functional, asymmetric or irreflexive."""
    below = {n for n in RELATIONS if name in _all_supers(n)} | {name}
    if any("Transitive" in ONTOLOGY.relations[n].characteristics for n in below):
        assert ONTOLOGY.relations[name].characteristics == {"Transitive"}


def test_nothing_is_functional_that_inheritance_or_dispatch_make_plural() -> None:
    functional = {n for n in RELATIONS if "Functional" in ONTOLOGY.relations[n].characteristics}
    assert functional == set(
        "definedInFile declaredBy directlyContainedIn parameterOf typeParameterOf memberOf methodOf fieldOf "
        "constructorOf innerTypeOf callSiteOf argumentOf importOf metadataOf nextStatement previousStatement "
        "hasCondition hasBody hasElse".split()
    )
    inverse = {n for n in RELATIONS if "InverseFunctional" in ONTOLOGY.relations[n].characteristics}
    assert inverse == set("nextStatement previousStatement conditionOf bodyOf elseOf".split())


def test_disjoint_classes_share_no_kind() -> None:
    assert len(ONTOLOGY.disjoint) >= 5
    for group in ONTOLOGY.disjoint:
        for kind in v.KINDS | {v.EXTERNAL}:
            assert len(ONTOLOGY.classes[kind].ancestors & group) <= 1, (kind, group)


def test_inference_stays_consistent_with_the_disjointness(graph: rdflib.Graph) -> None:
    import owlrl

    assert len(list(graph.subjects(rdflib.RDF.type, rdflib.OWL.AllDisjointClasses))) == len(ONTOLOGY.disjoint)
    closed = rdflib.Graph()
    closed += graph
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(closed)
    errors = rdflib.URIRef("http://www.daml.org/2002/03/agents/agent-ont#ErrorMessage")
    assert not list(closed.subjects(rdflib.RDF.type, errors))


def test_version_is_stated(graph: rdflib.Graph) -> None:
    ontology = rdflib.URIRef("https://w3id.org/graphmer")
    assert str(graph.value(ontology, rdflib.OWL.versionInfo)) == ONTOLOGY.version
    assert str(graph.value(ontology, rdflib.OWL.versionIRI)).endswith(ONTOLOGY.version)


def test_admissible_kinds() -> None:
    assert ONTOLOGY.range_kinds("extends") == {
        "Class", "Enum", "Record", "Interface", "AnnotationType", "TypeParameter", "ExternalSymbol",
    }  # fmt: skip
    assert ONTOLOGY.domain_kinds("hasParameter") == {
        "Function", "Method", "Constructor", "Lambda", "Initializer",
    }  # fmt: skip


def test_readme_tables_are_generated_from_the_ontology() -> None:
    readme = ontology_file("README.md").read_text("utf-8")
    assert update(readme, term_tables(ONTOLOGY)) == readme


def test_resources_are_found() -> None:
    assert [f.name for f in shape_files()] == sorted(f.name for f in shape_files())
    assert len(query_files()) >= 10
    assert datasets_path().is_dir()
    with pytest.raises(UserError, match=r"no file 'nothing.ttl'"):
        ontology_file("nothing.ttl")
