r"""Shortest paths of leafy chains in closed form."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

LeafEdges = Literal["star", "path"]


def leafy_chain_distance(root: Tensor, group: Tensor, slot: Tensor, leaf_edges: LeafEdges = "star") -> Tensor:
    r"""Number of edges on the shortest path between any two nodes of a leafy chain.

    A node is (root index :math:`i`, tail group :math:`g`, slot :math:`a`), with :math:`\ell = 1` for a leaf
    and 0 for a root. Roots form an undirected chain; every leaf hangs on its root, a cut vertex. Hence

    .. math::
        d(u, v) = |i_u - i_v| + \ell_u + \ell_v,

    except between two leaves of one group, where it is :math:`\min(|a_u - a_v|, 2)` if neighbouring leaves
    are joined (``"path"``) and 2 if they are not (``"star"``), and 0 from a node to itself.

    Args:
        root: ``[*, N]`` root index; a leaf carries that of the root it hangs on.
        group: ``[*, N]`` tail group, unique in a graph; any value on roots.
        slot: ``[*, N]`` place in the tail, -1 on roots.
        leaf_edges: whether neighbouring leaves of a tail are joined.

    Returns:
        ``[*, N, N]``, integers of the type of ``root``.

    Raises:
        ValueError: if ``leaf_edges`` is neither ``"star"`` nor ``"path"``.
    """
    if leaf_edges not in ("star", "path"):
        raise ValueError(f"leaf_edges={leaf_edges!r}; use 'star' or 'path'")
    leaf = (slot >= 0).to(root.dtype)
    via_roots = (root.unsqueeze(-1) - root.unsqueeze(-2)).abs_() + leaf.unsqueeze(-1) + leaf.unsqueeze(-2)
    # Roots get a group of their own each, so that only leaves can share one.
    key = torch.where(slot >= 0, group, -1 - root)
    same_group = key.unsqueeze(-1) == key.unsqueeze(-2)
    within = (slot.unsqueeze(-1) - slot.unsqueeze(-2)).abs_()
    within = within.clamp_(max=2) if leaf_edges == "path" else within.clamp_(max=1).mul_(2)
    return torch.where(same_group, within.to(via_roots.dtype), via_roots)
