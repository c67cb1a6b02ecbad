from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphmer_geo.data import ChainConfig, DataFolder, LeafyChainDataset
from graphmer_geo.data.config import NEVER_TARGETS
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.transductive import transductive
from graphmer_geo.errors import UserError


@pytest.fixture(scope="module")
def held_out(data: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    out = tmp_path_factory.mktemp("held") / "out"
    transductive(data, out, fraction=0.2, seed=1)
    return DataFolder.open(out)


def facts(folder: DataFolder, split: str) -> list[tuple[int, int, int]]:
    rows = folder.triples.to_pylist()
    return [(r["head"], r["relation"], r["tail"]) for r in rows if r["split"] == split]


def test_it_is_the_training_code_with_facts_held_out(data: DataFolder, held_out: DataFolder) -> None:
    assert sorted(f for s in SPLITS for f in facts(held_out, s)) == sorted(facts(data, "train"))
    assert held_out.relations == data.relations
    for split in SPLITS:
        assert held_out.chunks(split).equals(data.chunks("train"))
    askable = len(facts(held_out, "validation")) + len(facts(held_out, "test"))
    assert len(facts(held_out, "test")) > 3
    assert askable < len(facts(held_out, "train"))
    names = {index: name for name, index in held_out.relations.items()}
    assert not {names[r] for _, r, _ in facts(held_out, "test")} & NEVER_TARGETS


def test_no_inverse_or_twin_of_a_held_out_fact_is_trained_on(held_out: DataFolder) -> None:
    pairs = {split: {frozenset((h, t)) for h, _, t in facts(held_out, split)} for split in SPLITS}
    assert not pairs["train"] & pairs["test"]
    assert not pairs["train"] & pairs["validation"]
    assert not pairs["validation"] & pairs["test"]


def test_a_training_chain_never_carries_a_held_out_fact(held_out: DataFolder) -> None:
    kept = {frozenset((h, t)) for h, _, t in facts(held_out, "test")}
    dataset = LeafyChainDataset(held_out, "train", config=ChainConfig(max_triples=200, max_per_head=200))
    chains = [dataset[i] for i in range(len(dataset))]
    carried = {
        frozenset(pair)
        for chain in chains
        for pair in zip(chain.triple_head.tolist(), chain.triple_tail.tolist(), strict=True)
    }
    assert carried
    assert not carried & kept


def test_a_seed_is_a_split(data: DataFolder, tmp_path: Path) -> None:
    one, two = (transductive(data, tmp_path / str(i), seed=i).fingerprint for i in range(2))
    assert one != two
    again = transductive(data, tmp_path / "0", seed=0)
    assert again.fingerprint == one
    assert again.counts["test"]["triples"] == again.counts["validation"]["triples"]


def test_bad_input_overwrites_nothing(data: DataFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"fraction is 0\.5"):
        transductive(data, tmp_path / "x", fraction=0.5)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(UserError, match="is not prepared data"):
        transductive(data, tmp_path / "notes")
    transductive(data, tmp_path / "x")
    before = (tmp_path / "x" / "manifest.json").read_bytes()
    with pytest.raises(UserError, match="are too few to hold some out"):
        transductive(data, tmp_path / "x", fraction=0.0001)
    assert (tmp_path / "x" / "manifest.json").read_bytes() == before


def test_chains_of_nothing_but_targets(data: DataFolder) -> None:
    dataset = LeafyChainDataset(data, "train", config=ChainConfig(targets_only=True))
    chains = [dataset[i] for i in range(len(dataset))]
    assert sum(chain.triple_target.numel() for chain in chains) > 10
    assert all(bool(np.all(chain.triple_target.numpy())) for chain in chains)
