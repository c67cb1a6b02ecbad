"""Each rule on real code: what it must add, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.kg import KnowledgeGraph, build_kg

PYTHON = """from dataclasses import dataclass
from abc import ABC, abstractmethod

class Failed(ValueError):
    pass

class Worse(Failed):
    code = 1

class ErrorList(list):
    def __init__(self):
        self.items = helper()

    class Inner:
        pass

@dataclass
class Point:
    x: int

class Shape(ABC):
    @abstractmethod
    def area(self): ...

    def twice(self):
        return helper() + helper()

def helper():
    return 1
"""
JAVA = """package a;
public abstract class Base extends RuntimeException {
    abstract int size();
    int full() { return size(); }
}
"""


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    root: Path = tmp_path_factory.mktemp("derived")
    (root / "m.py").write_text(PYTHON)
    (root / "a").mkdir()
    (root / "a" / "Base.java").write_text(JAVA)
    kg = build_kg([root])
    kg.infer()
    return kg


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("ExceptionClass", {"m.Failed", "m.Worse", "a.Base"}),
        ("DataClass", {"m.Point"}),
        ("AbstractMethod", {"m.Shape.area", "a.Base.size"}),
    ],
)
def test_derived_classes(kg: KnowledgeGraph, kind: str, members: set[str]) -> None:
    rows = kg.query(f"SELECT DISTINCT ?n {{ ?s a gm:{kind} ; gm:qualifiedName ?n }}")
    assert {r["n"] for r in rows} == members


def test_a_java_class_that_is_declared_abstract_is_one(kg: KnowledgeGraph) -> None:
    rows = kg.query("SELECT ?n { ?s a gm:AbstractClass ; gm:qualifiedName ?n }")
    assert "a.Base" in {r["n"] for r in rows}
    assert "m.Point" not in {r["n"] for r in rows}


@pytest.mark.parametrize(
    ("relation", "type_", "members"),
    [
        ("hasMethod", "m.ErrorList", {"__init__"}),
        ("hasConstructor", "m.ErrorList", {"__init__"}),
        ("hasField", "m.ErrorList", {"items"}),
        ("hasInnerType", "m.ErrorList", {"Inner"}),
        ("hasMember", "m.ErrorList", {"__init__", "items", "Inner"}),
        ("hasMethod", "m.Shape", {"area", "twice"}),
        ("hasConstructor", "m.Shape", set()),
    ],
)
def test_members(kg: KnowledgeGraph, relation: str, type_: str, members: set[str]) -> None:
    query = f"SELECT DISTINCT ?n {{ ?s gm:qualifiedName ?type ; gm:{relation} ?o . ?o gm:name ?n }}"
    assert {r["n"] for r in kg.query(query, type=type_)} == members


def test_everything_but_the_outermost_is_in_exactly_one_namespace(kg: KnowledgeGraph) -> None:
    rows = kg.query("SELECT ?s ?n { ?s gm:inNamespace ?o . ?o gm:qualifiedName ?n }")
    assert len({r["s"] for r in rows}) == len(rows)
    assert {r["n"] for r in rows} == {"m", "a"}
    outside = kg.query("SELECT ?s { ?s a gm:Declaration FILTER NOT EXISTS { ?s gm:inNamespace ?o } }")
    assert len(outside) == 2


def test_fan_counts_neighbours_once(kg: KnowledgeGraph) -> None:
    query = """SELECT ?in ?out { ?s gm:qualifiedName ?name
        OPTIONAL { ?s gm:fanIn ?in } OPTIONAL { ?s gm:fanOut ?out } }"""
    assert kg.query(query, name="m.helper") == [{"in": 2}]
    assert kg.query(query, name="m.Shape.twice") == [{"out": 1}]
