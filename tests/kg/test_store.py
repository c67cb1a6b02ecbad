from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import rdflib

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.languages import get_language, get_parser


@pytest.fixture
def folder(corpus: Path, tmp_path: Path) -> Path:
    build_kg([corpus], tmp_path / "kg", languages=["toy"])
    return tmp_path / "kg"


def test_a_folder_holds_store_occurrences_and_manifest(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [
        "manifest.json",
        "occurrences.parquet",
        "outputs.parquet",
        "store",
    ]


def test_many_readers_may_open_one_graph(folder: Path) -> None:
    one, two = KnowledgeGraph.open(folder), KnowledgeGraph.open(folder)
    assert one.entities().equals(two.entities())
    assert one.triples().equals(two.triples())
    assert one.occurrences.equals(two.occurrences)
    assert one.ontology_version == "1.2.0"


def test_opening_something_else_is_refused_with_a_remedy(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"does not exist; build one with"):
        KnowledgeGraph.open(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"is not a knowledge graph"):
        KnowledgeGraph.open(tmp_path)
    with pytest.raises(UserError, match="is a file"):
        KnowledgeGraph.open(folder / "manifest.json")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        KnowledgeGraph.open(folder)
    (folder / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(UserError, match="not of format 1"):
        KnowledgeGraph.open(folder)


def test_a_missing_store_is_not_mistaken_for_an_empty_one(folder: Path) -> None:
    shutil.rmtree(folder / "store")
    with pytest.raises(UserError, match="no store/ folder"):
        KnowledgeGraph.open(folder)


def test_a_build_that_died_during_its_swap_is_recovered(folder: Path) -> None:
    before = KnowledgeGraph.open(folder).entities()
    folder.rename(folder.with_name(".kg.previous"))
    assert KnowledgeGraph.open(folder).entities().equals(before)


def test_folders_of_dead_builds_are_removed_and_of_live_ones_kept(corpus: Path, tmp_path: Path) -> None:
    dead, live = tmp_path / ".kg.building-4194305", tmp_path / f".kg.building-{os.getppid()}"
    dead.mkdir()
    live.mkdir()
    build_kg([corpus], tmp_path / "kg", languages=["toy"])
    assert not dead.exists()
    assert live.exists()


def test_rdflib_sees_the_union_of_all_graphs(kg: KnowledgeGraph) -> None:
    gm = rdflib.Namespace(v.GM)
    names = {str(n) for n in kg.graph.objects(None, gm.name)}
    assert {"Base", "helper"} <= names
    rows = list(kg.graph.query("SELECT ?c WHERE { ?c rdfs:subClassOf* gm:Callable . ?f a ?c }"))
    assert rows
    assert kg.graph is kg.graph


def test_source_that_moved_or_changed_is_not_read_as_if_it_were_the_same(
    kg: KnowledgeGraph, corpus: Path
) -> None:
    key = "toy/proj/0/app/core.toy"
    assert kg.read_source(key).startswith(b"class Base")
    (corpus / "app/core.toy").write_text("class Other\n")
    with pytest.raises(UserError, match="has changed since"):
        kg.read_source(key)
    (corpus / "app/core.toy").unlink()
    with pytest.raises(UserError, match="cannot read"):
        kg.read_source(key)
    with pytest.raises(UserError, match="has no file 'x'"):
        kg.read_source("x")


def test_occurrences_point_at_the_text_they_quote(kg: KnowledgeGraph) -> None:
    for row in kg.occurrences.to_pylist():
        text = kg.read_source(row["file"])[row["start"] : row["end"]].decode()
        assert text.lstrip("~?") == row["name"]


def test_registry() -> None:
    assert get_language("python").name == "python"
    assert get_parser("python").parse(b"x = 1").root_node.type == "module"
    with pytest.raises(UserError, match="unknown language 'perl'; known: java, python"):
        get_language("perl")
    with pytest.raises(UserError, match="unknown language 'perl'"):
        get_parser("perl")


def test_named_queries_check_their_parameters(kg: KnowledgeGraph) -> None:
    assert {r["hops"] for r in kg.run("callers", function="app.util.text.helper")} == {1, 2, 3}
    with pytest.raises(UserError, match="it takes function: qualified name"):
        kg.run("callers")
    with pytest.raises(UserError, match="no query named 'x'"):
        kg.run("x")
