"""Batches of queries and their functions, as the encoder takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphmer_geo.data import LeafyChainData
from graphmer_geo.data.collate import collate
from graphmer_geo.data.leafy_chain import TripleTable, assemble, root_tokens
from graphmer_geo.data.pairs import Pairs
from graphmer_geo.data.tokenizer import CodeTokenizer
from graphmer_geo.data.words import LeafWords
from graphmer_geo.train.stream import Batch

_NO_TRIPLES = TripleTable.from_triples([])


def pair_batch(
    pairs: Pairs, rows: Sequence[int], chains: Sequence[LeafyChainData], leaf_words: LeafWords
) -> Batch:
    """One batch of the queries ``rows`` and of their functions, whose chains are given."""
    tokenizer = pairs.folder.tokenizer
    queries = [query_chain(pairs.query[row], tokenizer) for row in rows]
    code = pairs.code_words.take(rows).joined(leaf_words.of(chains))
    return collate([*queries, *chains]) | pairs.query_words.take(rows).tensors("query") | code.tensors("code")


def query_chain(text: str, tokenizer: CodeTokenizer, max_roots: int = 64) -> LeafyChainData:
    """A sentence as the encoder takes it: a chain without leaves."""
    tok = tokenizer.encode_label(text)[: max_roots - 2]
    return assemble(np.array([tokenizer.cls_id, *tok, tokenizer.sep_id], np.int64), _NO_TRIPLES)


def without_leaves(chain: LeafyChainData) -> LeafyChainData:
    """The roots of a chain alone."""
    return assemble(root_tokens(chain).numpy(), _NO_TRIPLES)
