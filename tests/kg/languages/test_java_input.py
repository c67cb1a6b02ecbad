"""Java files that are odd or broken: nothing raises, nothing takes forever, what can be read is read."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest

from graphmer_geo.kg import build_kg
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.java import JAVA
from tests.kg.languages.java_case import SAMPLE, Case, extract


@pytest.mark.parametrize(
    ("source", "package"),
    [
        (b"", ""),
        (b"class A {}", ""),
        (b"package a.b.c;", "a.b.c"),
        (b"\xef\xbb\xbf// package x;\n/* package y; */ @Ann(1)\npackage a . b ;", "a.b"),
        (b"/* never closed package a;", ""),
        (b"import a.B; class X { String s = \"package z;\"; }", ""),
    ],
)  # fmt: skip
def test_package_of_a_file(source: bytes, package: str) -> None:
    assert JAVA.module_name("anything/at/all.java", source) == package


def test_empty_file() -> None:
    facts = extract("")
    assert [entity.kind for entity in facts.entities] == ["Package"]
    assert facts.problems == []


def test_file_without_a_package() -> None:
    case = Case("class A { B b; void f() { b.g(); } }", "class B { void g() { } }")
    assert case.facts[0].entities[1].qualified_name == "A"
    assert case.triples("calls") == {("A#f().", "B#g().")}


def test_syntax_error_keeps_the_rest() -> None:
    case = Case("package p;\nclass A {\n  void f( { }\n  int ;\n  void g() { h(); }\n  void h() { }\n}\n")
    assert [problem.line for problem in case.facts[0].problems]
    assert ("A#g().", "A#h().") in case.triples("calls")


def test_text_outside_ascii() -> None:
    source = 'class Ä { String größe = "ü"; String f() { return größe; } }'
    case = Case(source)
    (row,) = [r for r in case.linked[0].occurrences if r.relation == "reads"]
    assert source.encode()[row.start : row.end].decode() == "größe"


@pytest.mark.parametrize(
    "source",
    [
        "class A { int f(String x) { return " + "+".join(["x"] * 3000) + "; } }",
        "class A { A b() { return this; } void f() { this" + ".b()" * 3000 + "; } }",
        "class A { A b; Object f() { return this" + ".b" * 3000 + "; } }",
        "class A { int f() { return " + "(" * 3000 + "1" + ")" * 3000 + "; } }",
        "class A { void f() { " + "{" * 3000 + "}" * 3000 + " } }",
        "class A { void f(int x) { " + "if (x == 0) { } else " * 3000 + "{ } } }",
        "class A { int f(boolean b) { return " + "b ? 1 : " * 3000 + "2; } }",
        "class A { Object o = " + "x -> " * 3000 + "1; }",
        "class B { " * 300 + "}" * 300,
        "class A { " + "A<" * 3000 + "B" + ">" * 3000 + " x; }",
        "class A { " + "void m(int x) { m(x); } " * 300 + "}",
    ],
    ids="sum chain fields parentheses blocks else-if ternary lambdas classes generics twins".split(),
)  # fmt: skip
def test_deep_nesting_neither_raises_nor_recurses_forever(source: str) -> None:
    facts = extract(source)
    assert pickle.loads(pickle.dumps(facts)) == facts
    assert len(link_all(JAVA, [facts])) == 1


def test_cycles_in_the_hierarchy() -> None:
    case = Case(
        "class A extends B { void f() { x.y(); g(); } } class B extends A { }"
        "class C extends C { } interface I extends J { } interface J extends I { }"
        "class V<T extends U, U extends T> { T t; void f() { t.g(); } <S extends S> void h(S s) { s.x(); } }"
    )
    assert "g" in case.unresolved()


def test_damaged_files() -> None:
    """Random cuts and swaps of real files: spans stay valid, identifiers unique, every row points at text."""
    rng = random.Random(0)
    sources = [path.read_bytes() for path in sorted(SAMPLE.rglob("*.java"))]
    for _ in range(6):
        damaged = []
        for number, source in enumerate(rng.sample(sources, 10)):
            raw = bytearray(source)
            for _ in range(rng.randrange(1, 6)):
                at = rng.randrange(len(raw))
                raw[at : at + rng.randrange(40)] = rng.choice(sources)[: rng.randrange(100)]
            damaged.append(extract(bytes(raw), f"F{number}.java"))
        for facts, linked in zip(damaged, link_all(JAVA, damaged), strict=True):
            iris = [facts.iri(index) for index in range(len(facts.entities))]
            assert len(iris) == len(set(iris))
            assert all(row.start < row.end for row in linked.occurrences)


def test_module_declaration() -> None:
    """Its directives declare nothing; what it imports counts."""
    source = "import a.b.S;\nmodule m.n { requires java.sql; exports a.b; uses S; }"
    facts = extract(source, "module-info.java")
    assert [entity.kind for entity in facts.entities] == ["Package"]
    assert facts.problems == []
    (linked,) = link_all(JAVA, [facts])
    assert [row.name for row in linked.occurrences if row.relation == "imports"] == ["S"]


def test_package_info_documents_its_package(tmp_path: Path) -> None:
    documented = "/** What it\n * is for. */\n@Deprecated\npackage p;\n"
    (tmp_path / "package-info.java").write_text(documented)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "package-info.java").write_text("/** Again. */ package p;")
    (tmp_path / "A.java").write_text("/** A licence. */ package p; class A { }")
    kg = build_kg([tmp_path])
    (row,) = kg.query("SELECT ?doc { ?p a gm:Package ; gm:docstring ?doc }")
    assert row["doc"] in ("What it\nis for.", "Again.")
    (row,) = kg.query("SELECT ?name { ?p a gm:Package ; gm:annotatedWith/gm:name ?name }")
    assert row["name"] == "Deprecated"
    assert kg.validate().conforms


def test_language_of_today() -> None:
    case = Case(
        "sealed interface S permits X, Y { } record X(int a, String... rest) implements S { X { g(); } static"
        " void g() { } } final class Y implements S { void y() { } } class U { String f(Object o) { return "
        'switch (o) { case X(int a, String[] r) when a > 0 -> "x" + a; case Y y -> { y.y(); yield h(); } '
        'case null, default -> """\n text "block" \\\n """; }; } String h() { return ""; } }'
    )
    assert case.facts[0].problems == []
    assert case.triples("implements") == {("X#", "S#"), ("Y#", "S#")}
    assert case.triples("calls") >= {
        ("U#f(Object).", "Y#y()."), ("U#f(Object).", "U#h()."), ("X#<init>(int,String...).", "X#g().")
    }  # fmt: skip


def test_large_generated_file() -> None:
    methods = "\n".join(f"  int m{i}(int x) {{ return m{i - 1}(x) + T[{i}]; }}" for i in range(1, 2000))
    table = ", ".join(map(str, range(5000)))
    fields = f"static final int[] T = {{ {table} }};"
    case = Case(f"class G {{ {fields}\n int m0(int x) {{ return x; }}\n{methods}\n}}")
    assert len(case.triples("calls")) == 1999
