"""Queries and functions in one space: what a sentence and a piece of code have in common."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.utils import scatter, softmax

from graphmer_geo.nn.names import LOG_GAIN
from graphmer_geo.nn.precision import full_precision
from graphmer_geo.nn.undrawn import undrawn

#: Where a word of a function stands: in its name, in its code, on one of its leaves.
FIELDS = ("name", "code", "leaf")
_FIELD_WEIGHT = (2.0, 1.0, 0.1)
_SATURATION, _LENGTH = 1.2, 0.75  # k and b of BM25


class Bags(NamedTuple):
    """Words of R texts, flat.

    ``row`` ``[W]`` (ascending), ``word`` ``[W]`` (bucket), ``field`` ``[W]`` (of :data:`FIELDS`), ``times``
    ``[W]``; ``rows`` is R.
    """

    row: Tensor
    word: Tensor
    field: Tensor
    times: Tensor
    rows: int


class WordMatch(nn.Module):
    r"""BM25 over fields whose weights are learned.

    .. math::
        \mathrm{lex}(q, c) = \sum_{w \in q \cap c} \mathrm{idf}_w e^{5 g_w}
        \frac{(k + 1)\, n_{wc}}{n_{wc} + k (1 - b + b\, l_c / \bar l)}, \quad
        n_{wc} = \sum_f \lambda_f\, n_{wcf}, \quad l_c = \sum_w n_{wc}

    Words are sub-tokens in hashed buckets, so a word that training has not seen counts all the same. With
    :math:`g = 0` this is BM25F; what is learned is which words of a query say something about code (not
    ``returns``, though it is rare there), and what a word is worth in a name or on a leaf.

    Args:
        buckets: number of word buckets.
    """

    idf: Tensor
    mean_length: Tensor

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.empty(buckets))
        self.field_weight = nn.Parameter(torch.empty(len(FIELDS)))
        self.saturation = nn.Parameter(torch.empty(()))
        self.length = nn.Parameter(torch.empty(()))
        self.register_buffer("idf", torch.ones(buckets))
        self.register_buffer("mean_length", torch.ones(()))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Plain BM25F."""
        nn.init.zeros_(self.gain)
        self.field_weight.copy_(torch.tensor(_FIELD_WEIGHT).log() / LOG_GAIN)
        nn.init.constant_(self.saturation, math.log(_SATURATION) / LOG_GAIN)
        nn.init.constant_(self.length, math.log(_LENGTH / (1 - _LENGTH)) / LOG_GAIN)

    @torch.no_grad()
    def fit(self, bags: Bags) -> None:
        r"""Counts :math:`\mathrm{idf}_w = \log(1 + (N - d_w + 0.5) / (d_w + 0.5))` in N functions."""
        buckets = self.idf.numel()
        frequency = torch.bincount(torch.unique(bags.row * buckets + bags.word) % buckets, minlength=buckets)
        self.idf.copy_(torch.log1p((bags.rows - frequency + 0.5) / (frequency + 0.5)))
        self.mean_length.copy_((self._weighted(bags).sum() / max(bags.rows, 1)).clamp(min=1.0))

    def query_weight(self, word: Tensor) -> Tensor:
        """What a word of a query is worth; any shape."""
        return self.idf[word] * (LOG_GAIN * self.gain[word]).exp()

    def postings(self, bags: Bags) -> tuple[Tensor, Tensor, Tensor]:
        """Row, word and weight of each different word of each function, by row and word: ``[P]`` each."""
        buckets, count = self.idf.numel(), self._weighted(bags)
        key, at = torch.unique(bags.row * buckets + bags.word, return_inverse=True)
        number = count.new_zeros(key.numel()).index_add(0, at, count)
        row = key.div(buckets, rounding_mode="floor")
        length = count.new_zeros(bags.rows).index_add(0, bags.row, count) / self.mean_length
        k, b = (LOG_GAIN * self.saturation).exp(), (LOG_GAIN * self.length).sigmoid()
        return row, key % buckets, (k + 1) * number / (number + k * (1 - b + b * length[row]))

    def forward(self, query: Bags, code: Bags) -> Tensor:
        """Scores ``[Q, C]``; a word counts once in a query."""
        buckets = self.idf.numel()
        asked = torch.unique(query.row * buckets + query.word)
        words, column = torch.unique(asked % buckets, return_inverse=True)
        weight = self.gain.new_zeros(query.rows, words.numel())
        row = asked.div(buckets, rounding_mode="floor")
        weight = weight.index_put((row, column), self.query_weight(asked % buckets))
        row, word, value = self.postings(code)
        at = torch.searchsorted(words, word).clamp(max=max(words.numel() - 1, 0))
        known = words[at] == word if words.numel() else torch.zeros_like(word, dtype=torch.bool)
        found = value.new_zeros(code.rows, words.numel()).index_put((row[known], at[known]), value[known])
        return weight @ found.t()

    def _weighted(self, bags: Bags) -> Tensor:
        return bags.times * (LOG_GAIN * self.field_weight).exp()[bags.field]


class SearchHead(nn.Module):
    r"""Scores functions for queries: a product of vectors and :class:`WordMatch`.

    .. math::
        \mathbf{v}(x) = \mathrm{norm}\Bigl(\mathbf{P}_s\,\mathrm{LN}\bigl(\sum_u \alpha_u \mathbf{h}_u\bigr)
        + \mathbf{B}_s\,\mathrm{LN}\bigl(\sum_u \beta_u \mathbf{E}_{t_u}\bigr)\Bigr), \qquad
        \mathrm{score} = e^{\tau} \langle \mathbf{v}(q), \mathbf{v}(c) \rangle + e^{\sigma} \mathrm{lex}(q, c)

    Both sides go through the same encoder (a query is a chain without leaves), with projections
    :math:`s \in \{q, c\}` of their own. :math:`\alpha` is a softmax over the states of a graph, leaves
    included; :math:`\beta` is one over its tokens by a learned logit per token.

    Args:
        channels: size of a state and of a vector.
        vocab_size: number of tokens.
        buckets: number of word buckets.
    """

    def __init__(self, channels: int, vocab_size: int, buckets: int) -> None:
        super().__init__()
        self.attend = undrawn(nn.Linear, channels, 1, bias=False)
        self.state_norm, self.token_norm = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.state: Any = nn.ModuleList(undrawn(nn.Linear, channels, channels, bias=False) for _ in range(2))
        self.token: Any = nn.ModuleList(undrawn(nn.Linear, channels, channels, bias=False) for _ in range(2))
        self.salience = nn.Parameter(torch.empty(vocab_size))
        self.log_scale = nn.Parameter(torch.empty(()))
        self.log_word_scale = nn.Parameter(torch.empty(()))
        self.words = WordMatch(buckets)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Vectors start as means of token embeddings, the same on both sides."""
        nn.init.zeros_(self.attend.weight)
        nn.init.zeros_(self.salience)
        for module in (self.state_norm, self.token_norm, self.words):
            module.reset_parameters()
        for state, token in zip(self.state, self.token, strict=True):
            nn.init.normal_(state.weight, std=0.1 * state.in_features**-0.5)
            nn.init.eye_(token.weight)
        nn.init.constant_(self.log_scale, math.log(3.0) / LOG_GAIN)
        nn.init.constant_(self.log_word_scale, math.log(0.3) / LOG_GAIN)

    @property
    def scales(self) -> tuple[Tensor, Tensor]:
        """Of the product of vectors, and of shared words."""
        return (LOG_GAIN * self.log_scale).exp(), (LOG_GAIN * self.log_word_scale).exp()

    def vectors(
        self, states: Tensor, tok: Tensor, graph: Tensor, embedding: Tensor, is_code: Tensor
    ) -> Tensor:
        """Vectors of unit length, in float32, ``[G, channels]``.

        Args:
            states: ``[n, channels]`` of the encoder.
            tok: ``[n]`` token ids.
            graph: ``[n]`` graph of each node, ascending.
            embedding: ``[V, channels]`` of tokens.
            is_code: ``[G]`` whether a graph is a function, or a query.
        """
        with torch.autocast(states.device.type, enabled=False):
            states, count = full_precision(states), is_code.numel()
            alpha = softmax(self.attend(states).squeeze(-1), graph, num_nodes=count)
            beta = softmax(LOG_GAIN * self.salience[tok], graph, num_nodes=count)
            state = self.state_norm(scatter(alpha.unsqueeze(1) * states, graph, dim_size=count))
            token = scatter(beta.unsqueeze(1) * F.embedding(tok, embedding), graph, dim_size=count)
            token = self.token_norm(token)
            sides = [project(state) + bag(token) for project, bag in zip(self.state, self.token, strict=True)]
            return F.normalize(torch.where(is_code.unsqueeze(1), sides[1], sides[0]), dim=-1)

    def forward(self, query: Tensor, code: Tensor, query_words: Bags, code_words: Bags) -> Tensor:
        """Scores ``[Q, C]`` of vectors ``[Q, channels]``, ``[C, channels]`` and their words."""
        dense, lexical = self.scales
        return dense * (query @ code.t()) + lexical * self.words(query_words, code_words)
