"""Masked node modelling: whole tails of triples are hidden."""

from __future__ import annotations

import numpy as np
import torch

from graphmer_geo.data.leafy_chain import LeafyChainData, TripleTable, ranges
from graphmer_geo.data.token_table import TokenTable
from graphmer_geo.errors import UserError
from graphmer_geo.transforms.base import SeededTransform, corrupt
from graphmer_geo.transforms.targets import choose, rebuild, set_rank_targets


class MaskNodes(SeededTransform):
    r"""Hides whole tails, each target triple with probability ``prob``, in one of two forms.

    *Token form* (GraphMERT's masked node modelling): all tail tokens become targets, corrupted 80/10/10; sets
    ``mnm_index`` ``[j]`` and ``mnm_label`` ``[j]``. *Rank form*: the tail's leaves collapse to one ``<mask>``
    leaf, so that not even their number is told, and the tail is to be found among candidate entities; sets
    ``rank_index``, ``rank_rel``, ``rank_head``, ``rank_tail``, ``rank_visible``, ``rank_triple``, each
    ``[q]``. Triples that would tell a hidden tail are removed (see
    :func:`~graphmer_geo.transforms.targets.giveaways`).

    Args:
        vocab: What the vocabulary looks like.
        prob: Probability of each target triple.
        rank_share: Share of the hidden tails in rank form.
        hidden_only: Take only tails that cannot be read in the chunk.
        seed: Used when no generator is given.
    """

    def __init__(
        self,
        vocab: TokenTable,
        prob: float = 0.15,
        rank_share: float = 0.5,
        hidden_only: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        for name, value in (("prob", prob), ("rank_share", rank_share)):
            if not 0 <= value <= 1:
                raise UserError(f"{name} is {value}; it must lie between 0 and 1")
        self.vocab, self.prob, self.rank_share, self.hidden_only = vocab, prob, rank_share, hidden_only

    def apply(self, data: LeafyChainData, rng: np.random.Generator) -> LeafyChainData:
        """See the class."""
        triples = TripleTable.from_chain(data)
        eligible = triples.target & ~triples.visible if self.hidden_only else triples.target
        drawn = np.flatnonzero(eligible & (rng.random(len(triples)) < self.prob))
        chosen, stays = choose(triples, rng.permutation(drawn))
        as_rank = rng.random(len(chosen)) < self.rank_share

        row_after = np.cumsum(stays) - 1  # the triple's row once the others are gone
        triples = triples.take(np.flatnonzero(stays))
        rank_rows = np.sort(row_after[chosen[as_rank]])
        triples = triples.collapsed(rank_rows, self.vocab.mask_id)
        token_rows = np.sort(row_after[chosen[~as_rank]])
        leaves = ranges(triples.leaf_start[token_rows], triples.leaf_len[token_rows])

        chain = rebuild(data, triples)
        set_rank_targets(chain, triples, rank_rows)
        tok = chain["tok"].numpy()
        nodes = leaves + len(tok) - len(triples.leaf_tok)
        chain["mnm_index"] = torch.from_numpy(nodes)
        chain["mnm_label"] = torch.from_numpy(tok[nodes])
        chain["tok"] = torch.from_numpy(corrupt(tok, nodes, self.vocab, rng))
        return chain

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob}, rank_share={self.rank_share})"
