"""What the words of a query's head and chunk say about a candidate's name."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.utils import softmax

from graphmer_geo.nn.mentions import find_mentions
from graphmer_geo.nn.names import Names, TokenSalience, WeightedNames
from graphmer_geo.nn.undrawn import undrawn

_POINTER_FLOOR = 0.01
#: Weights are kept divided by this, see LOG_GAIN in names.py.
_GAIN = 10.0
_INITIAL = (2.0, 0.5, 1.5, 0.5, 3.0, 1.0, 1.0)  # of the seven features, in the order of LexicalMatch


#: (query, node) of each pair.
Pairs = tuple[Tensor, Tensor]


class QueryContext(NamedTuple):
    """Queries for a tail, and the batch of graphs they are asked in.

    ``node`` ``[q]``: the masked leaf; ``relation`` ``[q]``; and of the batch: ``states`` ``[n, D]``, ``tok``
    ``[n]``, ``slot`` ``[n]``, ``batch`` ``[n]``, ``ptr`` ``[B + 1]``, ``edge_index`` ``[2, E]`` (head token →
    leaf).
    """

    node: Tensor
    relation: Tensor
    states: Tensor
    tok: Tensor
    slot: Tensor
    batch: Tensor
    ptr: Tensor
    edge_index: Tensor

    def heads(self) -> tuple[Tensor, Tensor]:
        """Pairs (query, token node of its head)."""
        query_of_node = torch.full_like(self.tok, -1)
        query_of_node[self.node] = torch.arange(self.node.numel(), device=self.node.device)
        query = query_of_node[self.edge_index[1]]
        return query[query >= 0], self.edge_index[0][query >= 0]

    def nodes(self) -> tuple[Tensor, Tensor]:
        """Pairs (query, node of its graph), roots and leaves, by query."""
        graph = self.batch[self.node]
        start, size = self.ptr[graph], self.ptr.diff()[graph]
        query = torch.repeat_interleave(torch.arange(len(graph), device=graph.device), size)
        before = size.cumsum(0) - size
        return query, torch.ones_like(query).cumsum(0) - 1 + (start - before)[query]


class LexicalMatch(nn.Module):
    r"""Scores names by the tokens they share with the query, with weights that depend on relation and query.

    With the salience :math:`s_t` of :class:`~graphmer_geo.nn.names.TokenSalience`, a name's tokens :math:`c`,
    the tokens :math:`h` of the head's mention and :math:`k` of the chunk, and :math:`S(x) = \sum_{t \in x}
    s_t`:

    .. math::
        \varphi_1 = \frac{S(c \cap h)}{\sqrt{S(c) S(h)}}, \quad
        \varphi_2 = \frac{S(c \cap k)}{S(c)}, \quad \varphi_3 = \varphi_2^2, \quad
        \varphi_4 = \log\Bigl(0.01 + \sum_{t \in c} \frac{s_t}{S(c)} \sum_{u : \mathrm{tok}(u) = t}
        \pi_u\Bigr)

    and, with :math:`M` the roots outside the head and :math:`M'` those inside it where the last component of
    the name is written (:func:`~graphmer_geo.nn.mentions.find_mentions`),

    .. math::
        \varphi_5 = [M \neq \emptyset], \quad \varphi_6 = \log\Bigl(0.01 + \sum_{u \in M} \pi_u\Bigr), \quad
        \varphi_7 = [M' \neq \emptyset]:

    what a method overrides has its name.

    :math:`\pi` is a softmax over all nodes of the graph, :math:`\pi_u \propto \exp(\langle \mathbf{A}
    \mathbf{q}, \mathbf{B} \mathbf{h}_u \rangle / \sqrt{d})`: a pointer that learns *where* in the chunk the
    answer is written (a parameter's type follows its name). The score is
    :math:`\sum_f (w_f + w_{rf} + \mathbf{w}_f^\top \mathbf{q}) \varphi_f`: relations differ in how often the
    answer is written in the chunk, and a query's state may tell that this one is not.

    Args:
        channels: size of a state.
        num_relations: number of relations.
        pointer_channels: size of the pointer's queries and keys.
    """

    def __init__(self, channels: int, num_relations: int, pointer_channels: int = 64) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(len(_INITIAL)))
        self.relation_weight = nn.Parameter(torch.empty(num_relations, len(_INITIAL)))
        self.query_weight = undrawn(nn.Linear, channels, len(_INITIAL), bias=False)
        self.pointer_query = undrawn(nn.Linear, channels, pointer_channels, bias=False)
        self.pointer_key = undrawn(nn.Linear, channels, pointer_channels, bias=False)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Weights with which the features alone rank well, and a pointer with logits of unit variance."""
        self.weight.copy_(torch.tensor(_INITIAL) / _GAIN)
        nn.init.zeros_(self.relation_weight)
        nn.init.zeros_(self.query_weight.weight)
        for linear in (self.pointer_query, self.pointer_key):
            nn.init.normal_(linear.weight, std=linear.in_features**-0.5)

    def forward(
        self,
        context: QueryContext,
        query: Tensor,
        names: Names,
        weighted: WeightedNames,
        salience: TokenSalience,
    ) -> Tensor:
        """Scores all names for each query.

        Args:
            context: the queries and their graphs.
            query: ``[q, channels]`` query vectors.
            names: the C names.
            weighted: the same, weighted by ``salience``.
            salience: of tokens.

        Returns:
            ``[q, C]``.
        """
        heads, nodes = context.heads(), context.nodes()
        points = self._point(context, query, *nodes)
        features = (
            *self._overlaps(context, heads, nodes, points, weighted, salience),
            *self._written(context, heads, nodes, points, names, salience),
        )
        # [q, features]; a query vector has the norm of sqrt(channels)
        asked = self.query_weight(query) * query.size(1) ** -0.5
        weight = _GAIN * (self.weight + self.relation_weight[context.relation] + asked)
        scores = weight[:, :1] * features[0].t()
        for column, feature in enumerate(features[1:], start=1):
            scores = scores + weight[:, column : column + 1] * feature.t()
        return scores

    def _overlaps(
        self,
        context: QueryContext,
        heads: Pairs,
        nodes: Pairs,
        points: Tensor,
        names: WeightedNames,
        salience: TokenSalience,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The first four features, by shared tokens: ``[C, q]`` each."""
        count = context.node.numel()
        vocabulary, name_tok = torch.unique(names.spelled, return_inverse=True)
        size = vocabulary.numel()
        row_of = torch.full_like(salience.spelling, size)  # tokens of no name: an extra row, cut off below
        row_of[vocabulary] = torch.arange(size, device=row_of.device)
        spelled = salience.spelling[context.tok]
        row = row_of[spelled]

        is_root = context.slot[nodes[1]] < 0
        shared = names.share.new_zeros(size + 1, 2 * count)
        shared[row[heads[1]], heads[0]] = 1.0
        shared[row[nodes[1][is_root]], count + nodes[0][is_root]] = 1.0
        per_name = self._per_name(shared[:size], name_tok, names)
        head, chunk = per_name[:, :count], per_name[:, count:]

        mass = points.new_zeros((size + 1) * count)
        mass = mass.index_add(0, row[nodes[1]] * count + nodes[0], points).view(size + 1, count)
        pointed = (self._per_name(mass[:size], name_tok, names) + _POINTER_FLOOR).log()

        head_total = names.total.new_zeros(count).index_add(0, heads[0], salience.of(spelled[heads[1]]))
        head = head * (names.total.unsqueeze(1) / head_total.clamp(min=1e-6)).sqrt()
        return head, chunk, chunk**2, pointed

    @staticmethod
    def _written(
        context: QueryContext,
        heads: Pairs,
        nodes: Pairs,
        points: Tensor,
        names: Names,
        salience: TokenSalience,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The last three features, by mentions: ``[C, q]`` each."""
        count, n = context.node.numel(), context.tok.numel()
        mentions = find_mentions(context.tok, context.slot < 0, context.batch, names.tok, names.ptr, salience)
        row = mentions.at_node[nodes[1]]
        in_head = torch.isin(nodes[0] * n + nodes[1], heads[0] * n + heads[1])
        outside, inside = (
            torch.where((row >= 0) & place, row, mentions.distinct) * count + nodes[0]
            for place in (~in_head, in_head)
        )
        empty = points.new_zeros((mentions.distinct + 1) * count)
        evidence = (
            empty.index_fill(0, outside, 1.0),
            empty.index_add(0, outside, points),
            empty.index_fill(0, inside, 1.0),
        )
        shape = (mentions.distinct + 1, count)
        written, mass, same = (part.view(shape).index_select(0, mentions.row) for part in evidence)
        return written, (mass + _POINTER_FLOOR).log(), same

    @staticmethod
    def _per_name(evidence: Tensor, name_tok: Tensor, names: WeightedNames) -> Tensor:
        """Salience-weighted mean of a name's token rows: ``[tokens, *] -> [C, *]``."""
        return F.embedding_bag(name_tok, evidence, names.ptr[:-1], mode="sum", per_sample_weights=names.share)

    def _point(self, context: QueryContext, query: Tensor, pair_query: Tensor, pair_node: Tensor) -> Tensor:
        """The pointer's probability of each pair (query, node)."""
        asked = self.pointer_query(query) * self.pointer_key.out_features**-0.5
        logit = (asked[pair_query] * self.pointer_key(context.states)[pair_node]).sum(dim=-1)
        return softmax(logit, pair_query, num_nodes=query.size(0))
