"""Odd, broken and hostile sources, in both languages: what ``docs/bad-input.md`` says happens."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.kg.manifest import FileRecord


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def records(kg: KnowledgeGraph) -> dict[str, FileRecord]:
    return {r.path: r for r in kg.manifest.files}


def names(kg: KnowledgeGraph) -> set[str]:
    return set(kg.entities()["qualified_name"].to_pylist())


def test_a_package_counts_and_a_module_of_its_name_does_not(tmp_path: Path) -> None:
    kg = build_kg(write(tmp_path, {"a.py": "def module(): pass\n", "a/__init__.py": "def package(): pass\n"}))
    assert records(kg)["a/__init__.py"].status == "ok"
    assert records(kg)["a.py"].status == "skipped"
    assert "already defined by python/" in records(kg)["a.py"].problems[0]
    assert names(kg) == {"a", "a.package"}
    assert kg.validate().conforms


def test_a_java_type_defined_twice_counts_once(tmp_path: Path) -> None:
    kg = build_kg(
        write(tmp_path, {"p/A.java": "package p; class A { int x; }", "q/A.java": "package p; class A { }"})
    )
    assert [records(kg)[p].status for p in ("p/A.java", "q/A.java")] == ["ok", "skipped"]
    assert "p.A.x" in names(kg)
    assert kg.validate().conforms


def test_two_versions_of_a_package_stay_apart(tmp_path: Path) -> None:
    roots = []
    for version in ("1", "2"):
        project = f'[project]\nname = "p"\nversion = "{version}"\n'
        text = f"def f(): return g{version}()\ndef g{version}(): pass\n"
        roots.append(write(tmp_path / version, {"pyproject.toml": project, "p/__init__.py": text}))
    kg = build_kg(roots)
    assert {(r.version, r.status) for r in kg.manifest.files} == {("1", "ok"), ("2", "ok")}
    same = [row["f"] for row in kg.query('SELECT ?f { ?f gm:qualifiedName "p.f" }')]
    assert len(same) == 2
    for row in kg.triples().to_pylist():
        if row["relation"] == "calls":
            assert ("/p/1/" in row["subject"]) == ("/p/1/" in row["object"])
    assert kg.validate().conforms


def test_the_same_version_twice_counts_once(tmp_path: Path) -> None:
    project = '[project]\nname = "p"\nversion = "1"\n'
    roots = [write(tmp_path / n, {"pyproject.toml": project, "p/__init__.py": ""}) for n in ("a", "b")]
    assert sorted(r.status for r in build_kg(roots).manifest.files) == ["ok", "skipped"]


def test_a_namespace_package_is_spread_over_sources(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"ns/a.py": "from ns.b import g\ndef f(): g()\n"})
    two = write(tmp_path / "two", {"ns/b.py": "def g(): pass\n"})
    kg = build_kg([one, two])
    assert {"ns.a.f", "ns.b.g"} <= names(kg)
    (caller,) = kg.run("callers", function="ns.b.g")
    assert caller["name"] == "ns.a.f"
    assert kg.validate().conforms


def test_encodings(tmp_path: Path) -> None:
    kg = build_kg(
        write(
            tmp_path,
            {
                "declared.py": "# -*- coding: latin-1 -*-\ndef straße(): pass\n".encode("latin-1"),
                "marked.py": b"\xef\xbb\xbfdef bom(): pass\n",
                "undeclared.py": "def after(): pass\nx = 'é'\n".encode("latin-1"),
                "wide.py": "def wide(): pass\n".encode("utf-16"),
                "A.java": 'class A { String s = "é"; }'.encode("latin-1"),
            },
        )
    )
    statuses = {path: r.status for path, r in records(kg).items()}
    assert statuses["declared.py"] == statuses["marked.py"] == "ok"
    assert statuses["undeclared.py"] == statuses["wide.py"] == "partial"
    assert "invalid UTF-8" in records(kg)["undeclared.py"].problems[0]
    assert {"declared.straße", "marked.bom", "undeclared.after", "A"} <= names(kg)
    assert kg.validate().conforms


def test_java_descriptors_and_files_outside_of_their_package_folder(tmp_path: Path) -> None:
    kg = build_kg(
        write(
            tmp_path,
            {
                "module-info.java": "module m { exports p; requires java.sql; }",
                "p/package-info.java": "/** Doc. */ @Deprecated package p;",
                "p/A.java": "package p; public class A { }",
                "Flat.java": "class Flat { }",
                "wrong/B.java": "package other.place; class B { p.A a; }",
            },
        )
    )
    assert {r.status for r in kg.manifest.files} == {"ok"}
    assert {"p.A", "Flat", "other.place.B", "other.place"} <= names(kg)
    types = {(r["subject"].rpartition("/")[2], r["object"]) for r in kg.triples().to_pylist()
             if r["relation"] == "hasType"}  # fmt: skip
    assert any(subject.startswith("place#B") and target.endswith("/p#A%23") for subject, target in types)
    assert kg.validate().conforms


@pytest.mark.parametrize(
    ("python", "java"),
    [
        (b"x = 1\x00\ndef kept(): pass\n", b"class A { } \x00 class Kept { }"),
        (bytes(range(256)) * 4, bytes(range(256)) * 4),
        (
            b"x = " + b"(" * 5000 + b"1" + b")" * 5000,
            b"class A { int x = " + b"(" * 5000 + b"1" + b")" * 5000,
        ),
        (b"x = " + b"[" * 50_000, b"class A {" * 3_000),
        (b"def (:\n", b"class { {{{"),
        (b"if x:\nnope nope\n" + b" " * 100_000, b"/* never closed"),
        (b'"""never closed', b'class A { String s = "never closed; }'),
    ],
    ids=["nul", "binary", "deep", "open brackets", "broken", "odd blanks", "unclosed"],
)
def test_damaged_text_is_partial_and_harms_nothing_else(tmp_path: Path, python: bytes, java: bytes) -> None:
    fine: dict[str, str | bytes] = {"fine.py": "def f(): pass\n", "Fine.java": "class Fine { }"}
    kg = build_kg(write(tmp_path, {**fine, "bad.py": python, "Bad.java": java}))
    for path, record in records(kg).items():
        assert record.status == ("partial" if path.lower().startswith("bad") else "ok"), record
        assert bool(record.problems) == (record.status == "partial")
    assert {"fine.f", "Fine"} <= names(kg)
    assert kg.validate().conforms


def test_what_is_no_ordinary_file_is_skipped_and_says_why(tmp_path: Path) -> None:
    root = write(
        tmp_path / "src",
        {"ok.py": "x = 1\n", "a folder.py/inside.py": "y = 1\n", "huge.py": b"#" * 2_000_001},
    )
    if hasattr(os, "mkfifo"):
        os.mkfifo(root / "pipe.py")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.getcwd()
        os.chdir(root)  # the path of a socket may have about 100 bytes
        try:
            bound.bind("socket.py")
        finally:
            os.chdir(here)
    (root / "passwd.py").symlink_to("/etc/passwd")
    (root / "dangling.py").symlink_to("nowhere")
    (root / "loop").symlink_to(root)
    found = records(build_kg([root]))
    problems = {path: r.problems[0] for path, r in found.items() if r.status == "skipped"}
    assert problems["passwd.py"] == problems["dangling.py"] == "a symbolic link; links are not followed"
    assert problems["socket.py"] == problems["pipe.py"] == "not a regular file"
    assert problems["huge.py"].startswith("larger than 2,000,000 bytes")
    assert {p for p, r in found.items() if r.status == "ok"} == {"ok.py", "a folder.py/inside.py"}


def test_names_that_no_import_could_write_are_modules_all_the_same(tmp_path: Path) -> None:
    kg = build_kg(write(tmp_path, {"1-script.py": "def f(): pass\n", "class.py": "", "new\nline.py": ""}))
    assert {"1-script.f", "class", "new\nline"} <= names(kg)
    assert kg.validate().conforms


def test_no_file_that_can_be_read_is_an_error_and_leaves_the_old_graph(tmp_path: Path) -> None:
    root, out = write(tmp_path / "src", {"a.py": "x = 1\n"}), tmp_path / "kg"
    build_kg([root], out)
    (root / "a.py").unlink()
    (root / "a.py").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match=r"none of the files can be read; the first: a.py: a symbolic link"):
        build_kg([root], out)
    assert "a.x" in names(KnowledgeGraph.open(out))


def test_sources_may_overlap(tmp_path: Path) -> None:
    root = write(tmp_path, {"p/__init__.py": "", "p/a.py": "def f(): pass\n"})
    kg = build_kg([Source(root, "all", "1"), Source(root / "p", "all", "1")])
    assert sorted(r.path for r in kg.manifest.files) == ["p/__init__.py", "p/a.py"]
