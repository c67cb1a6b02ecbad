"""How much vectors count beside shared words: one number, chosen on held-out packages.

Vectors fit the pairs that they learn from more closely than words can, so the share that they have earned in
training is too large for code that has not been seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from graphmer_geo.data import ChainConfig, LeafyChainDataset
from graphmer_geo.data.pairs import Pairs
from graphmer_geo.data.words import LeafWords
from graphmer_geo.metrics import ranking_metrics
from graphmer_geo.models import GraphMER
from graphmer_geo.models.graphmer import word_bags
from graphmer_geo.nn.names import LOG_GAIN
from graphmer_geo.train.pair_batch import pair_batch

#: Factors of the vectors' weight that are tried: the smallest says that they are worth next to nothing.
FACTORS = tuple(2.0**power for power in range(-6, 2))
#: Most pairs that decide, and how many are encoded together.
MOST, _BLOCK = 1000, 32


@torch.no_grad()
def calibrate(network: GraphMER, pairs: Pairs, chain: ChainConfig, buckets: int) -> dict[str, float]:
    """Multiply the vectors' weight by the factor with the best MRR on held-out pairs.

    Args:
        network: fine-tuned.
        pairs: held out.
        chain: which triples ride along.
        buckets: of words.

    Returns:
        MRR by factor, as text.
    """
    was_training = network.training
    network.eval()
    vectors, words = _parts(network, pairs, range(min(len(pairs), MOST)), chain, buckets)
    target = torch.arange(len(words), device=words.device)
    found = {f: ranking_metrics(f * vectors + words, target)["mrr"] for f in FACTORS}
    best = max(FACTORS, key=lambda factor: found[factor])
    network.searcher.log_scale.add_(math.log(best) / LOG_GAIN)
    network.train(was_training)
    return {f"{factor:g}": value for factor, value in found.items()}


def _parts(
    network: GraphMER, pairs: Pairs, rows: Sequence[int], chain: ChainConfig, buckets: int
) -> tuple[Tensor, Tensor]:
    """Scores ``[n, n]`` by vectors and by words."""
    device = next(network.parameters()).device
    dataset = LeafyChainDataset(pairs.folder, pairs.split, config=chain)
    leaf_words, chains = LeafWords(pairs.folder, buckets), [dataset[row] for row in rows]
    query, code = [], []
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        batch = pair_batch(pairs, part, chains[start : start + _BLOCK], leaf_words)
        batch = {key: value.to(device) for key, value in batch.items()}
        is_code = torch.arange(2 * len(part), device=device) >= len(part)
        vectors = network.search_vectors(batch, network.encode(batch), is_code)
        query.append(vectors[~is_code])
        code.append(vectors[is_code])
    head = network.searcher
    dense, lexical = head.scales
    tables = {
        "query": pairs.query_words.take(rows),
        "code": pairs.code_words.take(rows).joined(leaf_words.of(chains)),
    }
    bags = [
        word_bags({k: v.to(device) for k, v in table.tensors(side).items()}, side, len(rows))
        for side, table in tables.items()
    ]
    return dense * (torch.cat(query) @ torch.cat(code).t()), lexical * head.words(*bags)
