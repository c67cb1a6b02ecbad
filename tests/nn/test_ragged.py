from __future__ import annotations

import pytest
import torch

from graphmer_geo.nn.ragged import masked_layout, ragged_layout


def batch_of(sizes: list[int]) -> torch.Tensor:
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes, dtype=torch.long))


@pytest.mark.parametrize("fullness", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("sizes", [[3, 10, 9, 1, 10], [4], [0, 2, 0, 5], [7, 7], []])
def test_what_is_padded_comes_back(sizes: list[int], fullness: float) -> None:
    batch = batch_of(sizes)
    layout = ragged_layout(batch, fullness)
    x = torch.randn(batch.numel(), 2, 3, requires_grad=True)
    parts = layout.pad(x)
    assert [part.shape[:2] for part in parts] == list(layout.shapes)
    back = layout.unpad([part.flatten(0, 1) for part in parts])
    assert torch.equal(back, x)
    back.backward(weight := torch.randn_like(x))
    assert torch.equal(x.grad, weight)


def test_graphs_stay_together_and_buckets_are_full() -> None:
    sizes = [30, 100, 95, 31, 92, 5]
    layout = ragged_layout(batch_of(sizes), fullness=0.9)
    assert layout.shapes == ((3, 100), (2, 31), (1, 5))
    graph = torch.full(layout.node.shape, -1).index_copy_(0, layout.place, batch_of(sizes))
    kept = [part.unique().tolist() for part in graph.split(layout.sizes())]
    assert kept == [[-1, 1, 2, 4], [-1, 0, 3], [5]]
    for part in layout.pad(batch_of(sizes)):  # a graph lies in one row, from its first place on
        assert len({row[0].item() for row in part}) == len(part)
    assert int(layout.empty.sum()) == sum(layout.sizes()) - sum(sizes)


@pytest.mark.parametrize("sizes", [[3, 10, 9, 1, 10], [4], [2, 0, 5, 0], [7, 7]])
def test_one_bucket_from_a_mask_is_one_bucket(sizes: list[int]) -> None:
    batch = batch_of(sizes)
    mask = torch.arange(max(sizes)) < torch.tensor(sizes).unsqueeze(1)
    layout = masked_layout(mask, batch)
    assert layout.shapes == ((len(sizes), max(sizes)),)
    assert int(layout.empty.sum()) == mask.numel() - batch.numel()
    x = torch.randn(batch.numel(), 3)
    (padded,) = layout.pad(x)
    assert torch.equal(padded[mask], x)
    assert torch.equal(layout.unpad([padded.flatten(0, 1)]), x)


def test_padding_gives_no_gradient() -> None:
    # Node 0 stands in wherever there is no node: what is computed there must not reach it.
    layout = ragged_layout(batch_of([2, 1]), fullness=0.0)
    x = torch.ones(3, 1, requires_grad=True)
    (padded,) = layout.pad(x)
    layout.unpad([(padded * 2).flatten(0, 1)]).sum().backward()
    assert x.grad.flatten().tolist() == [2, 2, 2]


def test_gradients_are_those_of_finite_differences() -> None:
    layout = ragged_layout(batch_of([3, 1, 2]))
    x = torch.randn(6, 2, dtype=torch.double, requires_grad=True)

    def through(x: torch.Tensor) -> torch.Tensor:
        return layout.unpad([part.sin().flatten(0, 1) for part in layout.pad(x)])

    assert torch.autograd.gradcheck(through, (x,))
