"""`graphmer kg …` on a small project, from source to every output format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from graphmer_geo.cli import main

SOURCE = """
class Till:
    def add(self, price): self.total = price

class Fast(Till):
    def close(self): return helper(self.total)

def helper(value):
    return str(value)
"""


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A graph built by the command."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "src").mkdir()
    (folder / "src" / "shop.py").write_text(SOURCE)
    (folder / "src" / "broken.py").write_text("def f(:\n    pass\nclass Kept: ...\n")
    out = folder / "kg"
    assert main(["kg", "build", str(folder / "src"), "--out", str(out)]) == 0
    return str(out)


def test_build_tells_how_the_files_fared(kg: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kg", "build", str(Path(kg).parent / "src"), "--out", kg]) == 0
    captured = capsys.readouterr()
    assert "in 2 files: 1 ok, 1 partial, 0 skipped" in captured.out
    assert "partial: broken.py: " in captured.out
    assert captured.err == ""  # no bars, no chatter in a pipe


def test_query_as_table_json_and_csv(kg: str, capsys: pytest.CaptureFixture[str]) -> None:
    sparql = "SELECT ?sub ?super { ?a gm:extends ?b . ?a gm:name ?sub . ?b gm:name ?super }"
    assert main(["kg", "query", kg, sparql]) == 0
    assert capsys.readouterr().out.split() == ["sub", "super", "Fast", "Till"]
    assert main(["kg", "query", kg, sparql, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"sub": "Fast", "super": "Till"}]
    assert main(["kg", "query", kg, sparql, "--format", "csv"]) == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [["sub", "super"], ["Fast", "Till"]]


def test_query_from_a_file_and_without_rows(
    kg: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "q.rq").write_text("SELECT ?x { ?x a gm:Interface }")
    assert main(["kg", "query", kg, "--file", str(tmp_path / "q.rq")]) == 0
    assert capsys.readouterr().out == "no rows\n"


def test_named_query_with_a_value(kg: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["kg", "query", kg, "--name", "callers", "--bind", "function=shop.helper", "--format", "json"]
    assert main(words) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["shop.Fast.close"]


def test_named_query_whose_answer_is_more_than_its_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, other in ("ab", "bc", "ca"):
        (tmp_path / f"{name}.py").write_text(f"import {other}\n")
    assert main(["kg", "build", str(tmp_path), "--out", str(tmp_path / "kg")]) == 0
    capsys.readouterr()
    words = ["kg", "query", str(tmp_path / "kg"), "--name", "import-cycles", "--format", "json"]
    assert main(words) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(r["cycle"], r["size"], r["one"][-1], r["other"][-1]) for r in rows] == [
        (1, 3, "a", "b"), (1, 3, "b", "c"), (1, 3, "c", "a"),
    ]  # fmt: skip


def test_a_query_that_is_not_sparql(kg: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kg", "query", kg, "SELEC ?x"]) == 2
    assert "not valid SPARQL" in capsys.readouterr().err


def test_validate(kg: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kg", "validate", kg]) == 0
    assert "conforms" in capsys.readouterr().out
    assert main(["kg", "validate", kg, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["conforms"] is True
    assert report["score"] > report["score_on_corrupted"]


def test_stats(kg: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kg", "stats", kg, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"]["Class"] == 3
    assert main(["kg", "stats", kg]) == 0
    shown = capsys.readouterr().out
    assert "1 partial" in shown
    assert "Method" in shown


@pytest.mark.parametrize("format", ["nt", "nq", "ttl", "graphml", "parquet"])
def test_export(format: str, kg: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / f"out.{format}"
    assert main(["kg", "export", kg, "--format", format, "--out", str(target)]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert target.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "{tmp}/nowhere", "--out", "{tmp}/kg"], "nowhere"),
        (["build", "{tmp}/empty", "--out", "{tmp}/kg"], "empty"),
        (["build", "{tmp}/empty", "--out", "{tmp}/kg", "--languages", "cobol"], "unknown language 'cobol'"),
        (["build", "{tmp}/empty", "--out", "{tmp}/kg", "--workers", "0"], "workers must be at least 1"),
        (["build", "{tmp}/a-file", "--out", "{tmp}/kg"], "no source files"),
        (
            ["build", "{tmp}/linked", "--out", "{tmp}/kg"],
            "none of the files can be read; the first: a.py: a symbolic",
        ),
        (["build", "{tmp}/linked", "--out", "{tmp}/a-file"], "is a file; name a folder"),
        (["build", "{tmp}/linked", "--out", "{tmp}/linked"], "other things in it; name a new folder"),
        (["build", "{tmp}/linked", "--out", "{tmp}/kg", "--wokers", "2"], "--wokers"),
        (["build", "{tmp}/linked", "--out", "{tmp}/kg", "--workers", "two"], "Got value: two"),
        (["stats", "{tmp}/empty"], "is not a knowledge graph"),
        (["validate", "{tmp}/a-file"], "is a file, not a knowledge graph"),
    ],
)
def test_mistakes(words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a-file").write_text("")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a.py").symlink_to("/etc/passwd")
    assert main(["kg", *(word.format(tmp=tmp_path) for word in words)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
