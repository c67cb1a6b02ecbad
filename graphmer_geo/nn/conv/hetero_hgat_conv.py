r"""H-GAT on heterogeneous graphs: every edge type is a relation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch_geometric.nn.module_dict import ModuleDict
from torch_geometric.typing import Adj, EdgeType, NodeType

from graphmer_geo.nn.conv.hgat_conv import HGATConv


class HeteroHGATConv(nn.Module):
    r"""A :class:`~graphmer_geo.nn.HGATConv` for each edge type, summed over those into a node type.

    .. math::
        \mathbf{x}^{\prime}_i = \sum_r \sum_{j \in \mathcal{N}_r(i)} \alpha^r_{ij} \mathbf{W}_r \mathbf{x}_j

    with the attention of :class:`~graphmer_geo.nn.HGATConv`, normalised within each edge type (GraphMERT's
    form). Unlike :class:`torch_geometric.nn.HeteroConv` it returns every node type: those without incoming
    edges as zeros, so that a residual keeps them. Messages go through one operator per edge type, which is
    what PyG's explainers look for.

    Args:
        in_channels: size of an input vector, ``-1`` to infer it; a dict if node types differ.
        out_channels: size of an output vector per head.
        metadata: node types and edge types, as of :meth:`torch_geometric.data.HeteroData.metadata`.
        **kwargs: further arguments of :class:`~graphmer_geo.nn.HGATConv` (``heads``, ``concat``, ``dropout``,
            ``negative_slope``).

    Shapes:
        - **x_dict** ``[num_nodes, in_channels]`` for each node type
        - **edge_index_dict** ``[2, num_edges]`` for each edge type
        - **output** ``[num_nodes, heads * out_channels]`` for each node type

    Example:
        >>> import torch
        >>> metadata = (["user", "item"], [("user", "likes", "item")])
        >>> conv = HeteroHGATConv(-1, 8, metadata)
        >>> x = {"user": torch.randn(3, 4), "item": torch.randn(2, 6)}
        >>> out = conv(x, {("user", "likes", "item"): torch.tensor([[0, 2], [1, 1]])})
        >>> {kind: tuple(value.shape) for kind, value in out.items()}
        {'user': (3, 8), 'item': (2, 8)}
    """

    def __init__(
        self,
        in_channels: int | Mapping[NodeType, int],
        out_channels: int,
        metadata: tuple[list[NodeType], list[EdgeType]],
        **kwargs: Any,
    ) -> None:
        super().__init__()
        node_types, edge_types = metadata
        if not isinstance(in_channels, Mapping):
            in_channels = dict.fromkeys(node_types, in_channels)
        for edge_type in edge_types:
            for node_type in (edge_type[0], edge_type[-1]):
                if node_type not in in_channels:
                    raise ValueError(f"{node_type!r} of {edge_type} is no node type of {list(in_channels)}")
        self.node_types = list(node_types)
        self.convs = ModuleDict(
            {
                edge_type: HGATConv(self._sides(in_channels, edge_type), out_channels, 1, **kwargs)
                for edge_type in edge_types
            }
        )

    @staticmethod
    def _sides(in_channels: Mapping[NodeType, int], edge_type: EdgeType) -> int | tuple[int, int]:
        """One matrix for both ends if they are of one type, else one for each."""
        source, *_, target = edge_type
        if source == target:
            return in_channels[source]
        return in_channels[source], in_channels[target]

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        for conv in self.convs.values():
            conv.reset_parameters()

    def forward(
        self,
        x_dict: Mapping[NodeType, Tensor],
        edge_index_dict: Mapping[EdgeType, Adj],
        return_attention_weights: bool = False,
    ) -> Any:
        """Runs the operator.

        Args:
            x_dict: node features by node type.
            edge_index_dict: edges by edge type; edge types may be absent.
            return_attention_weights: also return ``(edge_index, alpha)`` by edge type.

        Returns:
            New features of every node type in ``x_dict``, or a pair of these and the attention weights.
        """
        out: dict[NodeType, Tensor] = {}
        attention: dict[EdgeType, tuple[Tensor, Tensor]] = {}
        width = 0
        for edge_type, conv in self.convs.items():
            width = conv.heads * conv.out_channels if conv.concat else conv.out_channels
            if edge_type not in edge_index_dict:
                continue
            x = x_dict[edge_type[0]], x_dict[edge_type[-1]]
            new, attention[edge_type] = conv(
                x, edge_index_dict[edge_type], return_attention_weights=True
            )
            out[edge_type[-1]] = out[edge_type[-1]] + new if edge_type[-1] in out else new
        every = {kind: out.get(kind, x.new_zeros(x.size(0), width)) for kind, x in x_dict.items()}
        return (every, attention) if return_attention_weights else every

    def extra_repr(self) -> str:
        """Node types."""
        return f"node_types={self.node_types}"
