"""Every shipped query runs, on real Python code, and finds what is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg.queries import named_queries

FILES = {
    "shop/__init__.py": "from shop.cart import Cart\n",
    "shop/errors.py": 'class ShopError(Exception):\n    """Any."""\n\n\nclass Empty(ShopError):\n    pass\n',
    "shop/cart.py": '''"""Carts."""
import json

from shop import prices
from shop.errors import Empty

LIMIT = 3


class Base:
    def total(self):
        return 0


class Cart(Base):
    """A cart."""

    def __init__(self, items):
        self.items = items

    def total(self):
        """Sum."""
        if not self.items:
            raise Empty("no items")
        return prices.add(self.items)

    def reset(self):
        self.items = []


def checkout(cart: Cart) -> str:
    return json.dumps(cart.total())


def shop():
    return checkout(Cart([1]))


def _unused():
    return LIMIT


def _used():
    return LIMIT


def careful(cart: Cart):
    """Catches."""
    try:
        return cart.total() + _used()
    except Empty:
        return 0
''',
    "shop/prices.py": '''from shop import cart


def add(items):
    """Add."""
    return sum(items)


def limit():
    """Limit."""
    return cart.LIMIT
''',
}

#: query -> parameters, the column to look at, some values it must hold and some it must not
EXPECTED: dict[str, tuple[dict[str, str], str, set[str], set[str]]] = {
    "callers": (
        {"function": "shop.prices.add"},
        "name",
        {"shop.cart.Cart.total", "shop.cart.checkout", "shop.cart.shop"},
        {"shop.prices.add"},
    ),
    "subclasses": (
        {"type": "builtins.Exception"},
        "name",
        {"shop.errors.ShopError", "shop.errors.Empty"},
        set(),
    ),
    "most-called": ({}, "name", {"shop.cart.Cart.total", "json.dumps"}, set()),
    "unused-private": ({}, "name", {"shop.cart._unused"}, {"shop.cart._used", "shop.cart.shop"}),
    "exceptions": ({"function": "shop.cart.checkout"}, "type", {"shop.errors.Empty"}, set()),
    "import-cycles": ({}, "one", {"shop.cart"}, {"shop.errors"}),
    "overriding": ({}, "overriddenName", {"shop.cart.Base.total"}, set()),
    "implementations": ({"interface": "shop.cart.Base"}, "name", {"shop.cart.Cart"}, {"shop.cart.Base"}),
    "undocumented": ({}, "name", {"shop.cart.checkout", "shop.cart.Cart.reset"}, {"shop.prices.add"}),
    "external-dependencies": ({}, "name", {"json.dumps", "builtins.sum"}, {"shop.prices.add"}),
    "fan": ({}, "name", {"shop.cart.Cart.total", "shop.prices.add"}, {"json.dumps"}),
    "members": ({"type": "shop.cart.Cart"}, "name", {"__init__", "items", "total", "reset"}, {"checkout"}),
    "writers": (
        {"variable": "shop.cart.Cart.items"},
        "name",
        {"shop.cart.Cart.reset"},
        {"shop.cart.Cart.total"},
    ),
    "heuristic": ({}, "relation", set(), set()),
    "undeclared-terms": ({}, "term", set(), {"https://w3id.org/graphmer#calls"}),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    root = tmp_path_factory.mktemp("corpus")
    for path, text in FILES.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    return build_kg([root], languages=["python"])


def test_every_query_is_expected_here_and_documented() -> None:
    assert set(named_queries()) == set(EXPECTED)
    for query in named_queries().values():
        assert query.title, query.name
        assert query.description.endswith("."), query.name
        assert set(query.parameters) == set(EXPECTED[query.name][0]), query.name
        assert "?)" not in query.text, "optional path steps are slow on Oxigraph"
        for parameter in query.parameters:
            assert f"?{parameter}" in query.text


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_query(shop: KnowledgeGraph, name: str) -> None:
    parameters, column, wanted, unwanted = EXPECTED[name]
    found = {row[column] for row in shop.run(name, **parameters)}
    assert wanted <= found
    assert not unwanted & found
    if name == "undeclared-terms":
        assert not found


def test_a_caught_exception_does_not_leave(shop: KnowledgeGraph) -> None:
    assert shop.run("exceptions", function="shop.cart.careful") == []


def test_an_exception_leaves_by_any_way_that_does_not_catch_it(tmp_path: Path) -> None:
    """However long; a recursive function, and one that is called with and without a handler around it."""
    (tmp_path / "m.py").write_text(
        "def one(): two()\ndef two(): three()\ndef three(): four(); one()\ndef four(): raise KeyError\n"
        "def safe():\n    try: one()\n    except LookupError: pass\n"
        "def both(): safe(); three()\ndef only(): safe()\nclass LookupError(Exception): pass\n"
        "class KeyError(LookupError): pass\n"
    )
    kg = build_kg([tmp_path])
    leaves = {
        f: [r["type"] for r in kg.run("exceptions", function=f"m.{f}")] for f in ("one", "both", "only")
    }
    assert leaves == {"one": ["m.KeyError"], "both": ["m.KeyError"], "only": []}


def test_fan_counts_each_neighbour_once(shop: KnowledgeGraph) -> None:
    rows = {r["name"]: r for r in shop.run("fan")}
    assert (rows["shop.cart.Cart.total"]["fanIn"], rows["shop.cart.Cart.total"]["fanOut"]) == (2, 1)


def test_the_corpus_conforms(shop: KnowledgeGraph) -> None:
    report = shop.validate()
    assert report.conforms, str(report)
    assert report.score == 1.0, str(report)
    assert report.score_on_corrupted < 0.6  # so few triples that a shuffle keeps some


def test_real_library_code_scores_high_and_its_corrupted_copy_low() -> None:
    from graphmer_geo.kg import Source

    library = Path(json.__file__).parent.parent
    kg = build_kg([Source(library, "stdlib", "3", ["json/*.py", "logging/*.py"])], languages=["python"])
    report = kg.validate()
    assert report.conforms, str(report)
    assert report.score > 0.95
    assert report.score_on_corrupted < 0.1
    assert report.type_score_on_corrupted > 0.95  # why types alone are no validation
    assert kg.run("undeclared-terms") == []
    assert len({q.triple for q in kg.store}) == len(kg.store)
