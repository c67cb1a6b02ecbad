"""Where the nodes of a flat batch of leafy chains are, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import torch
from torch import Tensor

from graphmer_geo.nn.ragged import RaggedLayout, masked_layout, ragged_layout

#: Smallest graph of a bucket on a CPU, as a share of the largest: 2 to 3 % of its places are empty then.
FULLNESS = 0.93


class ChainStructure(NamedTuple):
    """Everything that layers are told of a flat batch of n nodes besides their states.

    The order of the nodes of a graph does not matter: ``root``, ``group`` and ``slot`` say where each is.
    """

    root: Tensor
    """``[n]`` root index in its graph; a leaf carries that of the root it hangs on."""
    group: Tensor
    """``[n]`` ordinal of its triple in the graph, any value on roots."""
    slot: Tensor
    """``[n]`` place in the tail, -1 on roots."""
    batch: Tensor
    """``[n]`` graph of each node, ascending."""
    edge_index: Tensor | None = None
    """``[2, E]`` head token → leaf."""
    edge_rel: Tensor | None = None
    """``[E]`` relation of each edge."""
    mask: Tensor | None = None
    """``[B, N]`` where there are nodes if each graph is padded to N places; with it, no shape depends on what
    ``batch`` holds."""

    @classmethod
    def of(cls, batch: Mapping[str, Tensor]) -> Self:
        """Reads it from a batch of :func:`graphmer_geo.data.collate`.

        Its ``place_mask`` is taken where all graphs are to lie in one bucket: in compiled programs, and on
        devices that a kernel for each bucket would not fill. There it also saves the wait for the sizes of
        graphs.
        """
        one = batch["batch"].device.type != "cpu" or torch.compiler.is_compiling()
        optional = ("edge_index", "edge_rel", *(["place_mask"] if one else []))
        given = (batch[key] if key in batch else None for key in optional)
        return cls(batch["root"], batch["group"], batch["slot"], batch["batch"], *given)

    @property
    def place(self) -> tuple[Tensor, Tensor, Tensor]:
        """``root``, ``group`` and ``slot``."""
        return self.root, self.group, self.slot

    @property
    def edges(self) -> tuple[Tensor, Tensor] | None:
        """``edge_index`` and ``edge_rel``, if there are any."""
        if self.edge_index is None or self.edge_rel is None:
            return None
        return self.edge_index, self.edge_rel

    def layout(self) -> RaggedLayout:
        """Where nodes lie where graphs are padded: one bucket of ``mask``, or buckets of similar graphs."""
        if self.mask is not None:
            return masked_layout(self.mask, self.batch)
        return ragged_layout(self.batch, FULLNESS if self.batch.device.type == "cpu" else 0.0)
