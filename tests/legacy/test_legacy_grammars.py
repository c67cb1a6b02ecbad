"""Graphs from the grammars of tree-sitter-languages: `make test-legacy`, in an environment of its own."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("tree_sitter_languages") is None or find_spec("tree_sitter_python") is not None:
    pytest.skip("needs legacy-grammars alone: make test-legacy", allow_module_level=True)

from graphmer_geo.kg import build_kg
from graphmer_geo.kg.languages import get_parser

SHOP = '''
import os

class Till:
    total: int = 0

    async def add(self, price: int) -> int:
        if price < 0:
            raise ValueError(price)
        self.total += price
        return self.total

class Fast(Till):
    @property
    def last(self):
        return os.path.join("a", helper(self.total))

def helper(value):
    return str(value)
'''
JAVA = '''
package shop;

interface Priced { int price(); }

class Book implements Priced {
    private final int cents;
    Book(int cents) { this.cents = cents; }
    @Override public int price() { return cents; }
    static Book cheap() { return new Book(1); }
}
'''
TRIPLES = "SELECT ?s ?r ?o { ?a ?p ?b . ?a gm:name ?s . ?b gm:name ?o . BIND(STRAFTER(STR(?p), '#') AS ?r) }"


@pytest.fixture(scope="module")
def triples(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    source: Path = tmp_path_factory.mktemp("src")
    (source / "shop.py").write_text(SHOP)
    (source / "Book.java").write_text(JAVA)
    kg = build_kg([source])
    assert [(r.path, r.status) for r in kg.manifest.files] == [("Book.java", "ok"), ("shop.py", "ok")]
    return {(row["s"], row["r"], row["o"]) for row in kg.query(TRIPLES)}


def test_this_is_the_old_tree_sitter() -> None:
    assert tuple(map(int, version("tree-sitter").split(".")[:2])) < (0, 22)


@pytest.mark.parametrize("language", ["python", "java"])
def test_get_parser(language: str) -> None:
    tree = get_parser(language).parse(b"class A {}" if language == "java" else b"class A: pass")
    assert not tree.root_node.has_error
    assert tree.root_node.children[0].child_by_field_name("name").text == b"A"


@pytest.mark.parametrize(
    "fact",
    [
        ("Till", "declares", "add"),
        ("Fast", "extends", "Till"),
        ("add", "raises", "ValueError"),
        ("add", "writes", "total"),
        ("add", "hasParameter", "price"),
        ("last", "calls", "helper"),
        ("last", "calls", "join"),
        ("last", "reads", "total"),
        ("Book", "implements", "Priced"),
        ("price", "overrides", "price"),
        ("price", "reads", "cents"),
        ("cheap", "instantiates", "Book"),
        ("cents", "hasType", "int"),
    ],
)
def test_facts_are_found(fact: tuple[str, str, str], triples: set[tuple[str, str, str]]) -> None:
    assert fact in triples
