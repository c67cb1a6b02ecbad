from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.data.leafy_chain import LeafyChainData, chain_to_triples, root_tokens
from graphmer_geo.errors import UserError
from graphmer_geo.transforms import HideTelling, MaskTokens
from tests.data.standin import StandInKG


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, min_roots=5))
    return DataFolder.open(path)


def masked(data: DataFolder, **options: object) -> list[LeafyChainData]:
    mask = MaskTokens(data.tokenizer.table, all_mask=True)
    dataset = LeafyChainDataset(data, "train", config=ChainConfig(**options), transforms=(mask,))
    return [dataset[i] for i in range(len(dataset))]


def words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"\w+", text)}


def wanted(data: DataFolder, chain: LeafyChainData, also: set[str]) -> list[tuple]:
    """By the text of tails and masked tokens, one triple after the other."""
    roots = root_tokens(chain).clone()
    roots[chain["mlm_index"]] = chain["mlm_label"]
    hidden = set(chain["mlm_index"].tolist())
    text, secret, start = data.tokenizer.decode(roots.tolist()), set(also), 0
    places = []
    for position, token in enumerate(roots.tolist()):
        end = start + len(data.tokenizer.token_bytes[token])
        places.append((position, start, end))
        start = end
    for match in re.finditer(r"\w+", text):
        touched = [p for p, a, b in places if a < match.end() and match.start() < b]
        if hidden & set(touched):
            secret.add(match.group().lower())
    kept = []
    for (first, length), relation, tail in chain_to_triples(chain):
        tells = hidden & set(range(first, first + length)) or words(data.tokenizer.decode(tail)) & secret
        if not tells:
            kept.append(((first, length), relation, tail))
    return kept


@pytest.mark.parametrize("also", [frozenset(), frozenset({"price"})])
def test_what_stays_tells_nothing_and_nothing_else_goes(data: DataFolder, also: frozenset[str]) -> None:
    hide = HideTelling(data.tokenizer.table, data.tokenizer.token_bytes, also)
    gone = stayed = 0
    for chain in masked(data):
        shown = hide(chain, np.random.default_rng(0))
        assert chain_to_triples(shown) == wanted(data, chain, set(also))
        for key in ("mlm_index", "mlm_label"):
            assert torch.equal(shown[key], chain[key])
        assert torch.equal(root_tokens(shown), root_tokens(chain))
        stayed += shown["triple_rel"].numel()
        gone += chain["triple_rel"].numel() - shown["triple_rel"].numel()
    assert gone > 20
    assert stayed > 20


def test_text_alone_has_the_same_masks_and_batches(data: DataFolder) -> None:
    for full, text in zip(masked(data), masked(data, leaves=False), strict=True):
        assert text["triple_rel"].numel() == 0
        assert torch.equal(root_tokens(text), root_tokens(full))
        assert torch.equal(text["mlm_index"], full["mlm_index"])
    lengths = [
        LeafyChainDataset(data, "train", config=ChainConfig(leaves=leaves)).lengths
        for leaves in (True, False)
    ]
    assert np.array_equal(*lengths)


def test_only_a_share_of_the_chains(data: DataFolder) -> None:
    table, token_bytes = data.tokenizer.table, data.tokenizer.token_bytes
    rng, changed = np.random.default_rng(0), {0.0: 0, 0.5: 0, 1.0: 0}
    for chain in masked(data):
        for prob in changed:
            shown = HideTelling(table, token_bytes, prob=prob)(chain, rng)
            changed[prob] += shown["triple_rel"].numel() < chain["triple_rel"].numel()
    assert 0 == changed[0.0] < changed[0.5] < changed[1.0]


def test_errors_and_repr(data: DataFolder) -> None:
    hide = HideTelling(data.tokenizer.table, data.tokenizer.token_bytes, ["max", "min"])
    assert str(hide) == "HideTelling(also=2, prob=1.0)"
    with pytest.raises(UserError, match="prob is 2"):
        HideTelling(data.tokenizer.table, data.tokenizer.token_bytes, prob=2)
