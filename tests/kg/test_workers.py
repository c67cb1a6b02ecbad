"""Files are dealt to processes, and nothing but the time shows it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.kg.claims import Claims, claims_of
from graphmer_geo.kg.extract import Task
from graphmer_geo.kg.facts import SourceFile
from graphmer_geo.kg.workers import LOT_BYTES, deal
from graphmer_geo.resources import datasets_path
from tests.kg.conftest import write_corpus
from tests.kg.toy import TOY

PACKAGE = Path(__file__).resolve().parents[2] / "graphmer_geo/kg/languages/python"


def content(kg: KnowledgeGraph) -> list[Any]:
    return [sorted(map(str, kg.store)), kg.occurrences, replace(kg.manifest, started="", seconds={})]


@pytest.fixture
def mixed(tmp_path: Path, toy: None) -> list[Source]:
    """Java in two versions, Python and a language whose linkers talk."""
    for version in ("1", "2"):
        shutil.copytree(datasets_path() / "java-library", tmp_path / version)
    shutil.copytree(PACKAGE, tmp_path / "python")
    files = {f"app/m{i}.toy": f"class C{i} < C{i - 1}\n  def f{i}(x) f{i - 1} ~g\n" for i in range(9)}
    write_corpus(tmp_path / "toy", files | {"app/m3/__init__.toy": "def twin()\n"})
    return [
        *(Source(tmp_path / v, package="lib", version=v) for v in ("1", "2")),
        Source(tmp_path / "python", package="python"),
        Source(tmp_path / "toy", package="toy"),
    ]


def test_the_number_of_workers_does_not_show(mixed: list[Source], tmp_path: Path) -> None:
    alone = content(build_kg(mixed, languages=["java", "python", "toy"]))
    for workers in (2, 3):
        assert content(build_kg(mixed, languages=["java", "python", "toy"], workers=workers)) == alone
    with_folder = build_kg(mixed, tmp_path / "kg", languages=["java", "python", "toy"], workers=2)
    assert content(with_folder) == alone


def test_a_file_that_kills_its_process_costs_only_itself(tmp_path: Path, toy: None) -> None:
    files = {f"m{i:02}.toy": f"def f{i}() f{i - 1}\n" for i in range(40)}
    killers = {"m07.toy": "!exit", "m31.toy": "!exit"}
    root = write_corpus(tmp_path / "proj", files | killers)
    killed = build_kg([root], languages=["toy"], workers=2)
    assert {r.path: r.problems for r in killed.manifest.files if r.status != "ok"} == dict.fromkeys(
        killers, ("the extractor's process died",)
    )
    for path in killers:
        (root / path).unlink()
    without = build_kg([root], languages=["toy"])
    assert set(map(str, killed.store)) == set(map(str, without.store))
    assert killed.occurrences == without.occurrences


def task(number: int, language: str, size: int) -> Task:
    return Task(f"{language}:X", Path("/"), f"f{number}", language, "p", "0", "", size)


def test_lots_are_in_order_and_owners_have_equal_shares() -> None:
    tasks = [task(n, "b" if n % 3 else "a", 1000 * (n % 17)) for n in range(500)]
    lots = deal(sorted(enumerate(tasks), key=lambda each: each[1].language_name), 3)
    numbers = [number for lot in lots for number, _ in lot.tasks]
    assert numbers == sorted(range(500), key=lambda n: (n % 3 > 0, n))
    assert [lot.number for lot in lots] == list(range(len(lots)))
    assert all(len({t.language for _, t in lot.tasks}) == 1 for lot in lots)
    shares = [sum(t.size for lot in lots if lot.owner == o for _, t in lot.tasks) for o in range(3)]
    assert max(shares) < 1.1 * min(shares)
    large = deal([(n, task(n, "a", LOT_BYTES)) for n in range(20)], 2)
    assert [len(lot.tasks) for lot in large] == [1] * 20
    assert deal([], 2) == []


def test_only_what_stands_at_the_top_is_claimed() -> None:
    def claims(path: str, text: bytes) -> tuple[str, ...]:
        return claims_of(TOY.extract(SourceFile("toy", "p", "0", path, "m"), text))

    first = claims("m.toy", b"class A\n  def f(x)\ndef g()\n")
    assert first == ("toy/p/0/m.toy", "https://w3id.org/graphmer/id/toy/p/0/m#")
    taken = Claims()
    assert taken.take(first) is None
    assert "m# is already defined by toy/p/0/m.toy" in str(taken.take(claims("m/__init__.toy", b"")))
    assert taken.take(("toy/p/0/other.toy", "other#")) is None
