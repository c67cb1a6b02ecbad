"""What the Java extractor declares, against `javap` and a golden list."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.languages.java import JAVA
from tests.kg.languages.java_case import SAMPLE, extract

GOLDEN = Path(__file__).parent / "java_library_types.txt"
TYPES = {"Class", "Interface", "Enum", "Record", "AnnotationType"}


@pytest.fixture(scope="module")
def sample() -> list[FileFacts]:
    found = []
    for path in sorted(SAMPLE.rglob("*.java")):
        source = path.read_bytes()
        relative = path.relative_to(SAMPLE).as_posix()
        file = SourceFile("java", "shelf", "1.0.0", relative, JAVA.module_name(relative, source))
        found.append(JAVA.extract(file, source))
    return found


def members(files: list[FileFacts]) -> dict[str, set[str]]:
    """Binary class name -> ``kind name/arity`` of what it declares; local and anonymous classes left out."""
    found: dict[str, set[str]] = {}
    for facts in files:
        binary: dict[int, str] = {}
        parameters: dict[int, int] = defaultdict(int)
        for entity in facts.entities:
            if entity.kind == "Parameter":
                parameters[entity.parent] += 1
        for index, entity in enumerate(facts.entities):
            outer = binary.get(entity.parent)
            if entity.kind in TYPES and not entity.name.startswith("$"):
                if entity.parent == 0:
                    binary[index] = entity.qualified_name
                elif outer is not None:
                    binary[index] = f"{outer}${entity.name}"
                if index in binary:
                    found[binary[index]] = set()
            elif outer is not None and entity.kind in ("Method", "Constructor"):
                found[outer].add(f"{entity.name}/{parameters[index]}")
            elif outer is not None and entity.kind in ("Field", "EnumConstant"):
                found[outer].add(entity.name)
    return found


def test_sample_project_declares_what_its_golden_list_says(sample: list[FileFacts]) -> None:
    lines = [f"{cls} {' '.join(sorted(names))}".strip() for cls, names in sorted(members(sample).items())]
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_sample_project_has_no_problems_and_unique_iris(sample: list[FileFacts]) -> None:
    assert [facts.problems for facts in sample if facts.problems] == []
    iris = [facts.iri(i) for facts in sample for i, e in enumerate(facts.entities) if e.kind != "Package"]
    assert len(iris) == len(set(iris))


@pytest.mark.skipif(
    not (shutil.which("javac") and shutil.which("javap")), reason="needs javac and javap on PATH"
)
def test_sample_project_declares_what_javap_prints(sample: list[FileFacts], tmp_path: Path) -> None:
    sources = [str(path) for path in sorted(SAMPLE.rglob("*.java"))]
    command = ["javac", "--release", "17", "-Xlint:all", "-Werror", "-d", str(tmp_path), *sources]
    subprocess.run(command, check=True)
    classes = [str(path) for path in tmp_path.rglob("*.class") if not re.search(r"\$\d", path.name)]
    text = subprocess.run(["javap", "-p", *classes], check=True, capture_output=True, text=True).stdout
    ours = members(sample)
    printed = javap_members(text)
    assert set(ours) == set(printed)
    implicit = {"values/0", "valueOf/1", "toString/0", "hashCode/0", "equals/1", "$values/0"}
    for name, expected in printed.items():
        kinds = {e.kind for f in sample for e in f.entities if e.qualified_name == name.replace("$", ".")}
        assert ours[name] <= expected, name
        fields = {f"{each}/0" for each in expected if "/" not in each}  # accessors of records
        constructors = {each for each in expected if each.startswith("<init>/")}
        allowed = implicit | constructors | (fields if "Record" in kinds else set())
        assert expected - ours[name] <= allowed, name


def javap_members(text: str) -> dict[str, set[str]]:
    """The same from the output of ``javap -p``, without what the compiler adds."""
    found: dict[str, set[str]] = {}
    current = ""
    for line in text.splitlines():
        header = re.search(r"(?:class|interface) ([\w.$]+)", line)
        if header and line.endswith("{"):
            current = header[1]
            found[current] = set()
        elif line.startswith("  ") and line.endswith(";") and line != "  static {};":
            if "(" not in line:
                name = line.rstrip(";").split()[-1]
                if not name.startswith(("this$", "val$", "$")):
                    found[current].add(name)
                continue
            before, _, after = line.partition("(")
            name = before.split()[-1]
            inside = re.sub(r"<[^<>]*>", "", re.sub(r"<[^<>]*>", "", after.partition(")")[0]))
            arity = len([part for part in inside.split(",") if part.strip()])
            if name == current:
                outer = current.rpartition("$")[0]
                simple = "<init>"
                if outer and inside.split(",")[0].strip() in (outer, outer.replace("$", ".")):
                    found[current].add(f"<init>/{arity - 1}")  # if the first is the enclosing instance
            else:
                simple = name
            if "lambda$" not in simple and not simple.startswith("access$"):
                found[current].add(f"{simple}/{arity}")
    return found


def test_every_kind_of_declaration() -> None:
    facts = extract(
        """package p.q;
/** Doc
 *  of A. */
public abstract class A<T extends Comparable<T>> {
    protected static final int X = 1, Y[] = {};
    static { init(); }
    { init(); }
    A(int... xs) { }
    @Override <K> java.util.List<K> m(final T[] a, A<T> this) { return null; }
    enum E { P(1) { void q() { } }, Q; E(int... i) { } }
    record R(int a, String b) { R { } R(int c) { this(c, ""); } }
    record S(long l) { }
    @interface N { int v() default 1; }
    interface I { void i(); default void d() { } int K = 2; }
    Object o = new Object() { int z; };
    void f() { class L { } Runnable r = () -> { }; java.util.function.IntUnaryOperator g = x -> x; }
}
"""
    )
    found = {(entity.kind, entity.descriptor) for entity in facts.entities}
    assert facts.problems == []
    assert found == {
        ("Package", ""),
        ("Class", "A#"),
        ("TypeParameter", "A#[T]"),
        ("Field", "A#X."),
        ("Field", "A#Y."),
        ("Initializer", "A#<clinit>()."),
        ("Initializer", "A#<initializer>()."),
        ("Constructor", "A#<init>(int...)."),
        ("Parameter", "A#<init>(int...).(xs)"),
        ("Method", "A#m(T[])."),
        ("TypeParameter", "A#m(T[]).[K]"),
        ("Parameter", "A#m(T[]).(a)"),
        ("Enum", "A#E#"),
        ("EnumConstant", "A#E#P."),
        ("EnumConstant", "A#E#Q."),
        ("Constructor", "A#E#<init>(int...)."),
        ("Parameter", "A#E#<init>(int...).(i)"),
        ("Initializer", "A#E#<clinit>()."),
        ("Class", "A#E#$1#"),
        ("Method", "A#E#$1#q()."),
        ("Record", "A#R#"),
        ("Field", "A#R#a."),
        ("Field", "A#R#b."),
        ("Constructor", "A#R#<init>(int,String)."),
        ("Parameter", "A#R#<init>(int,String).(a)"),
        ("Parameter", "A#R#<init>(int,String).(b)"),
        ("Constructor", "A#R#<init>(int)."),
        ("Parameter", "A#R#<init>(int).(c)"),
        ("Record", "A#S#"),
        ("Field", "A#S#l."),
        ("Constructor", "A#S#<init>(long)."),
        ("Parameter", "A#S#<init>(long).(l)"),
        ("AnnotationType", "A#N#"),
        ("Method", "A#N#v()."),
        ("Interface", "A#I#"),
        ("Method", "A#I#i()."),
        ("Method", "A#I#d()."),
        ("Field", "A#I#K."),
        ("Field", "A#o."),
        ("Initializer", "A#<initializer>(+1)."),
        ("Class", "A#$1#"),
        ("Field", "A#$1#z."),
        ("Method", "A#f()."),
        ("Class", "A#f().L#"),
        ("Lambda", "A#f().<lambda1>()."),
        ("Lambda", "A#f().<lambda2>()."),
        ("Parameter", "A#f().<lambda2>().(x)"),
    }
    by_name = {entity.descriptor: entity for entity in facts.entities}
    top = by_name["A#"]
    assert top.qualified_name == "p.q.A"
    assert top.literals["docstring"] == "Doc\n of A."
    assert top.literals["modifier"] == ["abstract"]
    assert top.literals["isAbstract"] is True
    assert top.literals["signature"] == "public abstract class A<T extends Comparable<T>>"
    assert by_name["A#X."].literals["visibility"] == "protected"
    assert by_name["A#I#i()."].literals == {
        "visibility": "public", "isAbstract": True, "signature": "void i()"
    }  # fmt: skip
    assert by_name["A#m(T[])."].literals["signature"] == "<K> java.util.List<K> m(final T[] a, A<T> this)"
    assert by_name["A#<init>(int...)."].literals["isVarArgs"] is True
    assert by_name["A#<init>(int...).(xs)"].literals["parameterKind"] == "varArgs"
    assert by_name["A#$1#"].qualified_name == "p.q.A.$1"


def test_spans_nest_and_names_are_where_they_say(sample: list[FileFacts]) -> None:
    for facts in sample:
        source = (SAMPLE / facts.source.path).read_bytes()
        for entity in facts.entities[1:]:
            parent = facts.entities[entity.parent]
            assert parent.start <= entity.start <= entity.end <= parent.end
            if entity.name_end > entity.name_start:
                written = source[entity.name_start : entity.name_end].decode()
                assert written == entity.name or entity.kind == "Constructor"
            assert entity.start_line == source[: entity.start].count(b"\n") + 1


def test_repeated_descriptors_are_numbered() -> None:
    facts = extract("class A { void f(int a) {} void f(int b) {} void g() { {class L {}} {class L {}} } }")
    descriptors = [entity.descriptor for entity in facts.entities]
    assert "A#f(int)(+1)." in descriptors
    assert "A#g().L(+1)#" in descriptors
    assert len(descriptors) == len(set(descriptors))
