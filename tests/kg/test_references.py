from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyoxigraph as ox
import pytest

from graphmer_geo.cli import main
from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.export import export
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.references import references_table

SOURCES = {
    "shop.py": """import json
from missing import *
from other import *


class Base:
    size = 1


class Box(Base):
    def dump(self, x: Base, run):
        try:
            self.size = x.size
            run("a\\n")
            return json.dumps(unknown(Base()))
        except ValueError:
            raise KeyError from None
""",
    "A.java": "class A extends B { @Override public String toString() { return new B().x; } }\n"
    "class B { String x; }",
}


@pytest.fixture
def built(tmp_path: Path) -> KnowledgeGraph:
    for name, text in SOURCES.items():
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / name).write_text(text)
    return build_kg([tmp_path / "src"], tmp_path / "kg")


def test_the_table_comes_back_from_the_export(built: KnowledgeGraph, tmp_path: Path) -> None:
    export(built, tmp_path / "all.nq", "nq", with_occurrences=True)
    store = ox.Store()
    store.bulk_load(path=str(tmp_path / "all.nq"), format=ox.RdfFormat.N_QUADS)
    wanted = built.occurrences.filter(pc.not_equal(built.occurrences["role"], "definition"))
    assert wanted.num_rows > 20
    key = [(c, "ascending") for c in ("file", "start", "end", "role", "relation", "entity")]
    assert references_table(store).sort_by(key).equals(wanted.sort_by(key))
    assert set(built.store) <= set(store)


def test_the_places_of_names_are_exported(built: KnowledgeGraph, tmp_path: Path) -> None:
    export(built, tmp_path / "all.nq", "nq", with_occurrences=True)
    store = ox.Store()
    store.bulk_load(path=str(tmp_path / "all.nq"), format=ox.RdfFormat.N_QUADS)
    found = {name: store.quads_for_pattern(None, ox.NamedNode(v.gm(name)), None) for name in v.NAME_LITERALS}
    starts, ends = ({q.subject.value: int(q.object.value) for q in quads} for quads in found.values())
    assert starts.keys() == ends.keys()
    named = [e for e in built.entities().to_pylist() if e["name_start"] is not None]
    assert {e["iri"]: e["name_start"] for e in named} == starts
    assert {e["iri"]: e["name_end"] for e in named} == ends
    assert {"Box", "dump", "x"} <= {e["name"] for e in named}
    for entity in named:
        text = built.read_source(entity["file"])[entity["name_start"] : entity["name_end"]].decode()
        assert entity["name"] in (text, "<init>")


def test_what_is_written_is_declared(built: KnowledgeGraph, tmp_path: Path) -> None:
    export(built, tmp_path / "all.nq", "nq", with_occurrences=True)
    ontology = load_ontology()
    for quad in ox.parse(path=str(tmp_path / "all.nq"), format=ox.RdfFormat.N_QUADS):
        if quad.graph_name == ox.NamedNode(v.REFERENCE_GRAPH):
            name = quad.predicate.value.removeprefix(v.GM)
            assert name in ontology.relations or name in ontology.literals or name == v.RDF_TYPE
            if name == v.RDF_TYPE:
                assert "Reference" in ontology.classes[quad.object.value.removeprefix(v.GM)].ancestors


def test_on_the_command_line(
    built: KnowledgeGraph, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["kg", "export", str(built.folder), "--out", str(tmp_path / "x.nq")]
    assert main([*words, "--format", "nq", "--with-occurrences"]) == 0
    assert "#CallSite>" in (tmp_path / "x.nq").read_text()
    assert main([*words, "--format", "ttl", "--with-occurrences"]) == 2
    assert "'ttl' does not take occurrences" in capsys.readouterr().err


def test_other_formats_refuse(built: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="use nq"):
        export(built, tmp_path / "x", "graphml", with_occurrences=True)
