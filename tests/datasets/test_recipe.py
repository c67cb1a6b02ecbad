from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphmer_geo.datasets import load_recipe, recipe_names
from graphmer_geo.datasets.recipe import PyPI
from graphmer_geo.errors import UserError


def test_every_recipe_that_ships_can_be_read() -> None:
    assert {"demo", "stdlib", "pypi-20", "pypi-200", "jdk17", "mixed"} == set(recipe_names())
    for name in recipe_names():
        assert load_recipe(name).name == name


@pytest.mark.parametrize(("name", "count"), [("pypi-20", 20), ("pypi-200", 200)])
def test_packages_are_pinned_and_split(name: str, count: int) -> None:
    recipe = load_recipe(name)
    [source] = recipe.sources
    assert isinstance(source, PyPI)
    names = [p.name for p in source.packages]
    assert len(set(names)) == len(names) == count
    for package in source.packages:
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256)
        assert package.version
        assert not re.search("GPL|MPL|None", package.license)
    assert recipe.split.by == "project"
    assert {*recipe.split.validation, *recipe.split.test} < set(names)
    assert not set(recipe.split.validation) & set(recipe.split.test)
    assert recipe.split.validation
    assert recipe.split.test


def test_a_recipe_may_include_others_with_their_splits() -> None:
    mixed, python, java = map(load_recipe, ("mixed", "pypi-200", "jdk17"))
    assert mixed.sources == python.sources + java.sources
    assert mixed.split.test == python.split.test + java.split.test
    assert mixed.split.config().test_units == mixed.split.test


GOOD = """
name: toy
sources:
  - kind: pypi
    packages:
      - {name: a, version: "1.0", license: MIT, sha256: %s}
""" % ("ab" * 32)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: toy", "nam: toy", "unknown keys nam"),
        ("name: toy", "name: toy\nsplit: {by: file}", "split by 'file'"),
        ("name: toy", "name: toy\nsplit: {tests: [a]}", "unknown keys tests"),
        ("name: toy", "name: toy\nsplit: {test: [a], validation: [a]}", "'a' is in validation and test"),
        ("kind: pypi", "kind: npm", "unknown source kind 'npm'; use one of jdk, pypi, shipped, stdlib"),
        ('"1.0"', "1.0", "write the version 1.0 in quotes"),
        ("license: MIT, ", "", "lacks license"),
        ("ab" * 32, "abc", "'abc' is no SHA-256"),
        ("name: toy", "name: [", "is not YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "toy.yaml"
    file.write_text(GOOD)
    assert load_recipe(file).name == "toy"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(UserError, match=re.escape(message)):
        load_recipe(file)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"no dataset recipe 'nope'; give a YAML file or one of demo, jdk17"):
        load_recipe("nope")
