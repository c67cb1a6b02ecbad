"""Takes away the leaves that would tell a masked word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from graphmer_geo.data.leafy_chain import BoolArray, IntArray, LeafyChainData, TripleTable, root_tokens
from graphmer_geo.data.token_table import TokenTable
from graphmer_geo.errors import UserError
from graphmer_geo.transforms.base import SeededTransform
from graphmer_geo.transforms.targets import rebuild


class HideTelling(SeededTransform):
    """Removes the triples of a chain that tell what its masked roots say; put it after the masks.

    A knowledge graph is made from the text that is masked here, so some leaves know the answer. Three kinds
    go: triples whose head has a masked token (that they hang there says which entity is meant), triples
    whose tail spells a masked word (``Shape`` in ``hasType Shape``, letter case aside), and triples whose
    tail spells one of ``also``, masked here or not.

    Args:
        vocab: What the vocabulary looks like.
        token_bytes: What each token stands for.
        also: Further words, the candidates of a question: if the leaves of the wrong ones stayed, what is
            missing would be the answer.
        prob: Share of the chains that this is done to: an encoder that always sees the telling leaves learns
            to copy them.
        seed: Used when no generator is given.
    """

    def __init__(
        self,
        vocab: TokenTable,
        token_bytes: Sequence[bytes],
        also: Iterable[str] = (),
        prob: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        if not 0 <= prob <= 1:
            raise UserError(f"prob is {prob}; it must lie between 0 and 1")
        self.vocab, self.token_bytes, self.prob = vocab, token_bytes, prob
        self.also = frozenset(word.lower().encode() for word in also)

    def apply(self, data: LeafyChainData, rng: np.random.Generator) -> LeafyChainData:
        """See the class."""
        triples = TripleTable.from_chain(data)
        if not len(triples) or rng.random() >= self.prob:
            return data
        kept = np.flatnonzero(~self.telling(data, triples))
        return rebuild(data, triples.take(kept)) if len(kept) < len(triples) else data

    def telling(self, data: LeafyChainData, triples: TripleTable) -> BoolArray:
        """Which triples go; shape ``[m]``."""
        roots = root_tokens(data).numpy().copy()
        masked = np.zeros(len(roots), np.bool_)
        where = data["mlm_index"].numpy()
        roots[where], masked[where] = data["mlm_label"].numpy(), True
        before = np.concatenate([[0], np.cumsum(masked)])
        told: BoolArray = before[triples.head_start + triples.head_len] > before[triples.head_start]
        words = self.vocab.word_ids(roots)
        hidden = np.isin(words, np.unique(words[masked])) & (words >= 0)
        secret = set(self._spelled(roots[hidden], words[hidden]).values()) | self.also
        leaf_words = self.vocab.word_ids(triples.leaf_tok)
        # Words of two tails are two, whatever their ends look like.
        apart = leaf_words + triples.leaf_triple * (int(leaf_words.max()) + 1)
        inside = leaf_words >= 0
        spelled = self._spelled(triples.leaf_tok[inside], apart[inside])
        owner = dict(zip(apart[inside].tolist(), triples.leaf_triple[inside].tolist(), strict=True))
        told[[owner[word] for word, text in spelled.items() if text in secret]] = True
        return told

    def _spelled(self, tok: IntArray, words: IntArray) -> dict[int, bytes]:
        """The text of each word, in lower case and without the space beside it."""
        found: dict[int, bytes] = {}
        for token, word in zip(tok.tolist(), words.tolist(), strict=True):
            found[word] = found.get(word, b"") + self.token_bytes[token]
        return {word: text.strip().lower() for word, text in found.items()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(also={len(self.also)}, prob={self.prob})"
