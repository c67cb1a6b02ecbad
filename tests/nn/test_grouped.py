from __future__ import annotations

import pytest
import torch
from torch import Tensor, library

from graphmer_geo.nn.grouped import grouped_matmul, relation_pairs

PTR = torch.tensor([0, 2, 2, 5])  # the second group is empty, the last row belongs to none


def literal(x: Tensor, weight: Tensor) -> Tensor:
    rows = [x[k] @ weight[g] for k, g in zip(range(5), (0, 0, 2, 2, 2), strict=True)]
    return torch.stack([*rows, torch.zeros_like(rows[0])])


def inputs() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return (
        torch.randn(6, 3, dtype=torch.double, requires_grad=True),
        torch.randn(3, 3, 4, dtype=torch.double, requires_grad=True),
    )


def test_equals_row_by_row() -> None:
    x, weight = inputs()
    torch.testing.assert_close(grouped_matmul(x, weight, PTR), literal(x, weight))


def test_gradients_of_both_orders() -> None:
    x, weight = inputs()
    assert torch.autograd.gradcheck(grouped_matmul, (x, weight, PTR))
    assert torch.autograd.gradgradcheck(grouped_matmul, (x, weight, PTR))


def test_the_operator_is_fit_to_be_traced() -> None:
    library.opcheck(torch.ops.graphmer_geo.grouped_matmul.default, (*inputs(), PTR))


def test_autocast_chooses_the_type() -> None:
    x, weight = (part.detach().float() for part in inputs())
    with torch.autocast("cpu", torch.bfloat16):
        out = grouped_matmul(x, weight, PTR)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), literal(x, weight), atol=3e-2, rtol=3e-2)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_pairs_are_distinct_and_sorted(count: int) -> None:
    torch.manual_seed(0)
    node, relation = torch.randint(4, (count,)), torch.randint(3, (count,))
    pairs = relation_pairs(node, relation, 4, 3)
    edges = list(zip(relation.tolist(), node.tolist(), strict=True))
    relations = torch.repeat_interleave(torch.arange(3), pairs.ptr.diff()).tolist()
    rows = list(zip(relations, pairs.node.tolist(), strict=False))
    assert rows == sorted(set(edges))
    assert [rows[row] for row in pairs.of_edge.tolist()] == edges
