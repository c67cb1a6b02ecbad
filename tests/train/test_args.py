from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from graphmer_geo import train
from graphmer_geo.errors import UserError
from graphmer_geo.train.args import TrainArgs


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


def test_every_argument_is_read() -> None:
    """Earlier systems shipped configuration keys that nothing read."""
    package = Path(train.__file__).parent
    trees = [ast.parse(path.read_text()) for path in package.glob("*.py") if path.name != "args.py"]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    read = {n.attr for n in nodes if isinstance(n, ast.Attribute) and getattr(n.value, "id", "") == "args"}
    read |= {  # `self.args.max_steps`
        n.attr
        for n in nodes
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Attribute) and n.value.attr == "args"
    }
    assert not {field.name for field in fields(TrainArgs)} - read
