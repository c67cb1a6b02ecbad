"""`make without-scatter` runs the layers' tests as if torch-scatter were missing: check that it really is."""

from __future__ import annotations

import importlib.util
import os
import sys

import torch
from torch_geometric import typing as pyg
from torch_geometric.utils import scatter


def test_torch_scatter_is_used_exactly_when_it_is_there() -> None:
    hidden = "torch_scatter" in os.environ.get("GRAPHMER_TEST_WITHOUT", "")
    installed = "torch_scatter" not in sys.modules and importlib.util.find_spec("torch_scatter") is not None
    installed = installed or sys.modules.get("torch_scatter") is not None
    assert pyg.WITH_TORCH_SCATTER == (installed and not hidden)


def test_scatter_gives_the_same_either_way() -> None:
    values, index = torch.arange(6.0), torch.tensor([2, 0, 2, 1, 0, 2])
    assert scatter(values, index, dim_size=4, reduce="sum").tolist() == [5.0, 3.0, 7.0, 0.0]
    assert scatter(values, index, dim_size=4, reduce="max").tolist() == [4.0, 3.0, 5.0, 0.0]
