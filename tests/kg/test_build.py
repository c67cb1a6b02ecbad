from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.kg.facts import FileFacts, SourceFile
from tests.kg.conftest import CORPUS, write_corpus

BASE = "https://w3id.org/graphmer/id/toy/proj/0/"


def lines(kg: KnowledgeGraph) -> list[str]:
    return sorted(f"{q}" for q in kg.store)


def test_entities_have_their_class_name_span_and_parent(kg: KnowledgeGraph) -> None:
    rows = {r["iri"]: r for r in kg.entities().to_pylist()}
    assert list(rows) == sorted(rows)
    run = rows[BASE + "app/core#Base%23run()."]
    text = kg.read_source(run["file"])
    assert text[run["name_start"] : run["name_end"]] == b"run"
    assert text[run["start"] : run["end"]].startswith(b"def run(self, n)")
    assert run["kind"] == "Method"
    assert run["qualified_name"] == "app.core.Base.run"
    assert run["language"] == "toy"
    assert run["parent"] == BASE + "app/core#Base%23"
    assert rows[BASE + "app/core#Base%23run().(n)"]["parent"] == run["iri"]
    external = rows["https://w3id.org/graphmer/id/toy/external/-/-#lib.print"]
    assert external["kind"] == "ExternalSymbol"
    assert external["name"] == "print"
    assert external["file"] is None


def test_a_package_declares_its_submodules(kg: KnowledgeGraph) -> None:
    parents = {r["qualified_name"]: r["parent"] for r in kg.entities().to_pylist() if r["kind"] == "Module"}
    assert parents == {
        "app": None,
        "app.core": BASE + "app#",
        "app.util": BASE + "app#",
        "app.util.text": BASE + "app/util#",
    }


def test_heuristic_edges_live_apart_and_unresolved_ones_make_no_triple(kg: KnowledgeGraph) -> None:
    calls = [r for r in kg.triples().to_pylist() if r["relation"] == "calls"]
    guessed = {
        (r["subject"].rpartition("/")[2], r["object"].rpartition("#")[2]) for r in calls if r["heuristic"]
    }
    assert guessed == {("core#Base%23run().", "lib.guess"), ("text#main().", "Base%23stop().")}
    assert not any("nothing" in r["object"] for r in calls)
    unresolved = [r for r in kg.occurrences.to_pylist() if r["how"] == "unresolved"]
    assert [(r["name"], r["entity"]) for r in unresolved] == [("nothing", None)]
    assert kg.manifest.counts["how"]["unresolved"] == 1
    graphs = {r["g"] for r in kg.query("SELECT ?g { GRAPH ?g { ?s gm:calls ?o } }")}
    assert sum("/graph/heuristic/" in g for g in graphs) == 2


def test_two_builds_are_equal_byte_for_byte_however_many_workers(corpus: Path, tmp_path: Path) -> None:
    for i in range(40):  # several batches
        (corpus / f"app/m{i:02}.toy").write_text(f"def f{i}(x) helper f{i - 1}\n")
    one = build_kg([corpus], tmp_path / "one", languages=["toy"])
    two = build_kg([corpus], tmp_path / "two", languages=["toy"], workers=2)
    memory = build_kg([corpus], languages=["toy"])
    assert lines(one) == lines(two) == lines(memory)
    assert one.occurrences.equals(two.occurrences)
    assert one.occurrences.equals(memory.occurrences)


def test_an_unchanged_build_is_not_repeated_and_a_changed_one_is(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "kg"
    first = build_kg([corpus], out, languages=["toy"])
    stamp = (out / "manifest.json").stat().st_mtime_ns
    stages: list[str] = []
    again = build_kg(
        [corpus], out, languages=["toy"], progress=lambda stage, done, total: stages.append(stage)
    )
    assert (out / "manifest.json").stat().st_mtime_ns == stamp
    assert set(stages) == {"hash"}
    assert lines(again) == lines(first)
    (corpus / "app/core.toy").write_text("def other()\n")
    changed = build_kg([corpus], out, languages=["toy"])
    assert "app.core.other" in changed.entities()["qualified_name"].to_pylist()
    assert "app.core.Base" not in changed.entities()["qualified_name"].to_pylist()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_failed_build_leaves_the_previous_graph(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "kg"
    before = lines(build_kg([corpus], out, languages=["toy"]))
    (corpus / "app/core.toy").write_text("def other()\n")

    def die(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("graphmer_geo.kg.build.MAX_CHANGED", -1)  # all of it is built again
    monkeypatch.setattr("graphmer_geo.kg.build.write_parts", die)
    with pytest.raises(KeyboardInterrupt):
        build_kg([corpus], out, languages=["toy"])
    assert lines(KnowledgeGraph.open(out)) == before


@pytest.mark.parametrize("workers", [1, 2])
def test_one_bad_file_costs_only_itself(corpus: Path, workers: int) -> None:
    for i in range(20):
        (corpus / f"app/m{i:02}.toy").write_text("")
    (corpus / "app/deep.toy").write_text("!raise")
    (corpus / "app/noted.toy").write_text("!note\ndef fine()\n")
    if workers > 1:
        (corpus / "app/crash.toy").write_text("!exit")
    kg = build_kg([corpus], languages=["toy"], workers=workers)
    records = {r.path: r for r in kg.manifest.files if r.status != "ok"}
    assert records["app/deep.toy"].status == "skipped"
    assert "RecursionError" in records["app/deep.toy"].problems[0]
    assert records["app/noted.toy"].status == "partial"
    assert records["app/noted.toy"].problems == ("line 1: a note",)
    if workers > 1:
        assert records["app/crash.toy"].problems == ("the extractor's process died",)
    names = kg.entities()["qualified_name"].to_pylist()
    assert "app.noted.fine" in names
    assert "app.deep" not in names


def test_a_second_definition_of_the_same_thing_is_recorded_not_merged(corpus: Path, tmp_path: Path) -> None:
    (corpus / "app/core").mkdir()
    (corpus / "app/core/__init__.toy").write_text("def shadowed()\n")
    kg = build_kg([corpus], languages=["toy"])
    (twin,) = (r for r in kg.manifest.files if r.status == "skipped")
    assert twin.path == "app/core/__init__.toy" or twin.path == "app/core.toy"
    assert "already defined by" in twin.problems[0]


def test_two_folders_of_one_name_stay_two_packages(tmp_path: Path, toy: None) -> None:
    roots = [
        write_corpus(tmp_path / side / "src", {"a.toy": f"def {side}()\n"}) for side in ("left", "right")
    ]
    kg = build_kg(roots, languages=["toy"])
    assert {r.package for r in kg.manifest.files} == {"left-src", "right-src"}
    assert {r.status for r in kg.manifest.files} == {"ok"}


def test_output_that_is_something_else_is_refused(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("x")
    with pytest.raises(UserError, match="other things in it"):
        build_kg([corpus], tmp_path / "mine", languages=["toy"])
    assert (tmp_path / "mine/thesis.tex").read_text() == "x"
    with pytest.raises(UserError, match="is a file"):
        build_kg([corpus], tmp_path / "mine/thesis.tex", languages=["toy"])


def test_bad_arguments_name_the_value_and_the_remedy(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown language 'cobol'; known: java, python, toy"):
        build_kg([corpus], languages=["cobol"])
    with pytest.raises(UserError, match="does not exist"):
        build_kg([tmp_path / "nowhere"], languages=["toy"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no source files \(.toy\)"):
        build_kg([tmp_path / "empty"], languages=["toy"])
    with pytest.raises(UserError, match="no source given"):
        build_kg([], languages=["toy"])


def test_a_folder_that_is_a_package_has_its_parent_as_root(corpus: Path) -> None:
    # The toy language has no __init__.py of its own, so the marker file is Python's.
    (corpus / "app/__init__.py").write_text("")
    kg = build_kg([Source(corpus / "app", version="2")], languages=["toy"])
    assert {r.module for r in kg.manifest.files} == {"app", "app.core", "app.util", "app.util.text"}
    assert {r.version for r in kg.manifest.files} == {"2"}


def test_literals_survive_every_character(kg: KnowledgeGraph) -> None:
    (row,) = kg.query('SELECT ?d { ?f gm:docstring ?d ; gm:qualifiedName "app.start" }')
    assert row["d"] == 'A "doc"\n\tÜ�'


def test_corpus_is_what_these_tests_think(kg: KnowledgeGraph) -> None:
    assert {r.path for r in kg.manifest.files} == set(CORPUS)


def test_no_triple_is_in_two_graphs(kg: KnowledgeGraph) -> None:
    """Oxigraph's union of graphs repeats such a triple, and every count over it would be wrong."""
    assert len({q.triple for q in kg.store}) == len(kg.store)
    (row,) = kg.query('SELECT (COUNT(*) AS ?n) { ?x gm:qualifiedName "lib.print" }')
    assert row["n"] == 1


def test_a_term_the_ontology_lacks_is_an_error_at_once(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.kg.toy import Toy

    extract = Toy.extract

    def invent(self: Toy, file: SourceFile, source: bytes) -> FileFacts:
        facts = extract(self, file, source)
        facts.entities[0].literals["colour"] = "red"
        return facts

    monkeypatch.setattr(Toy, "extract", invent)
    with pytest.raises(ValueError, match="'colour' is not a term"):
        build_kg([corpus], languages=["toy"])


def test_a_script_without_main_guard_is_told_so(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"m{number}.py").write_text("x = 1\n")
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from graphmer_geo.kg import build_kg\n"
        f"build_kg({str(tmp_path)!r}, languages=['python'], workers=2)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode != 0
    assert "workers=2: no worker process could start" in done.stderr
