"""The compiled shapes against pySHACL, and a score that a corrupted graph must lose."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyoxigraph as ox
import pytest

from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.checks import focus_nodes, violations
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.rules import RULES
from graphmer_geo.kg.shapes import GSH, load_shapes, parse_shapes
from graphmer_geo.kg.world import read_world
from graphmer_geo.resources import ontology_file, shape_files
from tests.kg.conftest import write_corpus

#: Facts that break every shape at least once, beside some that only look as if they did.
BROKEN = """
@prefix gm: <https://w3id.org/graphmer#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix : <http://bad/> .
:file a gm:SourceFile ; gm:path "/etc/passwd" ; gm:sha256 "XYZ" ; gm:language "java", "python" ;
    gm:byteSize -1 ;
    gm:lineCount "many" .
:file2 a gm:SourceFile . :project a gm:Project . :project2 a gm:Project ; gm:name "a", "b" ; gm:version 1 .
:project gm:directlyContains :file . :project2 gm:directlyContains :file .
    :nobody gm:directlyContains :file2 .
:nameless a gm:Class ; gm:name "a", "b" ; gm:qualifiedName 7 ; gm:visibility "secret", "public", 1 ;
    gm:docstring "one", "two"@en .
:swapped a gm:Function ; gm:definedInFile :file, :nobody ; gm:startByte 9, 2 ; gm:endByte 5 ;
    gm:startLine 0 ; gm:endLine -3 ; gm:language true .
:outer a gm:Class ; gm:qualifiedName "m.Outer" ; gm:definedInFile :file ; gm:startByte 10 ; gm:endByte 20 ;
    gm:declares :inner, :elsewhere, :outer2 ;
    gm:hasTypeParameter :t .
:outer2 a gm:Class ; gm:hasTypeParameter :t ; gm:declares :inner .
:inner a gm:Method ; gm:qualifiedName "m.Outerinner" ; gm:definedInFile :file ; gm:startByte 15 ;
    gm:endByte 25 .
:elsewhere a gm:Method ; gm:qualifiedName "m.Outer.elsewhere" ; gm:definedInFile :file2 ; gm:startByte 0 ;
    gm:endByte 99 .
:t a gm:TypeParameter . :t2 a gm:TypeParameter . :pkg a gm:Package ; gm:definedInFile :file .
:f a gm:Function ; gm:hasParameter :p0, :p1, :p2 . :g a gm:Lambda ; gm:hasParameter :p4, :p2, :outer .
:p0 a gm:Parameter ; gm:parameterIndex 1 ; gm:parameterKind "odd" ; gm:hasDefault true, false .
:p1 a gm:Parameter ; gm:parameterIndex 1 ; gm:parameterKind "receiver", "varArgs" ; gm:hasDefault "yes" .
:p2 a gm:Parameter ; gm:parameterIndex -1, "x" . :p3 a gm:Parameter .
:p4 a gm:Parameter ; gm:parameterIndex 3 . :outer gm:hasParameter :p3 .
:a a gm:Class ; gm:language "java" ; gm:extends :b, :i . :b a gm:Enum ; gm:language "python" ;
    gm:extends :c, :d .
:c a gm:Record ; gm:implements :i ; gm:declares :m . :d a gm:Class ; gm:extends :b ; gm:declares :n .
:i a gm:Interface ; gm:extends :a, :ext ; gm:declares :o . :j a gm:AnnotationType ; gm:extends :c .
:m a gm:Method ; gm:name "m" ; gm:overrides :o, :n . :n a gm:Constructor ; gm:name "n" . :o a gm:Method ;
    gm:name "m" .
:n gm:overrides :ext . :ext a gm:ExternalSymbol ; gm:name "x", "y" ; gm:qualifiedName "" ; gm:calls :m ;
    gm:startByte 1 .
:outer gm:declares :ext .
"""
BROKEN += """
:made a gm:Constructor ; gm:language "java" ; gm:name "made" . :pymade a gm:Constructor ;
    gm:language "python" ; gm:name "init" . :good a gm:Constructor ; gm:language "java" ; gm:name "<init>" .
:f gm:declares :good .
:good2 a gm:Constructor ; gm:language "python" ; gm:name "__new__" .
:one a gm:Method ; gm:language "java" ; gm:hasParameter :q0 ; gm:overrides :two, :three .
:two a gm:Method ; gm:hasParameter :q1, :q2 . :three a gm:Method ; gm:hasParameter :q3 .
:q0 gm:parameterIndex 0 . :q1 gm:parameterIndex 0 . :q2 gm:parameterIndex 1 . :q3 gm:parameterIndex 0 .
:four a gm:Method ; gm:language "java" ; gm:hasParameter :q4 ; gm:overrides :ext . :q4 gm:parameterIndex 0 .
:five a gm:Method ; gm:language "java" ; gm:hasParameter :q5 ; gm:overrides :five5 . :q5 gm:parameterIndex 0 .
:five5 a gm:Method . :six a gm:Method ; gm:language "java" ; gm:overrides :three .
:small a gm:SourceFile ; gm:byteSize 10 ; gm:lineCount 2 .
:past a gm:Field ; gm:definedInFile :small ; gm:endByte 11 ; gm:endLine 2 .
:below a gm:Field ; gm:definedInFile :small ; gm:endByte 10 ; gm:endLine 3 .
:inside a gm:Field ; gm:definedInFile :small ; gm:endByte 10 ; gm:endLine 2 .
:nothing a gm:SourceFile ; gm:lineCount 0 . :blank a gm:Module ; gm:definedInFile :nothing ; gm:endLine 1 .
"""
BROKEN += "\n".join(
    f":{kind}Open a gm:{kind} ; gm:thoughtUp 1, 2 . :{kind}Closed a gm:{kind} ; gm:language 'toy' ."
    for kind in sorted({*v.KINDS, "Project", "SourceFile", "ExternalSymbol"})
)
_SIDES = [f":file gm:{r} :file2 ." for r in v.RELATIONS]
BROKEN += "\n".join(_SIDES)
_SOUND = [
    f":{r}From a gm:{relation.domain[0]} ; gm:{r} :{r}To . :{r}To a gm:{relation.range[0]} ."
    for r, relation in ((r, load_ontology().relations[r]) for r in v.RELATIONS)
]
BROKEN += "\n".join(_SOUND)


def seed(kg: KnowledgeGraph) -> None:
    """Add the broken facts as one file's."""
    graph = ox.NamedNode(v.FILE_GRAPHS + "0123456789abcdef/toy/bad/0/bad.toy")
    kg.store.bulk_load(input=BROKEN.encode(), format=ox.RdfFormat.TURTLE, to_graph=graph)


@pytest.fixture
def broken(kg: KnowledgeGraph) -> KnowledgeGraph:
    seed(kg)
    return kg


def by_pyshacl(kg: KnowledgeGraph) -> Counter[tuple[str, str]]:
    import rdflib
    from pyshacl import validate

    triples = [q.triple for q in kg.store if q.graph_name.value.startswith(v.ASSERTED_GRAPHS)]
    data = rdflib.Graph().parse(data=ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES), format="nt")
    shapes = rdflib.Graph()
    for file in shape_files():
        shapes.parse(data=file.read_bytes(), format="turtle")
    ontology = rdflib.Graph().parse(data=ontology_file().read_bytes(), format="turtle")
    _, report, _ = validate(data, shacl_graph=shapes, ont_graph=ontology, inference="none")
    sh = rdflib.Namespace(v.SHACL)
    return Counter(
        (str(report.value(r, sh.sourceShape)).removeprefix(GSH), str(report.value(r, sh.focusNode)))
        for r in report.subjects(rdflib.RDF.type, sh.ValidationResult)
    )


def compiled(kg: KnowledgeGraph) -> Counter[tuple[str, str]]:
    world = read_world(kg.store, load_ontology())
    return Counter(
        (shape.name, world.nodes[i]) for shape in load_shapes() for i in violations(world, shape).tolist()
    )


def test_compiled_shapes_equal_pyshacl_for_every_shape(broken: KnowledgeGraph) -> None:
    expected, got = by_pyshacl(broken), compiled(broken)
    assert got == expected
    violated = {shape for shape, _ in expected}
    assert violated == {s.name for s in load_shapes()}, "a shape no seeded violation exercises"


def test_every_shape_has_nodes_that_conform_beside_those_that_do_not(broken: KnowledgeGraph) -> None:
    world = read_world(broken.store, load_ontology())
    found = {
        s.name: (set(focus_nodes(world, s).tolist()), set(violations(world, s).tolist()))
        for s in load_shapes()
    }
    assert {name for name, (_, bad) in found.items() if not bad} == set()
    assert {name for name, (focus, bad) in found.items() if not focus - bad} == set()


@pytest.mark.slow
def test_compiled_shapes_equal_pyshacl_on_real_code_with_seeded_violations() -> None:
    library = Path(json.__file__).parent.parent
    kg = build_kg(
        [Source(library, "stdlib", "3", ["json/*.py", "logging/__init__.py"])], languages=["python"]
    )
    seed(kg)
    assert len(kg.store) > 15_000
    expected = by_pyshacl(kg)
    assert compiled(kg) == expected
    assert {shape for shape, _ in expected} == {s.name for s in load_shapes()}


def test_every_sparql_shape_has_its_array_form() -> None:
    assert {s.name for s in load_shapes() for c in s.constraints if c.kind == "sparql"} == set(RULES)


def test_an_unknown_part_of_shacl_is_an_error_not_ignored() -> None:
    shape = b"""@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix gm: <https://w3id.org/graphmer#> .
    gm:s a sh:NodeShape ; sh:targetClass gm:Class ; sh:property gm:p .
    gm:p sh:path gm:name ; sh:maxLength 3 ."""
    with pytest.raises(ValueError, match="maxLength"):
        parse_shapes([shape])


def test_domain_and_range_shapes_say_what_the_ontology_says() -> None:
    shapes = {s.name: {c for k in s.constraints for c in k.values} for s in load_shapes()}
    for name in v.RELATIONS:
        relation = load_ontology().relations[name]
        assert shapes[f"{name}-domain"] == set(relation.domain)
        assert shapes[f"{name}-range"] == set(relation.range)


def test_closed_shapes_say_what_the_ontology_says() -> None:
    ontology = load_ontology()
    terms = [t for t in (*ontology.relations.values(), *ontology.literals.values()) if t.status == "asserted"]
    shapes = {s.name: s for s in load_shapes() if s.name.endswith("-closed")}
    covered: set[str] = set()
    for name, shape in shapes.items():
        kind = name.removesuffix("-closed")
        family = {n for n in {*v.KINDS, kind} if kind in ontology.classes[n].ancestors}
        above = set().union(*(ontology.classes[n].ancestors for n in family))
        assert set(shape.constraints[0].values) == {t.name for t in terms if above & set(t.domain)}, name
        covered |= family
    assert covered == v.KINDS | {"Project", "SourceFile"}


def test_a_good_graph_conforms_and_its_corrupted_copy_scores_far_lower(tmp_path: Path, toy: None) -> None:
    files = {
        f"app/m{i:02}.toy": f"class C{i} < C{i - 1}\n"
        f"  def run{i}(a, b) f{i} f{i + 1}\ndef f{i}(x, y) f{i - 1}\n"
        for i in range(30)
    }
    kg = build_kg([write_corpus(tmp_path / "p", files)], languages=["toy"])
    report = kg.validate()
    assert report.conforms
    assert not report.violated
    assert all(r.checked for r in report.relations)
    assert report.score == report.type_score == 1.0
    assert report.score_on_corrupted < 0.2
    assert report.type_score_on_corrupted > 0.9  # the trap: types alone hardly notice
    assert {r.relation for r in report.relations_on_corrupted} == {r.relation for r in report.relations}


def test_a_wrong_target_costs_score_and_a_broken_fact_conformance(kg: KnowledgeGraph) -> None:
    clean = kg.validate()
    subject, target = (r["iri"] for r in kg.entities().to_pylist() if r["name"] in ("start", "stop"))
    graph = next(q.graph_name for q in kg.store if q.graph_name.value.startswith(v.FILE_GRAPHS))
    kg.store.add(ox.Quad(ox.NamedNode(subject), ox.NamedNode(v.gm("calls")), ox.NamedNode(target), graph))
    assert kg.validate().score == 1.0  # no text states the triple, so it is not among the checked ones
    rows = kg.occurrences.to_pylist()
    for row in rows:
        if row["subject"] == subject and row["name"] == "main":
            row["entity"] = target  # as a resolver would that takes `main` for `stop`
    mistaken = KnowledgeGraph(kg.store, pa.Table.from_pylist(rows, kg.occurrences.schema), kg.manifest)
    wrong = mistaken.validate()
    assert wrong.conforms
    assert wrong.score < clean.score == 1.0
    kg.store.add(ox.Quad(ox.NamedNode(subject), ox.NamedNode(v.gm("name")), ox.Literal("second"), graph))
    broken = kg.validate()
    assert not broken.conforms
    assert [(s.shape, s.examples) for s in broken.violated] == [("declaration-name", (subject,))]
    assert broken.to_dict()["score"] == broken.score
