"""The scorer of ENRE's cases, on cases small enough to count by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.truth.case import Facts, facts_of
from benchmarks.truth.enre import same_name, score

JAVA = """package p;
interface Drink { }
class Foo implements Drink {
    int n = 1;
    int f(int i) { int j = i; j += 1; return j + this.n; }
    Drink d = new Drink() { };
}
"""


@pytest.fixture(scope="module")
def java() -> Facts:
    return facts_of({"p/Foo.java": JAVA}, "java")[0]


def scored(
    facts: Facts, entities: Any = (), relations: Any = (), closed: str | None = None, language: str = "java"
) -> Any:
    case = {
        "id": "x", "category": "c", "language": language,
        "entity": {"items": [{"type": t, "name": n} for t, n in entities], "closed_type": closed},
        "relation": {"items": relations, "closed_type": closed},
    }  # fmt: skip
    return score(case, facts)


def relation(kind: str, subject: str, target: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "from": subject, "to": target, **more}


def test_names_agree_from_their_end() -> None:
    assert same_name("Foo.f", "p.Foo.f")
    assert same_name("q.p.Foo.f", "p.Foo.f")
    assert same_name("test_x.f", "file0.f")
    assert not same_name("Bar.f", "p.Foo.f")
    assert same_name("Foo.f.<Anon Class>", "p.Foo.f.$1")


def test_entities(java: Facts) -> None:
    wanted = [("Class", "Foo"), ("Variable", "Foo.f.i"), ("Variable", "Foo.f.j"), ("Class", "<Anon Class>")]
    assert scored(java, wanted)[0].missing == ()
    assert scored(java, [("Enum", "Foo"), ("Class", "Bar")])[0].missing == ("Enum Foo", "Class Bar")


def test_one_entity_is_counted_once(java: Facts) -> None:
    assert scored(java, [("Interface", "Drink"), ("Interface", "Drink")])[0].missing == ("Interface Drink",)


def test_a_closed_list_has_precision(java: Facts) -> None:
    (outcome,) = scored(java, [("Variable", "Foo.f.i"), ("Variable", "n")], closed="Variable")
    assert sorted(outcome.extra) == ["Field p.Foo.d", "LocalVariable p.Foo.f.j"]
    assert (outcome.reported, outcome.expected) == (4, 2)


def test_relations(java: Facts) -> None:
    wanted = [
        relation("Implement", "Class:'Foo'", "Interface:'Drink'"),
        relation("Modify", "Method:'f'", "Variable:'j'"),
        relation("UseVar", "Method:'f'", "Variable:'n'"),
        relation("Typed", "Variable:'d'", "Interface:'Drink'"),
        relation("Contain", "File:'Foo.java'", "Class:'Foo'"),
    ]
    assert scored(java, relations=wanted)[0].missing == ()
    assert scored(java, relations=[relation("Inherit", "Class:'Foo'", "Interface:'Drink'")])[0].missing


def test_every_place_of_a_relation_counts(java: Facts) -> None:
    once = relation("Modify", "Method:'f'", "Variable:'j'")
    assert scored(java, relations=[once, once])[0].missing == ("Modify Method:'f' -> Variable:'j'",)
    assert scored(java, relations=[once], closed="Modify")[0].extra == ()
    (outcome,) = scored(java, relations=[relation("UseVar", "Method:'f'", "Variable:'i'")], closed="UseVar")
    assert sorted(outcome.extra) == ["UseVar p.Foo.f -> p.Foo.f.j", "UseVar p.Foo.f -> p.Foo.n"]


def test_what_must_be_absent_is_wrong_if_found(java: Facts) -> None:
    item = relation("Implement", "Class:'Foo'", "Interface:'Drink'", negative=True)
    (outcome,) = scored(java, relations=[item])
    assert (outcome.expected, outcome.reported, len(outcome.extra)) == (0, 1, 1)


def test_python_annotations_and_parameters() -> None:
    facts = facts_of({"m.py": "class C: pass\ndef f(p: C): p\n"}, "python")[0]
    wanted = [relation("Annotate", "Parameter:'m.f.p'", "Class:'m.C'")]
    assert scored(facts, relations=wanted, language="python")[0].missing == ()
    assert scored(facts, [("Variable", "m.f.p")], language="python")[0].missing
