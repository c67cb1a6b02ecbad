"""Ranking queries for evaluation."""

from __future__ import annotations

import numpy as np

from graphmer_geo.data.leafy_chain import LeafyChainData, TripleTable
from graphmer_geo.data.token_table import TokenTable
from graphmer_geo.errors import UserError
from graphmer_geo.transforms.base import SeededTransform
from graphmer_geo.transforms.targets import choose, rebuild, set_rank_targets


class EvalQueries(SeededTransform):
    """Turns up to ``per_chain`` target triples into ranking queries, always as one ``<mask>`` leaf.

    No token is corrupted and nothing but the mask is shown in a hidden tail's place. Sets the ``rank_*``
    attributes of :class:`~graphmer_geo.transforms.MaskNodes` and removes what would tell the answers.

    Args:
        vocab: What the vocabulary looks like.
        per_chain: At most this many queries in one chain.
        seed: Used when no generator is given.
    """

    def __init__(self, vocab: TokenTable, per_chain: int = 4, seed: int = 0) -> None:
        super().__init__(seed)
        if per_chain < 1:
            raise UserError(f"per_chain is {per_chain}; it must be at least 1")
        self.vocab, self.per_chain = vocab, per_chain

    def apply(self, data: LeafyChainData, rng: np.random.Generator) -> LeafyChainData:
        """See the class."""
        triples = TripleTable.from_chain(data)
        chosen, stays = choose(triples, rng.permutation(np.flatnonzero(triples.target)), self.per_chain)
        rows = np.sort((np.cumsum(stays) - 1)[chosen])
        triples = triples.take(np.flatnonzero(stays)).collapsed(rows, self.vocab.mask_id)
        chain = rebuild(data, triples)
        set_rank_targets(chain, triples, rows)
        return chain

    def __repr__(self) -> str:
        return f"{type(self).__name__}(per_chain={self.per_chain})"
