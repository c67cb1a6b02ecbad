"""Prediction heads: tokens of the vocabulary, and entities by their names."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphmer_geo.nn.lexical import LexicalMatch, QueryContext
from graphmer_geo.nn.names import Names, TokenSalience
from graphmer_geo.nn.popularity import NamePopularity
from graphmer_geo.nn.precision import full_precision
from graphmer_geo.nn.proximity import Proximity
from graphmer_geo.nn.undrawn import undrawn


class LMHead(nn.Module):
    """Linear, GELU, LayerNorm, then the token embedding as decoder (tied), plus a bias.

    The embedding's weight is an argument of :meth:`forward`, not a parameter here, so it appears once in a
    ``state_dict`` and safetensors can store it.

    Args:
        channels: size of a state.
        vocab_size: number of tokens.
    """

    def __init__(self, channels: int, vocab_size: int) -> None:
        super().__init__()
        self.transform = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)
        self.bias = nn.Parameter(torch.zeros(vocab_size))

    def reset_parameters(self) -> None:
        """Draws the transformation anew and sets the bias to 0."""
        self.transform.reset_parameters()
        self.norm.reset_parameters()
        nn.init.zeros_(self.bias)

    def forward(self, states: Tensor, embedding: Tensor) -> Tensor:
        """Logits of the given states only: pass masked positions, not all.

        Args:
            states: ``[k, channels]``.
            embedding: ``[vocab_size, channels]`` weight of the token embedding.

        Returns:
            ``[k, vocab_size]``.
        """
        return F.linear(self.norm(F.gelu(self.transform(states))), embedding, self.bias)


class EntityRankingHead(nn.Module):
    r"""Scores entities, given by their names, as tails of (head, relation) queries at masked leaves.

    .. math::
        \mathbf{e}_c &= \mathrm{LN}\Bigl(\mathbf{W}_e \sum_{t \in c} \tfrac{s_t}{S(c)} \mathbf{E}_t
        + \mathbf{k}_{\mathrm{kind}(c)}\Bigr), \qquad
        \mathbf{q} = \mathrm{LN}\bigl((1 + \mathbf{d}_r) \odot \mathbf{W}_q \mathbf{h} + \mathbf{b}_r\bigr) \\
        \mathrm{score}(q, c) &= \frac{e^{\tau}}{\sqrt{D}} \langle \mathbf{q}, \mathbf{e}_c \rangle
        + \mathrm{pop}(r, c) + \mathrm{lex}(q, c) + \mathrm{near}(q, c)

    :math:`\mathbf{h}` is the state of the masked leaf, :math:`\mathbf{E}` the shared token embedding,
    :math:`s` the learnable salience of tokens. :math:`\mathbf{W}_e` and :math:`\mathbf{W}_q` start as the
    identity, so states and names share one space from the beginning. ``pop`` is
    :class:`~graphmer_geo.nn.popularity.NamePopularity`, ``lex`` is
    :class:`~graphmer_geo.nn.lexical.LexicalMatch`, ``near`` is
    :class:`~graphmer_geo.nn.proximity.Proximity`. An entity never seen in training has a name, so it has
    a score.

    Args:
        channels: size of a state and of a token embedding.
        vocab_size: number of tokens.
        num_relations: number of relations.
        num_entity_kinds: number of entity kinds.
        lexical_features: add ``lex``.
        popularity: add ``pop``.
        buckets: buckets of the counts in ``pop``.
        proximity: add ``near``.
    """

    def __init__(
        self,
        channels: int,
        vocab_size: int,
        num_relations: int,
        num_entity_kinds: int,
        lexical_features: bool = True,
        popularity: bool = True,
        buckets: int = 4096,
        proximity: bool = True,
    ) -> None:
        super().__init__()
        self.salience = TokenSalience(vocab_size)
        self.kind = undrawn(nn.Embedding, num_entity_kinds, channels)
        self.entity = undrawn(nn.Linear, channels, channels, bias=False)
        self.entity_norm = nn.LayerNorm(channels)
        self.query = undrawn(nn.Linear, channels, channels, bias=False)
        self.query_scale = undrawn(nn.Embedding, num_relations, channels)
        self.query_shift = undrawn(nn.Embedding, num_relations, channels)
        self.query_norm = nn.LayerNorm(channels)
        self.log_scale = nn.Parameter(torch.empty(()))
        self.popularity = self.lexical = self.proximity = None
        if popularity:
            self.popularity = undrawn(NamePopularity, channels, num_relations, buckets=buckets)
        if lexical_features:
            self.lexical = undrawn(LexicalMatch, channels, num_relations)
        if proximity:
            self.proximity = undrawn(Proximity, channels, num_relations)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Identity projections, no relation effects, half scale: untrained products are only noise."""
        nn.init.eye_(self.entity.weight)
        nn.init.eye_(self.query.weight)
        nn.init.normal_(self.kind.weight, std=0.02)
        nn.init.zeros_(self.query_scale.weight)
        nn.init.normal_(self.query_shift.weight, std=0.02)
        nn.init.constant_(self.log_scale, -0.7)
        parts = (
            self.salience,
            self.entity_norm,
            self.query_norm,
            self.popularity,
            self.lexical,
            self.proximity,
        )
        for module in parts:
            if module is not None:
                module.reset_parameters()

    def entity_vectors(self, names: Names, embedding: Tensor) -> Tensor:
        """Vectors of entities: C names and the token embedding ``[V, channels]`` to ``[C, channels]``."""
        weighted = self.salience(names)
        mean = F.embedding_bag(
            names.tok, embedding, names.ptr[:-1], mode="sum", per_sample_weights=weighted.share
        )
        return self.entity_norm(self.entity(mean) + self.kind(names.kind))

    def query_vectors(self, states: Tensor, relation: Tensor) -> Tensor:
        """Vectors ``[q, channels]`` of queries, from states ``[q, channels]`` of leaves and relations."""
        scaled = (1.0 + self.query_scale(relation)) * self.query(states)
        return self.query_norm(scaled + self.query_shift(relation))

    def similarity(self, query: Tensor, entity: Tensor) -> Tensor:
        """Scaled products ``[q, C]`` of query and entity vectors, ``[q, channels]`` and ``[C, channels]``."""
        return (self.log_scale.exp() * query.size(1) ** -0.5) * (query @ entity.t())

    def forward(
        self,
        context: QueryContext,
        names: Names,
        entity: Tensor,
        target: Tensor | None = None,
        near: Tensor | None = None,
    ) -> Tensor:
        """Scores all candidates for each query, in float32 (or float64) also under autocast.

        Args:
            context: the queries and their graphs.
            names: names of the C candidates.
            entity: ``[C, channels]`` of :meth:`entity_vectors`.
            target: ``[q]`` true candidate; given in training only, where its own count must not help to find
                it.
            near: ``[q, C]`` level of nearness of each candidate; without it, nearness counts for nothing.

        Returns:
            ``[q, C]``.
        """
        with torch.autocast(entity.device.type, enabled=False):
            context = context._replace(states=full_precision(context.states))
            entity = full_precision(entity)
            query = self.query_vectors(context.states[context.node], context.relation)
            scores = self.similarity(query, entity)
            if self.popularity is not None:
                scores = scores + self.popularity(
                    context.relation, entity, names, self.salience.separator, target
                )
            if self.lexical is not None:
                scores = scores + self.lexical(context, query, names, self.salience(names), self.salience)
            if self.proximity is not None and near is not None:
                scores = scores + self.proximity(context.relation, query, near)
        return scores
