"""One matrix product per group of rows, as an operator that `torch.compile` and `torch.export` keep whole.

Rows come sorted by group, so each product reads a slice; no matrix is gathered per row. How many rows a group
has is data, so a traced program cannot hold the loop: it holds a call of the operator.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, library


class Pairs(NamedTuple):
    """Distinct (relation, node) pairs of E edges, sorted by relation.

    ``node`` ``[rows]``, ``of_edge`` ``[E]`` the row of each edge, and ``ptr`` ``[num_relations + 1]`` where
    the rows of each relation begin. A traced program has E rows, the last of them unused (node 0): how many
    pairs are distinct is data.
    """

    node: Tensor
    of_edge: Tensor
    ptr: Tensor


def relation_pairs(node: Tensor, relation: Tensor, num_nodes: int, num_relations: int) -> Pairs:
    """Finds the distinct pairs.

    Args:
        node: ``[E]`` node of each edge.
        relation: ``[E]`` its relation.
        num_nodes: number of nodes.
        num_relations: number of relations.
    """
    size = max(num_nodes, 1)
    key, order = (relation * size + node).sort()
    first = torch.ones_like(key, dtype=torch.bool)
    first[1:] = key[1:] != key[:-1]
    row = first.cumsum(0) - 1
    if torch.compiler.is_compiling():
        distinct = torch.zeros_like(key).scatter(0, row, key)
    else:
        distinct = key[first]
    of_edge = torch.empty_like(key).scatter(0, order, row)
    counts = key.new_zeros(num_relations + 1)
    counts = counts.index_add(0, key.div(size, rounding_mode="floor") + 1, first.to(key.dtype))
    return Pairs(distinct.remainder(size), of_edge, counts.cumsum(0))


def grouped_matmul(x: Tensor, weight: Tensor, ptr: Tensor) -> Tensor:
    """``x[ptr[g]:ptr[g + 1]] @ weight[g]`` for every group; rows after the last group become 0.

    Args:
        x: ``[rows, in]``, rows of one group together.
        weight: ``[groups, in, out]``.
        ptr: ``[groups + 1]`` where each group begins.

    Returns:
        ``[rows, out]``, in autocast's type if autocast is on.
    """
    device = x.device.type
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        x, weight = x.to(dtype), weight.to(dtype)
    result: Tensor = _matmul(x, weight, ptr)
    return result


@library.custom_op("graphmer_geo::grouped_matmul", mutates_args=())
def _matmul(x: Tensor, weight: Tensor, ptr: Tensor) -> Tensor:
    bounds = ptr.tolist()
    out = x.new_empty(x.size(0), weight.size(2))
    for group, (start, stop) in enumerate(pairwise(bounds)):
        if start < stop:
            torch.mm(x[start:stop], weight[group], out=out[start:stop])
    out[bounds[-1] :].zero_()
    return out


@library.custom_op("graphmer_geo::grouped_outer", mutates_args=())
def _outer(x: Tensor, y: Tensor, ptr: Tensor) -> Tensor:
    """``x[rows of g].T @ y[rows of g]``: ``[groups, in, out]``, 0 for groups without rows."""
    bounds = ptr.tolist()
    out = x.new_empty(len(bounds) - 1, x.size(1), y.size(1))
    for group, (start, stop) in enumerate(pairwise(bounds)):
        if start < stop:
            torch.mm(x[start:stop].t(), y[start:stop], out=out[group])
        else:
            out[group].zero_()
    return out


@_matmul.register_fake
def _(x: Tensor, weight: Tensor, ptr: Tensor) -> Tensor:
    return x.new_empty(x.size(0), weight.size(2))


@_outer.register_fake
def _(x: Tensor, y: Tensor, ptr: Tensor) -> Tensor:
    return x.new_empty(ptr.size(0) - 1, x.size(1), y.size(1))


def _save(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _matmul_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
    x, weight, ptr = ctx.saved_tensors
    wanted = ctx.needs_input_grad
    return (
        _matmul(grad, weight.transpose(1, 2), ptr) if wanted[0] else None,
        _outer(x, grad, ptr) if wanted[1] else None,
        None,
    )


def _outer_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
    x, y, ptr = ctx.saved_tensors
    wanted = ctx.needs_input_grad
    return (
        _matmul(y, grad.transpose(1, 2), ptr) if wanted[0] else None,
        _matmul(x, grad, ptr) if wanted[1] else None,
        None,
    )


_matmul.register_autograd(_matmul_backward, setup_context=_save)
_outer.register_autograd(_outer_backward, setup_context=_save)
