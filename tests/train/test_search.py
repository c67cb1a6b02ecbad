"""Fine-tuning for search: what a batch holds, and that a run learns, resumes and says what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, prepare
from graphmer_geo.data.pairs import PairConfig, mine_pairs
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.models.checkpoint import model_hash
from graphmer_geo.models.graphmer import word_bags
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.calibrate import FACTORS, calibrate
from graphmer_geo.train.pair_batch import query_chain
from graphmer_geo.train.run import train
from graphmer_geo.train.search import SEARCH, PairStream, finetune
from tests.data import documented
from tests.data.standin import StandInKG

TINY = GraphMERConfig.small(hidden_size=32, num_layers=1, num_heads=2, ffn_size=64, popularity_buckets=64)
PAIRS = PairConfig(per_batch=6, same_unit=3, buckets=512, leafless=0.5)
ARGS = TrainArgs(max_steps=40, learning_rate=5e-3, threads=1, save_steps=20, log_steps=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    root = tmp_path_factory.mktemp("search")
    kg = StandInKG(documented.write(root / "code"))
    config = DataConfig(vocab_size=600, max_roots=96, min_roots=4, near_duplicates=0,
                        test_units=("shop/tools",), validation_units=("shop/plants",))  # fmt: skip
    prepare(kg, root / "data", config)
    return DataFolder.open(root / "data")


@pytest.fixture(scope="module")
def base(folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    args = TrainArgs(max_steps=5, batch_tokens=512, threads=1)
    return train(folder.path, tmp_path_factory.mktemp("runs") / "base", args, TINY, ChainConfig(max_roots=96))


@pytest.fixture(scope="module")
def tuned(folder: DataFolder, base: Path) -> Path:
    return finetune(base, folder.path, base.parent / "tuned", ARGS, PAIRS)


def test_a_batch_is_queries_and_their_functions(folder: DataFolder) -> None:
    pairs = mine_pairs(folder, "train", PAIRS)
    stream = PairStream(pairs, PAIRS, ChainConfig(), seed=3)
    batch = stream.batch(1)
    assert batch["ptr"].numel() - 1 == 12
    assert batch["pair_target"].tolist() == list(range(6))
    rows = stream.order(0)[6:12].tolist()
    tokenizer = folder.tokenizer
    for number, row in enumerate(rows):
        own = batch["batch"] == number
        assert torch.equal(batch["tok"][own], query_chain(pairs.query[row], tokenizer)["tok"])
        assert (batch["slot"][own] < 0).all()
        roots = batch["tok"][(batch["batch"] == 6 + number) & (batch["slot"] < 0)]
        assert pairs.code[row].startswith(tokenizer.decode(roots.tolist()))
    leaves = torch.bincount(batch["batch"][batch["slot"] >= 0], minlength=12)[6:]
    assert (leaves == 0).any()
    assert (leaves > 0).any()
    query, code = (word_bags(batch, side, 6) for side in ("query", "code"))
    assert set(query.row.tolist()) == set(code.row.tolist()) == set(range(6))


def test_batches_depend_on_their_number_alone(folder: DataFolder) -> None:
    pairs = mine_pairs(folder, "train", PAIRS)
    one, other = (PairStream(pairs, PAIRS, ChainConfig(), seed=3) for _ in range(2))
    for number in range(5):
        other.batch(4 - number)
    for number in range(5):
        first, second = one.batch(number), other.batch(number)
        assert first.keys() == second.keys()
        assert all(torch.equal(first[key], second[key]) for key in first)
    assert sorted(one.order(0).tolist()) == list(range(len(pairs)))
    assert one.order(0).tolist() != one.order(1).tolist()
    with pytest.raises(UserError, match="18 pairs do not fill a batch of 19"):
        PairStream(pairs, replace(PAIRS, per_batch=19), ChainConfig(), seed=0)


def test_it_learns_from_the_train_split(folder: DataFolder, base: Path, tuned: Path) -> None:
    lines = [json.loads(line) for line in (tuned / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["search"] < 0.5 * lines[0]["search"]
    said = json.loads((tuned / SEARCH).read_text())
    assert said["mined"]["split"] == "train"
    assert said["mined"]["pairs"] == 18
    assert said["base_hash"] == model_hash(base) != model_hash(tuned)
    assert PairConfig.from_dict(said["pairs"]) == PAIRS
    assert "search" in (tuned / "README.md").read_text()
    before, after = (GraphMER.from_pretrained(run).state_dict() for run in (base, tuned))
    assert not torch.equal(before["embedding.token.weight"], after["embedding.token.weight"])
    for key in before:  # the other heads are what they were
        if key.startswith(("lm_head.", "ranking_head.")):
            assert torch.equal(before[key], after[key]), key


def test_how_much_vectors_count_is_chosen_on_validation(folder: DataFolder, base: Path, tuned: Path) -> None:
    tried = json.loads((tuned / SEARCH).read_text())["validation_mrr_by_factor"]
    assert [float(factor) for factor in tried] == list(FACTORS)
    network, chain = GraphMER.from_pretrained(tuned), ChainConfig(max_roots=96)
    held_out = mine_pairs(folder, "validation", PAIRS)
    before = float(network.searcher.scales[0].detach())
    again = calibrate(network, held_out, chain, PAIRS.buckets)
    assert again["1"] == pytest.approx(max(tried.values()))
    best = max(again, key=lambda factor: again[factor])
    assert float(network.searcher.scales[0].detach()) == pytest.approx(float(best) * before, rel=1e-4)


def test_a_run_goes_on_with_the_same_pairs_only(folder: DataFolder, base: Path) -> None:
    out = base.parent / "resumed"
    finetune(base, folder.path, out, replace(ARGS, max_steps=4, save_steps=2), PAIRS)
    with pytest.raises(UserError, match="was made of other pairs"):
        finetune(base, folder.path, out, replace(ARGS, resume=True), replace(PAIRS, leafless=0.1))
    finetune(base, folder.path, out, replace(ARGS, max_steps=6, save_steps=2, resume=True), PAIRS)
    assert json.loads((out / "metrics.json").read_text())["steps"] == 6


def test_runs_and_data_that_do_not_fit(folder: DataFolder, base: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    config = replace(folder.manifest.config, vocab_size=300)
    prepare(StandInKG(documented.write(tmp_path / "code")), other, config)
    with pytest.raises(UserError, match="vocab_size is"):
        finetune(base, other, tmp_path / "out", ARGS, PAIRS)
    with pytest.raises(UserError, match=r"no config.json"):
        finetune(tmp_path, folder.path, tmp_path / "out", ARGS, PAIRS)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="no head for search"):
        _ = GraphMER.from_pretrained(base).searcher
    with pytest.raises(UserError, match="search_buckets=-1"):
        GraphMERConfig.small(search_buckets=-1)
