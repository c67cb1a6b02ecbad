"""Masked tokens by class at the smallest size; the runs behind all tasks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import mlm, runs
from benchmarks.masked.classes import classify
from benchmarks.masked.scores import Masked, by_counts, by_model, classes_of_masked, count_ngrams
from graphmer_geo.data import DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.errors import UserError
from graphmer_geo.inference.evaluate import load_run
from graphmer_geo.metrics import token_contexts
from graphmer_geo.results import read_result
from graphmer_geo.train.run import build_masks
from tests.data.standin import StandInKG

BUDGET = runs.Budget(steps=3, size="tiny", threads=1)
WORDS = ["--steps", "3", "--size", "tiny", "--threads", "1", "--limit", "40"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, min_roots=5))
    return DataFolder.open(path)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def test_every_predictor_sees_the_same_tokens(folder: DataFolder, work: Path) -> None:
    out = work / "r.json"
    words = ["--data", str(folder.path), "--work", str(work), "--seeds", "0", "1", "--out", str(out)]
    mlm.main([*words, *WORDS])
    found = read_result(out)["metrics"]
    predictors = {"unigram", "n-gram", "encoder", "all leaves", "no leaves", "text only"}
    total = 0
    for group, cells in found["classes"].items():
        assert set(cells) == predictors
        assert len({json.dumps(c["count"]) for c in cells.values()}) == 1
        assert all(c["perplexity"]["mean"] >= 1 and len(c["top-1"]["values"]) == 2 for c in cells.values())
        if group != "all":
            total += sum(cells["encoder"]["count"]["values"])
    masked = sum(found["classes"]["all"]["encoder"]["count"]["values"])
    assert masked > 40
    assert 0.9 * masked < total <= masked  # a class that one seed lacks is not shown
    cells = found["classes"]["identifier"]
    share = np.mean([1 - a / b for a, b in zip(
        cells["encoder"]["perplexity"]["values"], cells["text only"]["perplexity"]["values"], strict=True
    )])  # fmt: skip
    assert found["lower_perplexity"]["identifier"]["encoder"]["mean"] == pytest.approx(share)
    trained = found["trainings"][0]
    assert trained["encoder"]["root_tokens"] == trained["text only"]["root_tokens"] > 0
    assert trained["encoder"]["steps"] == trained["text only"]["steps"] == 3


def test_what_leaves_are_shown_changes_no_mask(folder: DataFolder) -> None:
    masked = Masked(folder, "test", 0, None)
    for one, two, three in zip(*(masked.batches(x) for x in ("all", "tell nothing", "none")), strict=True):
        for key in ("mlm_label", "chunk"):
            assert torch.equal(one[key], two[key])
            assert torch.equal(one[key], three[key])
        assert one["triple_rel"].numel() > two["triple_rel"].numel() > three["triple_rel"].numel() == 0


def test_a_complete_run_is_not_trained_again(folder: DataFolder, work: Path) -> None:
    run = runs.trained("text only", folder, work, BUDGET, 0)
    before = (run / "model.safetensors").stat().st_mtime_ns
    assert runs.trained("text only", folder, work, BUDGET, 0) == run
    assert (run / "model.safetensors").stat().st_mtime_ns == before
    assert runs.trained("text only", folder, work, BUDGET, 5) != run


def test_variants_see_as_many_root_tokens(folder: DataFolder, work: Path) -> None:
    """Where a variant's batches differ, it takes the steps that it needs, and not one more."""
    whole, part = (runs.trained(n, folder, work, BUDGET, 0) for n in ("encoder", "without leaves"))
    seen, found = runs.facts(whole, folder)["root_tokens"], runs.facts(part, folder)
    assert found["root_tokens"] >= seen
    chain, tokens, steps = runs.chain_of(part), BUDGET.batch_tokens, found["steps"]
    assert steps == 1 or runs.root_tokens(folder, chain, tokens, 0, steps - 1) < seen


def test_root_tokens_are_those_of_the_stream(folder: DataFolder) -> None:
    from graphmer_geo.train.run import build_stream
    from graphmer_geo.train.tables import Tables

    args = runs.TrainArgs(max_steps=9, batch_tokens=512)
    stream = build_stream(folder, Tables.load(folder), args, runs.ChainConfig())
    seen = sum(int((stream.batch(i)["slot"] < 0).sum()) for i in range(9))
    assert runs.root_tokens(folder, runs.ChainConfig(), 512, 0, 9) == seen


def test_scores_are_those_of_one_token_at_a_time(folder: DataFolder, work: Path) -> None:
    model = load_run(runs.trained("encoder", folder, work, BUDGET, 0), folder)
    masked = Masked(folder, "test", 0, 4)
    predicted = by_model(model, masked.batches("all"))
    classes = classes_of_masked(masked.batches("none"), classify(folder, "test"))
    ngrams = count_ngrams(folder)
    counted = by_counts(masked.batches("none"), ngrams)["n-gram"]
    at = 0
    table = folder.chunks("test")
    for batch in masked.batches("all"):
        with torch.no_grad():
            p = model.token_logits(model.encode(batch)).softmax(-1)
        for node, label in zip(batch["mlm_index"].tolist(), batch["mlm_label"].tolist(), strict=True):
            graph = int(batch["batch"][node])
            first = int(batch["ptr"][graph])
            row = int(batch["chunk"][graph])
            assert table["tok"][row].as_py()[node - first] == label
            assert predicted.log_p[at] == pytest.approx(float(p[node, label].log()), abs=1e-4)
            assert predicted.rank[at] == 1 + int((p[node] > p[node, label]).sum())
            roots = batch["tok"][first:][: len(table["tok"][row].as_py())].numpy()
            context = token_contexts(roots, np.array([node - first]), ngrams.special[0])
            assert counted.log_p[at] == pytest.approx(np.log(ngrams.probabilities(context)[0, label]))
            assert classes[at] == classify(folder, "test").classes[row][node - first]
            at += 1
    assert at == len(predicted.rank) > 10
    assert len(LeafyChainDataset(folder, "test")) >= 4


def test_bad_input_writes_nothing(folder: DataFolder, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    out.write_text("kept")
    with pytest.raises(SystemExit, match="holds no prepared data"):
        mlm.main(["--data", str(tmp_path), "--out", str(out), *WORDS])
    with pytest.raises(SystemExit, match="minutes is 0"):
        mlm.main(["--data", str(folder.path), "--minutes", "0", "--out", str(out)])
    none, classified = Masked(folder, "validation", 0, 0), classify(folder, "validation")
    with pytest.raises(UserError, match="the validation split has no token to mask"):
        mlm.one_seed(none, {}, classified, count_ngrams(folder))
    assert out.read_text() == "kept"


def test_telling_leaves_can_be_hidden_in_training(folder: DataFolder) -> None:
    """As many leaves as evaluation shows, and the same masks; by default they stay."""
    counts = {}
    for share in (0.0, 1.0):
        masks = build_masks(folder, runs.TrainArgs(max_steps=1, hide_telling=share, mnm_prob=0.0))
        dataset = LeafyChainDataset(folder, "train", transforms=masks)
        chains = [dataset[i] for i in range(len(dataset))]
        counts[share] = sum(chain["triple_rel"].numel() for chain in chains)
    assert 0 < counts[1.0] < counts[0.0]
