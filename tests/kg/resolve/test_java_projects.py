"""Several distributions, and several versions of one, in one graph: whose class a name means."""

from __future__ import annotations

from pathlib import Path

from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.java import JAVA
from graphmer_geo.kg.resolve.java.headers import header_of
from graphmer_geo.kg.resolve.java.linker import FileLinker
from graphmer_geo.kg.resolve.java.projects import Worlds
from tests.kg.languages.java_case import SAMPLE, extract

LIBRARY = "package lib; public class A { public B b; public void v%s() { } } class B { }"
USER = "package use; import lib.*; class U { A a; void f() { a.v2(); } }"


def build(root: Path, *projects: tuple[str, str, str]) -> KnowledgeGraph:
    """A graph of one file for each package, version and text."""
    sources = []
    for number, (package, version, text) in enumerate(projects):
        folder = root / str(number)
        folder.mkdir()
        (folder / "F.java").write_text(text)
        sources.append(Source(folder, package=package, version=version))
    return build_kg(sources)


def places(kg: KnowledgeGraph, relation: str) -> set[tuple[str, str]]:
    """Package, version and path of both ends."""
    rows = [row for row in kg.triples().to_pylist() if row["relation"] == relation]
    return {(row["subject"].split("/id/java/")[1], row["object"].split("/id/java/")[1]) for row in rows}


def test_each_version_refers_to_itself(tmp_path: Path) -> None:
    kg = build(tmp_path, ("lib", "1.9", LIBRARY % 1), ("lib", "1.10", LIBRARY % 2))
    assert places(kg, "hasType") == {
        ("lib/1.9/lib#A%23b.", "lib/1.9/lib#B%23"),
        ("lib/1.10/lib#A%23b.", "lib/1.10/lib#B%23"),
    }


def test_others_see_the_newest_version(tmp_path: Path) -> None:
    kg = build(tmp_path, ("lib", "1.9", LIBRARY % 1), ("lib", "1.10", LIBRARY % 2), ("user", "0", USER))
    assert ("user/0/use#U%23a.", "lib/1.10/lib#A%23") in places(kg, "hasType")
    assert places(kg, "calls") == {("user/0/use#U%23f().", "lib/1.10/lib#A%23v2().")}
    assert ("user/0/use#U%23", "lib/1.10/lib#") in places(kg, "imports")


def test_a_class_of_ones_own_comes_before_the_same_one_elsewhere(tmp_path: Path) -> None:
    kg = build(
        tmp_path,
        ("a", "0", LIBRARY % 1),
        ("b", "0", LIBRARY % 2),
        ("c", "0", "package lib; class C { A a; }"),
    )
    assert places(kg, "hasType") == {
        ("a/0/lib#A%23b.", "a/0/lib#B%23"),
        ("b/0/lib#A%23b.", "b/0/lib#B%23"),
        ("c/0/lib#C%23a.", "a/0/lib#A%23"),
    }


def test_odd_versions_have_an_order(tmp_path: Path) -> None:
    kg = build(tmp_path, ("lib", "", LIBRARY % 1), ("lib", "1²-β", LIBRARY % 2), ("lib", "1.x", LIBRARY % 3))
    assert len(places(kg, "hasType")) == 3


def test_no_file_depends_on_which_one_is_linked_first() -> None:
    facts = [
        extract("package a; import x.*; class A { Y y; Z z; void f() { y.g(); } }", "A.java"),
        extract("package b; import x.Y; class B { Y y; void f() { x.Z.g(); } }", "B.java"),
        *(extract(path.read_bytes(), path.name) for path in sorted(SAMPLE.rglob("*.java"))),
    ]
    forwards = link_all(JAVA, facts)
    worlds = Worlds([header_of(each) for each in facts], dict(enumerate(facts)))
    scopes = [worlds.scope(index) for index in range(len(facts))]
    backwards = [FileLinker(scope.world, scope).run() for scope in reversed(scopes)]
    assert backwards[::-1] == forwards
    types = {o.target for o in forwards[0].occurrences if o.relation == "hasType"}
    # B's import says that there is an x.Y; what A could know of Z, only a body says
    assert types == {"https://w3id.org/graphmer/id/java/external/-/-#x.Y", None}
