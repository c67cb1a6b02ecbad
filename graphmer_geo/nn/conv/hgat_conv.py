r"""H-GAT: attention over the heads of a triple, with one transformation per relation."""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Parameter
from torch.nn.parameter import UninitializedParameter
from torch_geometric import EdgeIndex
from torch_geometric.nn.conv import MessagePassing
from torch_geometric.nn.inits import glorot, zeros
from torch_geometric.typing import Adj
from torch_geometric.utils import is_sparse, softmax, to_edge_index

from graphmer_geo.nn.dropout import Dropout
from graphmer_geo.nn.grouped import grouped_matmul, relation_pairs
from graphmer_geo.nn.precision import full_precision

AttentionScope = Literal["across-relation", "within-relation"]


class HGATConv(MessagePassing):
    r"""The hierarchical graph attention of `GraphMERT <https://arxiv.org/abs/2510.09580>`_.

    For an edge :math:`j \to i` of relation :math:`r`,

    .. math::
        e_{ij} &= \mathrm{LeakyReLU}\left(\mathbf{a}_r^\top
        [\mathbf{W}_r \mathbf{x}_i \, \Vert \, \mathbf{W}_r \mathbf{x}_j]\right) \\
        \mathbf{x}^{\prime}_i &= \sum_j \mathrm{softmax}_j(e_{ij}) \, \mathbf{W}_r \mathbf{x}_j

    The paper's residual :math:`\mathbf{x}_i` is left to the caller
    (:class:`~graphmer_geo.nn.LeafyChainEmbedding` adds it), so that the operator also works with other output
    widths. With ``num_bases``, :math:`\mathbf{W}_r = \sum_b c_{rb} \mathbf{V}_b` (RGCN's basis
    decomposition).

    Each (node, relation) pair is projected once, and nothing of the size of :math:`\mathbf{W}_r` is gathered
    per edge: there is one matrix product per relation present. Logits are computed as
    :math:`\mathbf{x}_i^\top (\mathbf{W}_r^\top \mathbf{a}_r)`, so targets are never projected. No shape
    depends on the data, so the operator compiles with ``fullgraph=True`` and exports.

    Args:
        in_channels: size of an input vector, ``-1`` to infer it; a tuple ``(source, target)`` for bipartite
            graphs whose sides differ, which then have weights of their own.
        out_channels: size of an output vector per head.
        num_relations: number of relations; ``edge_type`` lies in ``[0, num_relations)``.
        heads: number of attention heads (the paper: 1).
        concat: concatenate the heads (``[*, heads * out_channels]``), or average them (``[*,
            out_channels]``).
        num_bases: number of bases that the relations share; ``None`` gives every relation a matrix of its
            own.
        negative_slope: slope of LeakyReLU for negative logits.
        dropout: dropout of the *parameters* ``W`` (its bases) and ``a``, fresh in each step, as in the paper
            (0.3 there; one mask per step instead of one per triple).
        bias: learn an additive bias.
        attention: normalise over all edges into a node (``"across-relation"``), or over those of one relation
            (``"within-relation"``, the paper's form when one node is the tail of several triples). In leafy
            chains every leaf has one triple, and both agree.
        **kwargs: arguments of :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **x** ``[num_nodes, in_channels]``, or a tuple ``([num_sources, …], [num_targets, …])``
        - **edge_index** ``[2, num_edges]`` int64 (source, target); **edge_type** ``[num_edges]`` int64
        - **output** ``[num_targets, heads * out_channels]``; targets without incoming edges get zeros (plus
        bias)

    Example:
        >>> import torch
        >>> conv = HGATConv(16, 8, num_relations=3, heads=2)
        >>> conv(torch.randn(4, 16), torch.tensor([[0, 1], [2, 2]]), torch.tensor([0, 2])).shape
        torch.Size([4, 16])
    """

    def __init__(
        self,
        in_channels: int | tuple[int, int],
        out_channels: int,
        num_relations: int,
        heads: int = 1,
        concat: bool = True,
        num_bases: int | None = None,
        negative_slope: float = 0.01,
        dropout: float = 0.0,
        bias: bool = False,
        attention: AttentionScope = "across-relation",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("aggr", "add")
        super().__init__(node_dim=0, **kwargs)
        if attention not in ("across-relation", "within-relation"):
            raise ValueError(f"attention={attention!r}; use 'across-relation' or 'within-relation'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_relations = num_relations
        self.heads = heads
        self.concat = concat
        self.num_bases = num_bases
        self.negative_slope = negative_slope
        self.parameter_dropout = Dropout(dropout)
        self.attention = attention

        self.weight = self._new_weight(in_channels if isinstance(in_channels, int) else in_channels[0])
        if isinstance(in_channels, int):
            self.register_parameter("weight_dst", None)
        else:
            self.weight_dst = self._new_weight(in_channels[1])
        if num_bases is None:
            self.register_parameter("comp", None)
        else:
            self.comp = Parameter(torch.empty(num_relations, num_bases))
        self.att_src = Parameter(torch.empty(num_relations, heads, out_channels))
        self.att_dst = Parameter(torch.empty(num_relations, heads, out_channels))
        if bias:
            self.bias = Parameter(torch.empty(heads * out_channels if concat else out_channels))
        else:
            self.register_parameter("bias", None)
        self._lazy_hook: Any = None
        if any(isinstance(weight, UninitializedParameter) for weight in (self.weight, self.weight_dst)):
            self._lazy_hook = self.register_forward_pre_hook(self._infer_channels)
        self.reset_parameters()

    def _new_weight(self, in_channels: int) -> Parameter | UninitializedParameter:
        if in_channels == -1:
            return UninitializedParameter()
        return Parameter(torch.empty(self._weight_shape(in_channels)))

    def _weight_shape(self, in_channels: int) -> tuple[int, int, int]:
        return (self.num_bases or self.num_relations, in_channels, self.heads * self.out_channels)

    def reset_parameters(self) -> None:
        """Draws all parameters anew (Glorot; those still waiting for their width are left alone)."""
        super().reset_parameters()
        for weight in (self.weight, self.weight_dst):
            if weight is not None and not isinstance(weight, UninitializedParameter):
                glorot(weight)
        if self.comp is not None:
            torch.nn.init.normal_(self.comp, std=self.comp.size(1) ** -0.5)
        glorot(self.att_src)
        glorot(self.att_dst)
        zeros(self.bias)

    @torch.no_grad()
    def _infer_channels(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        x = args[0]
        sides = x if isinstance(x, tuple) else (x, x)
        for weight, side in zip((self.weight, self.weight_dst), sides, strict=True):
            if isinstance(weight, UninitializedParameter):
                weight.materialize(self._weight_shape(side.size(-1)))
                glorot(weight)
        self._record_channels()

    def _record_channels(self) -> None:
        if self.weight_dst is None:
            self.in_channels = self.weight.size(1)
        else:
            self.in_channels = (self.weight.size(1), self.weight_dst.size(1))
        if self._lazy_hook is not None:
            self._lazy_hook.remove()
            self._lazy_hook = None

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Leaves out weights whose width is not known yet: they hold nothing."""
        waiting = {k: v for k, v in self._parameters.items() if isinstance(v, UninitializedParameter)}
        self._parameters.update(dict.fromkeys(waiting))
        super()._save_to_state_dict(destination, prefix, keep_vars)
        self._parameters.update(waiting)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        """Gives lazy weights the width found in ``state_dict``, then loads as usual."""
        for name in ("weight", "weight_dst"):
            weight, saved = getattr(self, name), state_dict.get(prefix + name)
            if isinstance(weight, UninitializedParameter) and saved is not None:
                weight.materialize(saved.shape)
        weights = [weight for weight in (self.weight, self.weight_dst) if weight is not None]
        if not any(isinstance(weight, UninitializedParameter) for weight in weights):
            self._record_channels()
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(
        self,
        x: Tensor | tuple[Tensor, Tensor],
        edge_index: Adj,
        edge_type: Tensor | None = None,
        size: tuple[int, int] | None = None,
        return_attention_weights: bool | None = None,
    ) -> Tensor | tuple[Tensor, tuple[Tensor, Tensor]]:
        """Runs the operator.

        Args:
            x: node features, or a tuple of source and target features.
            edge_index: ``[2, num_edges]``, source then target, as a tensor or an
                :class:`~torch_geometric.EdgeIndex`; or a sparse ``[num_targets, num_sources]`` adjacency
                (transposed, as everywhere in PyG) whose values are the relations.
            edge_type: ``[num_edges]`` relation of each edge. Not needed with a sparse adjacency, nor if there
                is only one relation.
            size: ``(num_sources, num_targets)``; read from ``x`` if not given.
            return_attention_weights: also return ``(edge_index, alpha)`` with ``alpha`` ``[num_edges,
                heads]``.

        Returns:
            The new target features, or a pair of these and ``(edge_index, alpha)``.

        Raises:
            ValueError: if relations are needed and not given, or a sparse adjacency meets a turned flow.
        """
        edge_index, edge_type = self._edges(edge_index, edge_type)
        x_src, x_dst = x if isinstance(x, tuple) else (x, x)
        size = size or (x_src.size(0), x_dst.size(0))
        source, target = edge_index if self.flow == "source_to_target" else edge_index.flip(0)
        weight: Tensor = self.parameter_dropout(self.weight)
        weight_dst: Tensor = weight if self.weight_dst is None else self.parameter_dropout(self.weight_dst)
        att = self.parameter_dropout(torch.stack((self.att_src, self.att_dst)))

        comp: Tensor | None = self.comp
        if comp is not None:
            if not torch.compiler.is_compiling():
                # Only relations that occur are composed, so that a small batch does not pay for a large
                # ontology; how many occur is data, which a traced program cannot depend on.
                present, edge_type = torch.unique(edge_type, return_inverse=True)
                comp, att = comp[present], att[:, present]

        kernel_src, kernel_dst = self._logit_kernels(weight, weight_dst, comp, att)
        if comp is not None:
            weight = compose(comp, weight)
        src = relation_pairs(source, edge_type, size[0], weight.size(0))
        dst = relation_pairs(target, edge_type, size[1], weight.size(0))
        x_src, x_dst = x_src[src.node], x_dst[dst.node]
        h = grouped_matmul(x_src, weight, src.ptr).unflatten(1, (self.heads, self.out_channels))
        logit = grouped_matmul(x_src, kernel_src, src.ptr)[src.of_edge]  # [edges, heads]
        logit = logit + grouped_matmul(x_dst, kernel_dst, dst.ptr)[dst.of_edge]
        logit = F.leaky_relu(logit, self.negative_slope)
        if self.attention == "across-relation":
            alpha = softmax(full_precision(logit), target, num_nodes=size[1])
        else:
            alpha = softmax(full_precision(logit), dst.of_edge, num_nodes=edge_type.numel())

        # [num_targets, heads, out]
        out = self.propagate(edge_index, h=h[src.of_edge], alpha=alpha, size=size).to(self.att_src.dtype)
        out = out.flatten(1) if self.concat else out.mean(dim=1)
        if self.bias is not None:
            out = out + self.bias
        return (out, (edge_index, alpha)) if return_attention_weights else out

    def _logit_kernels(
        self, weight: Tensor, weight_dst: Tensor, comp: Tensor | None, att: Tensor
    ) -> tuple[Tensor, Tensor]:
        """``W_r^T a_r`` of sources and of targets, ``[R, in, heads]`` each, ``att`` ``[2, R, heads, out]``.

        From bases they are ``sum_b c_rb V_b^T a_r``: that is one matrix product, and no ``W_r`` is read.
        """
        sides = [(weight, att)] if self.weight_dst is None else [(weight, att[:1]), (weight_dst, att[1:])]
        kernels: list[Tensor] = []
        for side, vectors in sides:
            by_head = side.unflatten(2, (self.heads, self.out_channels))
            if comp is None:
                kernels += torch.einsum("riho,krho->krih", by_head, vectors).unbind(0)
            else:
                of_bases = torch.einsum("biho,krho->krbih", by_head, vectors)
                kernels += torch.einsum("rb,krbih->krih", comp, of_bases).unbind(0)
        kernel_src, kernel_dst = kernels
        return kernel_src, kernel_dst

    def _edges(self, edge_index: Adj, edge_type: Tensor | None) -> tuple[Tensor, Tensor]:
        """Source and target, and relation, of each edge."""
        if is_sparse(edge_index):
            if self.flow != "source_to_target":
                raise ValueError(f"flow={self.flow!r} with a sparse adjacency; give edge_index as [2, E]")
            edge_index, value = to_edge_index(edge_index)
            edge_index, edge_type = edge_index.flip(0), value.long() if edge_type is None else edge_type
        elif isinstance(edge_index, EdgeIndex):
            edge_index = edge_index.as_tensor()
        if edge_type is None:
            if self.num_relations > 1:
                raise ValueError(f"no edge_type for num_relations={self.num_relations}; give one per edge")
            edge_type = edge_index.new_zeros(edge_index.size(1))
        return edge_index, edge_type

    def message(self, h: Tensor, alpha: Tensor) -> Tensor:
        """Weights the projected source of each edge: ``[num_edges, heads, out_channels]``."""
        return alpha.unsqueeze(-1) * h

    def __repr__(self) -> str:
        bases = "" if self.num_bases is None else f", num_bases={self.num_bases}"
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"num_relations={self.num_relations}, heads={self.heads}{bases})"
        )


def compose(comp: Tensor, basis: Tensor) -> Tensor:
    """Matrices ``[R, in, out]`` from coefficients ``[R, B]`` and bases ``[B, in, out]``."""
    return (comp @ basis.flatten(1)).view(-1, *basis.shape[1:])
