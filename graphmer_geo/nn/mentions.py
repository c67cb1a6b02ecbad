"""Where in a chunk a name is written, token by token."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from graphmer_geo.nn.hashing import mix, sequence_hash
from graphmer_geo.nn.names import TokenSalience, segment_ids

#: Longest name component, in tokens, that is looked for.
MAX_LENGTH = 8


class Mentions(NamedTuple):
    """Which names are written where.

    ``row`` ``[C]`` numbers the distinct last components of C names; ``at_node`` ``[n]`` is the number of the
    component that is written from this node on, -1 if none is; ``distinct`` is how many components there are.
    """

    row: Tensor
    at_node: Tensor
    distinct: int


def find_mentions(
    tok: Tensor, is_root: Tensor, batch: Tensor, name_tok: Tensor, name_ptr: Tensor, vocabulary: TokenSalience
) -> Mentions:
    """Looks for the last components of names (``member`` of ``Class.member``) in the roots of each graph.

    A mention is one whole word (an identifier, however many tokens it takes) that equals the component up to
    spelling, so ``get`` is not found in ``get_item``. Work grows with ``n + C``, not with their product.

    Args:
        tok: ``[n]`` tokens as they stand in the source.
        is_root: ``[n]`` true on roots, which come in order.
        batch: ``[n]`` graph of each node.
        name_tok: ``[T]`` tokens of the names.
        name_ptr: ``[C + 1]`` where each begins.
        vocabulary: knows spellings, separators and word borders.
    """
    kept, ptr = last_components(name_tok, name_ptr, vocabulary.separator)
    names = sequence_hash(vocabulary.spelling[name_tok[kept]], ptr)
    known, row = torch.unique(names, return_inverse=True)

    n, spelled = tok.numel(), vocabulary.spelling[tok]
    graph = torch.where(is_root, batch, -1)  # leaves continue no root
    joined = torch.zeros_like(is_root)  # is this node the same word as the one before?
    joined[1:] = is_root[1:] & (graph[1:] == graph[:-1])
    joined[1:] &= vocabulary.ends_word[tok[:-1]] & vocabulary.opens_word[tok[1:]]
    at_node = torch.full_like(tok, -1)
    if not row.numel():
        return Mentions(row, at_node, 0)
    run, begins = torch.zeros_like(tok), is_root & ~joined
    ends = torch.ones_like(is_root)
    ends[:-1] = ~joined[1:]
    for length in range(1, min(MAX_LENGTH, n) + 1):
        starts = n - length + 1
        if length > 1:
            begins = begins[:starts] & joined[length - 1 :]
        run = run[:starts] + mix(spelled[length - 1 :], length - 1)
        found = torch.searchsorted(known, run).clamp(max=known.numel() - 1)
        hit = begins & ends[length - 1 :] & (known[found] == run)
        at_node[:starts] = torch.where(hit, found, at_node[:starts])
    return Mentions(row, at_node, known.numel())


def last_components(tok: Tensor, ptr: Tensor, separator: Tensor) -> tuple[Tensor, Tensor]:
    """Which tokens belong to the last component of their name ``[T]``; the components' borders ``[C + 1]``.

    A separator at the very end would leave nothing of a name, so it does not count.
    """
    name, count = segment_ids(ptr), ptr.numel() - 1
    place = torch.arange(tok.numel(), device=tok.device) - ptr[name]
    inner = separator[tok] & (place + 1 < ptr.diff()[name])
    start = place.new_zeros(count).scatter_reduce(0, name, torch.where(inner, place + 1, 0), "amax")
    kept = place >= start[name]
    return kept, torch.cat((ptr[:1] * 0, (ptr.diff() - start).cumsum(0)))
