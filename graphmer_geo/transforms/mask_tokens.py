"""Masked language modelling on the roots."""

from __future__ import annotations

import numpy as np
import torch

from graphmer_geo.data.leafy_chain import IntArray, LeafyChainData, ranges, root_tokens
from graphmer_geo.data.token_table import TokenTable
from graphmer_geo.errors import UserError
from graphmer_geo.transforms.base import SeededTransform, corrupt


class MaskTokens(SeededTransform):
    r"""Masks spans of whole words among the roots (SpanBERT, arXiv:1907.10529).

    Span lengths in tokens are geometric, truncated at ``max_span`` and renormalised; a span starts at the
    start of a word and is prolonged to the end of the word it stops in. Spans do not overlap. Drawing ends
    when ``mlm_prob`` of the roots that are not special are covered. Sets ``mlm_index`` ``[k]`` (nodes),
    ``mlm_label`` ``[k]`` (true tokens), and for the span-boundary objective ``mlm_left_index``,
    ``mlm_right_index`` (the roots before and after the span of each target, which may be masked themselves)
    and ``mlm_place`` (its place in the span, from 0), all ``[k]``. Corrupts ``tok`` 80/10/10.

    Args:
        vocab: What the vocabulary looks like.
        mlm_prob: Share of the ordinary roots to select.
        span_prob: Parameter of the geometric distribution.
        max_span: Longest span drawn, in tokens.
        all_mask: Mask every selected token (evaluation) instead of 80/10/10.
        seed: Used when no generator is given.
    """

    def __init__(
        self,
        vocab: TokenTable,
        mlm_prob: float = 0.15,
        span_prob: float = 0.2,
        max_span: int = 7,
        all_mask: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        if not 0 <= mlm_prob <= 1:
            raise UserError(f"mlm_prob is {mlm_prob}; it must lie between 0 and 1")
        self.vocab, self.mlm_prob, self.all_mask = vocab, mlm_prob, all_mask
        self.cumulative = np.cumsum(span_length_distribution(span_prob, max_span))

    def apply(self, data: LeafyChainData, rng: np.random.Generator) -> LeafyChainData:
        """See the class."""
        roots = root_tokens(data).numpy()
        start, end = self._spans(roots, rng)
        chosen, length = ranges(start, end - start), end - start
        tok = data["tok"].numpy()
        data["mlm_index"] = torch.from_numpy(chosen)
        data["mlm_left_index"] = torch.from_numpy(np.repeat(np.maximum(start - 1, 0), length))
        data["mlm_right_index"] = torch.from_numpy(np.repeat(np.minimum(end, len(roots) - 1), length))
        data["mlm_place"] = torch.from_numpy(chosen - np.repeat(start, length))
        data["mlm_label"] = torch.from_numpy(tok[chosen])
        data["tok"] = torch.from_numpy(corrupt(tok, chosen, self.vocab, rng, all_mask=self.all_mask))
        return data

    def _spans(self, roots: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """First root of each span and the root after its last, sorted; ``[spans]`` each."""
        words = self.vocab.word_ids(roots)
        plain = ~self.vocab.special[roots]
        first = np.ones(len(roots), np.bool_)
        first[1:] = words[1:] != words[:-1]
        starts = rng.permutation(np.flatnonzero(first & (words >= 0)))
        lengths = np.searchsorted(self.cumulative, rng.random(len(starts)), side="right") + 1
        budget = self.mlm_prob * np.count_nonzero(plain)
        taken = np.zeros(len(roots), np.bool_)
        count, spans = 0, []
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            if count >= budget:
                break
            end = self._word_end(words, plain, start, length)
            if not taken[start:end].any():
                taken[start:end] = True
                count += end - start
                spans.append((start, end))
        table = np.array(sorted(spans), np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    @staticmethod
    def _word_end(words: IntArray, plain: np.ndarray, start: int, length: int) -> int:
        """End of a span: prolonged over the word it stops in, cut before the next special token."""
        end = start + 1
        while end < len(words) and plain[end]:
            inside = words[end] >= 0 and words[end] == words[end - 1]
            if end - start >= length and not inside:
                break
            end += 1
        return end

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mlm_prob={self.mlm_prob}, max_span={len(self.cumulative)})"


def span_length_distribution(span_prob: float, max_span: int) -> np.ndarray:
    """Probability of lengths 1 … ``max_span``: geometric, renormalised; shape ``[max_span]``."""
    weights = span_prob * (1 - span_prob) ** np.arange(max_span)
    return weights / weights.sum()
