from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import graphmer_geo
from graphmer_geo.data.config import ChainConfig, DataConfig
from graphmer_geo.errors import UserError
from graphmer_geo.models import TARGETS, GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run_folder import FROM_DATA


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_steps": None}, "needs an end"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"max_seconds": -1.0}, "max_seconds is -1.0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"accumulation": 0}, "accumulation is 0"),
        ({"mlm_prob": 1.5}, "mlm_prob is 1.5"),
        ({"workers": -1}, "workers"),
    ],
)
def test_what_cannot_train_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        TrainArgs(**({"max_steps": 10} | changes))


@pytest.mark.parametrize(
    ("settings", "holders"),
    [
        (TrainArgs, {"args"}),
        (GraphMERConfig, {"config"}),
        (ChainConfig, {"config", "chain"}),
        (DataConfig, {"config"}),
    ],
)
def test_every_setting_is_read(settings: type, holders: set[str]) -> None:
    """Earlier systems shipped keys that nothing read. `args.x` and `self.args.x` count as reading."""
    package = Path(graphmer_geo.__file__).parent
    defining = {"args.py", "config.py"}
    paths = [p for part in PARTS for p in (package / part).rglob("*.py") if p.name not in defining]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    read = {n.attr for n in nodes if isinstance(n, ast.Attribute) and _name(n.value) in holders}
    read |= {  # `getattr(self.config, f"{name}_weight")`, of each objective
        objective + n.args[1].values[-1].value
        for n in nodes
        if isinstance(n, ast.Call) and _name(n.func) == "getattr" and _name(n.args[0]) in holders
        if isinstance(n.args[1], ast.JoinedStr) and isinstance(n.args[1].values[-1], ast.Constant)
        for objective in TARGETS
    }
    methods = {  # read by a method of the settings themselves
        n.attr
        for n in ast.walk(ast.parse(inspect.getsource(settings)))
        if isinstance(n, ast.Attribute) and _name(n.value) == "self"
    } - _checked_only(settings)
    wanted = {field.name for field in fields(settings)} - set(FROM_DATA)  # those are not the user's to set
    assert not wanted - read - methods


PARTS = ("train", "models", "data", "inference")


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _checked_only(settings: type) -> set[str]:
    """What ``__post_init__`` looks at is checked there, not used."""
    tree = ast.parse(inspect.getsource(settings))
    check = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "__post_init__"]
    return {n.attr for c in check for n in ast.walk(c) if isinstance(n, ast.Attribute)}
