"""Small random leafy chains with every attribute of real ones: for tests, documentation and timing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphmer_geo.data.collate import collate
from graphmer_geo.data.leafy_chain import LeafyChainData, Triple, build_chain
from graphmer_geo.data.token_table import TokenTable
from graphmer_geo.transforms import MaskNodes, MaskTokens

#: Special tokens of the fake vocabulary. <pad> is deliberately not 0.
FAKE_SPECIALS = {"<cls>": 0, "<pad>": 1, "<sep>": 2, "<unk>": 3, "<mask>": 4}


@dataclass(frozen=True)
class FakeConfig:
    """Sizes of the fake data."""

    vocab_size: int = 200
    num_relations: int = 9  # ids 1 … num_relations - 1; 0 is "none"
    num_entities: int = 60
    num_kinds: int = 6
    roots: tuple[int, int] = (12, 40)  # fewest and most roots of a chain, <cls> and <sep> included
    max_triples: int = 8
    max_leaves: int = 5


FAKE = FakeConfig()


def fake_vocab(config: FakeConfig = FAKE) -> TokenTable:
    """A vocabulary of ``vocab_size`` tokens, a fifth of them punctuation."""
    tokens = [b"name%d" % i if i % 5 else b"(" for i in range(config.vocab_size)]
    return TokenTable.from_bytes(tokens, list(FAKE_SPECIALS.values()), FAKE_SPECIALS["<mask>"])


def fake_entities(config: FakeConfig = FAKE, seed: int = 0) -> list[tuple[int, ...]]:
    """The name tokens of each entity."""
    rng = np.random.default_rng((seed, 1))
    lengths = rng.integers(1, config.max_leaves + 1, config.num_entities)
    return [tuple(rng.integers(len(FAKE_SPECIALS), config.vocab_size, k).tolist()) for k in lengths]


def fake_chains(num_graphs: int = 4, config: FakeConfig = FAKE, seed: int = 0) -> list[LeafyChainData]:
    """Chains before masking. The first has several triples on one head, the last of several has none."""
    names = fake_entities(config, seed)
    chains = []
    for number in range(num_graphs):
        rng = np.random.default_rng((seed, 2, number))
        low, high = config.roots
        inner = rng.integers(len(FAKE_SPECIALS), config.vocab_size, rng.integers(low, high + 1) - 2)
        roots = [FAKE_SPECIALS["<cls>"], *inner.tolist(), FAKE_SPECIALS["<sep>"]]
        count = 0 if number and number == num_graphs - 1 else int(rng.integers(3, config.max_triples + 1))
        triples: list[Triple] = []
        for _ in range(count):
            if triples and rng.random() < 0.4:  # again on the same head
                start, length, head = triples[-1].head_start, triples[-1].head_len, triples[-1].head
            else:
                length = int(rng.integers(1, 4))
                start, head = (
                    int(rng.integers(1, len(roots) - length)),
                    int(rng.integers(config.num_entities)),
                )
            tail = int(rng.integers(config.num_entities))
            relation = int(rng.integers(1, config.num_relations))
            visible = bool(rng.random() < 0.3)
            triples.append(Triple(start, length, relation, names[tail], head, tail, visible=visible))
        chains.append(build_chain(roots, triples, config.max_leaves)[0])
    return chains


def fake_batch(
    num_graphs: int = 4,
    config: FakeConfig = FAKE,
    seed: int = 0,
    *,
    mlm_prob: float = 0.15,
    mnm_prob: float = 0.5,
) -> dict[str, Tensor]:
    """A training batch: chains, all three kinds of targets, and candidates for ranking.

    Beside what :func:`~graphmer_geo.data.collate.collate` returns: ``cand`` ``[C]`` (entity ids, here all
    of them), ``cand_log_q`` ``[C]``, ``cand_tok`` with ``cand_ptr`` ``[C+1]`` (name tokens),
    ``cand_kind`` ``[C]``, ``rank_target`` ``[q]`` (row in ``cand``), ``rank_allowed`` ``[q, C]`` and
    ``rank_near`` ``[q, C]``.
    """
    vocab = fake_vocab(config)
    mask_tokens, mask_nodes = MaskTokens(vocab, mlm_prob), MaskNodes(vocab, mnm_prob)
    masked = []
    for number, chain in enumerate(fake_chains(num_graphs, config, seed)):
        rng = np.random.default_rng((seed, 3, number))
        masked.append(mask_nodes(mask_tokens(chain, rng), rng))
    batch = collate(masked)

    names, rng = fake_entities(config, seed), np.random.default_rng((seed, 4))
    target = batch["rank_tail"]
    allowed = torch.from_numpy(rng.random((len(target), len(names))) < 0.8)
    allowed[torch.arange(len(target)), target] = True
    lengths = torch.tensor([0, *map(len, names)])
    return batch | {
        "cand": torch.arange(len(names)),
        "cand_log_q": torch.full((len(names),), -float(np.log(len(names)))),
        "cand_tok": torch.tensor([token for name in names for token in name]),
        "cand_ptr": lengths.cumsum(0),
        "cand_kind": torch.arange(len(names)) % config.num_kinds,
        "rank_target": target,
        "rank_allowed": allowed,
        "rank_near": torch.from_numpy(rng.integers(0, 5, allowed.shape)),
    }
