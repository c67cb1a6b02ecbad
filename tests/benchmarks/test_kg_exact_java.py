"""The Java half of kg_exact: differences are found, and what the compiler makes up is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.exact.classfile import ABSTRACT, PRIVATE, PUBLIC, ClassFile, Member, parse, types_in
from benchmarks.exact.java import compare

SOURCE = """package p;
public class A<T extends Comparable<T>> implements Runnable {
    private int[] x;
    public void run() { }
    <E extends java.io.IOException> void f(T t, java.util.List<E>[] u, int... v) throws E { }
    class In { In(String s) { } }
}
"""


def classes() -> list[ClassFile]:
    f = "(Ljava/lang/Comparable;[Ljava/util/List;[I)V"
    return [
        ClassFile(
            "p.A", PUBLIC, "java.lang.Object", ["java.lang.Runnable"], "A.java",
            fields=[Member("x", "[I", PRIVATE), Member("$made", "Z", 0x1000)],
            methods=[
                Member("<init>", "()V", PUBLIC, line=2),
                Member("run", "()V", PUBLIC, line=4),
                Member("f", f, 0, ("java.io.IOException",), 5),
            ],
        ),
        ClassFile(
            "p.A$In", 0, "java.lang.Object", [], "A.java", "p.A", "In",
            methods=[Member("<init>", "(Lp/A;Ljava/lang/String;)V", 0, line=6)],
        ),
    ]  # fmt: skip


def differences(folder: Path, compiled: list[ClassFile]) -> dict[str, list[str]]:
    (folder / "A.java").write_text(SOURCE)
    tally, _ = compare(folder, compiled)
    found: dict[str, list[str]] = tally.metrics()["differences"]
    return found


def test_equal(tmp_path: Path) -> None:
    assert differences(tmp_path, classes()) == {}


@pytest.mark.parametrize(
    ("kind", "edit"),
    [("method", 0), ("field", 1), ("declared exception", 2), ("interface above", 3), ("constructor", 4)],
)
def test_a_difference_of_each_kind_is_found(tmp_path: Path, kind: str, edit: int) -> None:
    compiled = classes()
    top, inner = compiled
    edits = [
        lambda: top.methods.append(Member("g", "()V", ABSTRACT)),
        lambda: top.fields.clear(),
        lambda: setattr(top.methods[2], "exceptions", ()),
        lambda: top.interfaces.clear(),
        lambda: setattr(inner.methods[0], "descriptor", "(Lp/A;I)V"),
    ]
    edits[edit]()
    assert kind in differences(tmp_path, compiled)


def test_types_of_a_descriptor() -> None:
    assert types_in("(I[[Ljava/lang/String;J)V") == ["int", "java.lang.String[][]", "long", "void"]


def test_no_class_file() -> None:
    with pytest.raises(ValueError, match="not a class file"):
        parse(b"hello")


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK")
def test_what_javac_makes_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "A.java").write_text(SOURCE)
    subprocess.run(["javac", "-d", tmp_path / "out", folder / "A.java"], check=True)
    compiled = [parse(path.read_bytes()) for path in sorted((tmp_path / "out").rglob("*.class"))]
    tally, notes = compare(folder, compiled)
    assert tally.metrics()["differences"] == {}
    assert notes["classes"] == 2
