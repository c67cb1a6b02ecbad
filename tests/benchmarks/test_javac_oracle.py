"""Comparing call targets with javac's: what its lines mean, and how differences are named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.oracles.javac import Site, Target, _sites, attribute, compare, target_of, verdict
from graphmer_geo.kg import Source, build_kg

BASE = "https://w3id.org/graphmer/id/java/m/1/java/util#"
SOURCE = """package p;
class A {
    enum E { X }
    void é() { new A(); g(1); E.values(); }
    void g(int n) { }
}
"""


def test_targets_are_read_from_iris() -> None:
    assert target_of(BASE + "Map%23Entry%23set(Map.Entry,int...).") == Target(
        "java.util.Map$Entry", "set", "Entry,int[]"
    )
    assert target_of(BASE + "Map%23Entry%23") == Target("java.util.Map$Entry", "<init>", "")
    assert target_of(BASE + "A%23$1%23run().") == Target("", "run", "")
    assert target_of("https://w3id.org/graphmer/id/java/external/-/-#java.util.List.add") == Target(
        "java.util.List", "add", "?"
    )


def test_lines_of_what_nobody_wrote_are_left_out() -> None:
    at = SOURCE.index
    lines = [
        f"A.java\t{at('new A') + 4}\tnew\tp.A\t<init>\t",
        f"A.java\t{at('g(1)')}\tcall\tp.A\tg\tint",
        f"A.java\t{at('class A')}\tcall\tjava.lang.Object\t<init>\t",
        f"A.java\t{at('X }')}\tnew\tp.A$E\t<init>\t",
    ]
    found = list(_sites(lines, {"A.java": SOURCE}))
    assert [site.target for site in found] == [Target("p.A", "<init>", ""), Target("p.A", "g", "int")]
    assert found[1].offset == SOURCE.encode().index(b"g(1)")  # bytes


def test_verdicts() -> None:
    wanted = Target("p.A", "g", "int")
    assert verdict(wanted, [wanted], True) == "agrees"
    assert verdict(wanted, [Target("p.A", "g", "?")], True) == "agrees"
    assert verdict(wanted, [Target("p.A", "g", "long")], True) == "other overload"
    assert verdict(wanted, [Target("p.B", "g", "int")], True) == "other class"
    assert verdict(wanted, [Target("p.A", "h", "int")], True) == "other name"
    assert verdict(wanted, [], True) == "unresolved"
    assert verdict(wanted, [], False) == "no row"
    assert verdict(Target("p.E", "values", ""), [], True) == "made by the compiler"
    assert verdict(Target("q.B$C", "<init>", "int"), [Target("q.B", "C", "?")], True) == "agrees"


def test_a_graph_is_compared_site_by_site(tmp_path: Path) -> None:
    (tmp_path / "A.java").write_text(SOURCE, encoding="utf-8")
    kg = build_kg([Source(tmp_path, package="m", version="1")])
    data = SOURCE.encode()
    sites = [
        Site("A.java", data.index(b"new A") + 4, Target("p.A", "<init>", "")),
        Site("A.java", data.index(b"g(1)"), Target("p.A", "g", "long")),
        Site("A.java", data.index(b"values"), Target("p.A$E", "values", "")),
    ]
    found = compare(kg, sites, "java/m/1/")
    assert found["verdicts"] == {"agrees": 1, "made by the compiler": 1, "other overload": 1}
    assert (found["agreement"], found["coverage"]) == (0.5, 0.6667)
    assert "A.java" in found["examples"]["other overload"][0]


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK")
def test_javac_attributes_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "java" / "util"
    folder.mkdir(parents=True)
    (folder / "A.java").write_text(SOURCE.replace("package p", "package java.util"), encoding="utf-8")
    found = attribute("java.base", tmp_path, ["java/util/A.java"])
    assert [s.target for s in found] == [
        Target("java.util.A", "<init>", ""),
        Target("java.util.A", "g", "int"),
        Target("java.util.A$E", "values", ""),
    ]
