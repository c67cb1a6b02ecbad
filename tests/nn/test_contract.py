"""What every layer of `graphmer_geo.nn` promises, as PyG's layers do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo import config as dynamo
from torch.export import Dim
from torch_geometric import typing

from tests.nn.layers import BATCH, LAYERS, OTHER, floats


def made(name: str) -> tuple[nn.Module, tuple[Any, ...]]:
    """A layer with all parameters drawn (so that zeros and ones hide nothing), and its inputs."""
    torch.manual_seed(0)
    layer = LAYERS[name].make().eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return layer, LAYERS[name].inputs(BATCH)


def close(found: Any, expected: Any, tolerance: float = 1e-5) -> None:
    assert len(floats(found)) == len(floats(expected)) > 0
    for a, b in zip(floats(found), floats(expected), strict=True):
        torch.testing.assert_close(a, b, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("name", LAYERS)
def test_reset_draws_what_construction_drew(name: str) -> None:
    torch.manual_seed(3)
    layer = LAYERS[name].make()
    drawn = {key: value.clone() for key, value in layer.state_dict().items()}
    torch.manual_seed(4)
    layer.reset_parameters()
    changed = {key: value.clone() for key, value in layer.state_dict().items()}
    random = [key for key, value in drawn.items() if not torch.equal(value, changed[key])]
    assert bool(random) == (name not in ("GraphDecay", "RelationBias", "GraphAttentionBias"))
    torch.manual_seed(3)
    layer.reset_parameters()
    for key, value in layer.state_dict().items():
        assert torch.equal(value, drawn[key]), key


@pytest.mark.parametrize("name", LAYERS)
def test_copies_and_saved_states_give_the_same(name: str) -> None:
    layer, inputs = made(name)
    expected = layer(*inputs)
    close(copy.deepcopy(layer)(*inputs), expected, 0.0)
    torch.manual_seed(9)
    other = LAYERS[name].make().eval()
    other.load_state_dict(layer.state_dict())
    close(other(*inputs), expected, 0.0)


@pytest.mark.parametrize("name", LAYERS)
def test_repr_names_the_layer_and_its_sizes(name: str) -> None:
    text = repr(LAYERS[name].make())
    assert text.startswith(name.split(",")[0] + "(")
    assert "8" in text or "heads=2" in text
    assert "Parameter" not in text


@pytest.mark.parametrize("name", LAYERS)
def test_compiles_whole_forward_and_backward(name: str) -> None:
    layer, inputs = made(name)
    expected = layer(*inputs)
    torch.compiler.reset()
    # Ranking looks for names in chunks: how many are there is data, so their number becomes a symbol.
    ragged = name == "EntityRankingHead"
    with dynamo.patch(capture_dynamic_output_shape_ops=ragged, capture_scalar_outputs=ragged):
        found = torch.compile(layer, fullgraph=True, backend="aot_eager")(*inputs)
    close(found, expected)
    grads = []
    for outputs in (found, expected):
        total = sum(part.masked_fill(part.isinf(), 0.0).pow(2).sum() for part in floats(outputs))
        grads.append(torch.autograd.grad(total, list(layer.parameters()), allow_unused=True))
    for a, b, (key, _) in zip(*grads, layer.named_parameters(), strict=True):
        assert (a is None) == (b is None), key
        if a is not None:
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("name", LAYERS)
def test_exports_for_batches_of_any_size(name: str) -> None:
    layer, inputs = made(name)
    if name == "EntityRankingHead":  # how many names are mentioned is data: one size only
        close(torch.export.export(layer, inputs).module()(*inputs), layer(*inputs))
        return
    sizes = mapped(inputs, lambda tensor: dict.fromkeys(range(tensor.dim()), Dim.AUTO))
    program = torch.export.export(layer, inputs, dynamic_shapes=sizes).module()
    for batch in (BATCH, OTHER):
        inputs = LAYERS[name].inputs(batch)
        close(program(*inputs), layer(*inputs))


def mapped(tree: Any, change: Callable[[Tensor], Any]) -> Any:
    """Nested tuples and dicts with every tensor changed, and None for what is neither."""
    if isinstance(tree, Tensor):
        return change(tree)
    if isinstance(tree, dict):
        return {key: mapped(value, change) for key, value in tree.items()}
    if isinstance(tree, tuple):
        parts = [mapped(part, change) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return None


def double(tensor: Tensor) -> Tensor:
    return tensor.double().detach().requires_grad_() if tensor.is_floating_point() else tensor


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_right_in_float64(name: str) -> None:
    """The derivative along a random direction, of parameters and inputs at once, against a difference."""
    layer, inputs = made(name)
    layer = layer.double()
    inputs = inputs if name == "GraphDecay" else mapped(inputs, double)
    leaves = [*layer.parameters(), *floats(inputs)]
    leaves = [leaf for leaf in leaves if leaf.requires_grad]
    torch.manual_seed(1)
    weights = [torch.randn_like(part) for part in floats(layer(*inputs))]

    def value() -> Tensor:
        outputs = (part.masked_fill(part.isinf(), 0.0) for part in floats(layer(*inputs)))
        return sum((part * w).sum() for part, w in zip(outputs, weights, strict=True))

    grads = torch.autograd.grad(value(), leaves, materialize_grads=True)
    direction = [torch.randn_like(leaf) for leaf in leaves]
    if name == "LeafyChainEmbedding":  # the vector of relation 0, "none", is fixed
        direction[[key for key, _ in layer.named_parameters()].index("relation.weight")][0] = 0
    slope = sum((g * d).sum() for g, d in zip(grads, direction, strict=True))
    ends = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            for leaf, d in zip(leaves, direction, strict=True):
                leaf.add_(d, alpha=step)
            ends.append(value())
    torch.testing.assert_close((ends[0] - ends[1]) / 2e-6, slope, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 5e-2), (torch.float16, 1e-2)])
@pytest.mark.parametrize("name", [name for name in LAYERS if name not in ("GraphDecay", "RelationBias")])
def test_autocast_stays_close_to_float32(name: str, dtype: torch.dtype, tolerance: float) -> None:
    """Largest error relative to the largest output."""
    layer, inputs = made(name)
    expected = floats(layer(*inputs))
    with torch.autocast("cpu", dtype):
        found = floats(layer(*inputs))
    for a, b in zip(found, expected, strict=True):
        finite = b.isfinite()
        assert torch.equal(a.isfinite(), finite)
        error = (a.float() - b)[finite].abs().max() / b[finite].abs().max().clamp(min=1e-6)
        assert error < tolerance


@pytest.mark.parametrize("name", ["HGATConv", "HGATConv, bases", "HeteroHGATConv", "LeafyChainConv",
                                  "LeafyChainEmbedding", "LeafyChainEncoder"])  # fmt: skip
def test_torch_scatter_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make without-scatter` runs all of these tests without it; this compares the two directly."""
    if not typing.WITH_TORCH_SCATTER:
        pytest.skip("torch-scatter is not installed")
    layer, inputs = made(name)
    expected = layer(*inputs)
    monkeypatch.setattr(typing, "WITH_TORCH_SCATTER", False)
    close(layer(*inputs), expected, 1e-6)
