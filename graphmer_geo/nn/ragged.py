"""Graphs of different sizes side by side: flat where nodes are on their own, padded where they meet."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor


class RaggedLayout(NamedTuple):
    """Where the nodes of a flat batch lie in padded buckets of similar graphs.

    Bucket k holds ``shapes[k][0]`` graphs at ``shapes[k][1]`` places each; the places of all buckets follow
    one another. ``node`` ``[places]`` is the flat node at each place (any node where there is none),
    ``place`` ``[n]`` the place of each node, ``empty`` ``[places]`` true at places without a node.
    """

    node: Tensor
    place: Tensor
    empty: Tensor
    shapes: tuple[tuple[int, int], ...]

    def sizes(self) -> list[int]:
        """Number of places of each bucket."""
        return [graphs * nodes for graphs, nodes in self.shapes]

    def pad(self, x: Tensor) -> list[Tensor]:
        """``[n, *]`` to one ``[B_k, N_k, *]`` per bucket; what padding holds is arbitrary but finite.

        Nothing may depend on what padding holds: no gradient comes back from there.
        """
        padded = _Take.apply(x, self.node, self.place, None)
        parts = padded.split(self.sizes())
        return [part.unflatten(0, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def unpad(self, parts: list[Tensor]) -> Tensor:
        """The inverse of :meth:`pad`, from ``[B_k * N_k, *]`` per bucket."""
        flat = parts[0] if len(parts) == 1 else torch.cat(parts)
        return _Take.apply(flat, self.place, self.node, self.empty)


class _Take(torch.autograd.Function):
    """``x[index]`` whose gradient is a gather too (``grad[back]``, 0 at ``holes``), not an atomic sum."""

    @staticmethod
    def forward(x: Tensor, index: Tensor, back: Tensor, holes: Tensor | None) -> Tensor:
        return x.index_select(0, index)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[2:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        back, holes = ctx.saved_tensors
        taken = grad.index_select(0, back)
        if holes is not None:
            taken = taken.masked_fill_(holes.view(-1, *[1] * (grad.dim() - 1)), 0.0)
        return taken, None, None, None


def ragged_layout(batch: Tensor, fullness: float = 0.9) -> RaggedLayout:
    """Sorts the graphs of a batch into buckets.

    Args:
        batch: ``[n]`` graph of each node, ascending.
        fullness: smallest graph of a bucket, as a share of its largest; 0 puts all graphs into one bucket.
            A high value costs more kernels and less padding.

    Returns:
        The layout, on the device of ``batch``. Reads the sizes of the graphs, which on CUDA waits for them.
    """
    count = torch.bincount(batch).tolist()
    start, position = [], 0
    for size in count:
        start.append(position)
        position += size
    order = sorted((g for g, size in enumerate(count) if size), key=lambda g: (-count[g], g))
    buckets: list[list[int]] = []
    for graph in order:
        if buckets and count[graph] >= fullness * count[buckets[-1][0]]:
            buckets[-1].append(graph)
        else:
            buckets.append([graph])
    shapes = [(len(graphs), count[graphs[0]]) for graphs in buckets] or [(0, 0)]
    nodes, inside = [], []
    for graphs, (_, longest) in zip(buckets or [[]], shapes, strict=True):
        size, first = (
            torch.tensor([values[g] for g in graphs], dtype=torch.long) for values in (count, start)
        )
        place = torch.arange(longest)
        inside.append((place < size.unsqueeze(1)).flatten())
        nodes.append((first.unsqueeze(1) + place).flatten())
    is_node = torch.cat(inside)
    node = torch.where(is_node, torch.cat(nodes), 0)
    taken = is_node.nonzero().squeeze(1)
    places = torch.empty(position, dtype=torch.long).index_copy_(0, node[taken], taken)
    device = batch.device
    return RaggedLayout(node.to(device), places.to(device), (~is_node).to(device), tuple(shapes))


def masked_layout(mask: Tensor, batch: Tensor) -> RaggedLayout:
    """One bucket, whose shape is known beforehand: nothing is read from the device.

    Args:
        mask: ``[B, N]`` true where a graph padded to N places has a node.
        batch: ``[n]`` graph of each node, ascending.
    """
    graphs, longest = mask.shape
    graph, inside = (torch.arange(size, device=batch.device) for size in (graphs, longest))
    first = torch.searchsorted(batch, graph)
    node = torch.where(mask, first.unsqueeze(1) + inside, 0).flatten()
    place = batch * longest + torch.arange(batch.numel(), device=batch.device) - first[batch]
    return RaggedLayout(node, place, ~mask.flatten(), ((graphs, longest),))
