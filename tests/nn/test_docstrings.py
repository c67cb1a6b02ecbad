from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import graphmer_geo.nn as package

MODULES = [name for _, name, _ in pkgutil.walk_packages(package.__path__, "graphmer_geo.nn.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_operators_have_examples() -> None:
    for name in ("conv.hgat_conv", "conv.hetero_hgat_conv", "decay"):
        assert doctest.testmod(importlib.import_module(f"graphmer_geo.nn.{name}")).attempted > 0
