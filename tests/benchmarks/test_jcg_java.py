"""The scorer of JCG's Java cases, on cases small enough to count by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.truth.case import Facts, facts_of
from benchmarks.truth.jcg_java import descriptor, external_descriptor, score

SOURCE = """package p;
class A {
    static class In { void go() { } }
    void f(In in) {
        in.go(); toString();
        g();
    }
    void g() { new A(); }
}
"""


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_of({"p/A.java": SOURCE}, "java")[0]


def edge(kind: str, line: int, name: str, resolved: list[str], prohibited: list[str] = []) -> dict[str, Any]:  # noqa: B006
    return {
        "kind": kind, "line": line, "target_name": name, "resolved": resolved, "prohibited": prohibited,
        "caller_class": "Lp/A;", "caller_name": "f",
    }  # fmt: skip


def scored(facts: Facts, *edges: dict[str, Any], feature: str = "Types") -> Any:
    return score({"id": "x", "feature": feature, "expected": list(edges)}, facts)


def test_descriptors(facts: Facts) -> None:
    names = {e.name: descriptor(e, facts) for e in facts.entities.values() if e.kind == "Class"}
    assert names == {"A": "Lp/A;", "In": "Lp/A$In;"}
    assert external_descriptor("java.util.Map.Entry") == "Ljava/util/Map$Entry;"


def test_direct_edges_need_the_line_the_name_and_the_class(facts: Facts) -> None:
    assert scored(facts, edge("direct", 5, "go", ["Lp/A$In;"]))[0].missing == ()
    assert scored(facts, edge("direct", 6, "go", ["Lp/A$In;"]))[0].missing == ("Lp/A;.f:6 -> Lp/A$In;.go",)
    assert scored(facts, edge("direct", 5, "go", ["Lp/B;"]))[0].missing
    assert not scored(facts, edge("direct", 5, "toString", ["Ljava/lang/Object;"]))[0].missing


def test_prohibited_edges_are_wrong(facts: Facts) -> None:
    (outcome,) = scored(facts, edge("direct", 5, "go", [], ["Lp/A$In;", "Lp/B;"]))
    assert outcome.extra == ("Lp/A;.f:5 -> Lp/A$In;.go",)
    assert (outcome.expected, outcome.reported) == (0, 2)


def test_indirect_edges_need_a_path(facts: Facts) -> None:
    (outcome,) = scored(facts, edge("indirect", 6, "<init>", ["Lp/A;", "Lp/A$In;"]))
    assert outcome.missing == ("Lp/A;.f:6 -> Lp/A$In;.<init>",)


def test_features_of_the_language_are_apart(facts: Facts) -> None:
    one = edge("direct", 5, "go", ["Lp/A$In;"])
    assert scored(facts, one)[0].part == "language direct"
    assert scored(facts, one, feature="TrivialReflection")[0].part == "reflective direct"
