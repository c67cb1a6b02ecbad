"""What the speed benchmark compares is equal where it must be: only time may differ."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch

from benchmarks import throughput
from benchmarks.speed import gpu, growth, layers, memory, pipeline
from benchmarks.speed.corpus import Corpus, prepared
from benchmarks.speed.encoders import roberta, roberta_loss, without_ranking
from benchmarks.speed.fixed import FixedLayout, first_roots, fixed_layout, fixed_states
from benchmarks.speed.gpu import operations
from benchmarks.speed.growth import _curve
from benchmarks.speed.layers import literal_fusion, triples_of, tuned_fusion
from benchmarks.speed.timing import Bench, rounded
from benchmarks.tables import speed
from graphmer_geo.data import collate
from graphmer_geo.data.fake import FAKE, FAKE_SPECIALS, FakeConfig, fake_batch, fake_chains, fake_vocab
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.nn import HGATConv
from graphmer_geo.results import read_result, result, write_result
from graphmer_geo.transforms import MaskTokens

CONFIG = GraphMERConfig.small(
    vocab_size=FAKE.vocab_size, num_relations=FAKE.num_relations, hidden_size=32, num_layers=2, num_heads=2,
    ffn_size=32, dropout=0.0, pad_id=FAKE_SPECIALS["<pad>"],
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("speed"), ("json", "html", "wsgiref", "logging"), modules=False)


def test_every_part_runs_and_is_shown(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "TRIPLES", 480)
    monkeypatch.setattr(layers, "GRAPH", {"nodes": 20, "edges": 40, "relations": 3, "width": 8})
    monkeypatch.setattr(layers, "WIDTH", 16)
    monkeypatch.setattr(growth, "CHAINS", (2, 4))
    monkeypatch.setattr(growth, "GRAPHS", (2, 4))
    monkeypatch.setattr(growth, "WIDTH", 8)
    monkeypatch.setattr(pipeline, "BATCHES", 2)
    args = argparse.Namespace(
        repeats=1, clock="wall", device="cpu", seed=0, batch_tokens=600,
        parts=[part for part in throughput.PARTS if part != "memory"],
    )  # fmt: skip
    metrics = dict(throughput.measured(args, data, CONFIG))
    metrics["memory"] = {"graphs": 4, "precision": "bf16", "ratio": 0.1}
    for layout in memory.LAYOUTS:
        metrics["memory"][layout] = memory.measure(data, layout, 0, CONFIG)
    content = result("throughput", rounded(metrics), seed=0)
    write_result(tmp_path / "throughput.json", content)
    text = speed.render(tmp_path / "throughput.json", read_result(tmp_path / "throughput.json"))
    assert all(row[0] in metrics or " " in row[0] for row in speed._BARS)
    assert text.count("| yes |") + text.count("| **no** |") >= len(speed._BARS)
    assert metrics["layout"]["difference_of_states"] < 1e-4
    assert metrics["fusion"]["largest_relative_difference_of_gradients"] < 1e-4
    growth.draw(metrics["growth"], tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 1000


def test_a_card_is_filled_without_anybody_watching(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a CPU in the card's place: FlexAttention has no gradients there, and that must not end the run.
    for name, value in {
        "get_device_name": "NVIDIA H100 80GB", "empty_cache": None, "reset_peak_memory_stats": None,
        "max_memory_allocated": 2**30,
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **options: None)
    monkeypatch.setattr(gpu, "BUDGETS", (300, 600))
    corpus = Corpus(data, 0)
    card = gpu.fill(Bench(repeats=1), corpus, corpus.config(CONFIG))
    done = [(run["model"], run["kernel"], run["batch_tokens"]) for run in card["runs"] if "error" not in run]
    assert done == [(*kind, budget) for kind in (("graphmer", "dense"),) * 2 + (("roberta", "sdpa"),) * 2
                    for budget in (300, 600)]  # fmt: skip
    assert all(0 < run["model_flops_utilisation"] < 1 for run in card["runs"] if "error" not in run)
    assert [run["kernel"] for run in card["runs"] if "error" in run] == ["flex", "flex"]


def test_loops_over_triples_compute_what_the_operator_does() -> None:
    batch = fake_batch(4)
    triples = triples_of(batch)
    assert len(triples) == batch["triple_rel"].numel()
    torch.manual_seed(0)
    conv, x = HGATConv(8, 8, FAKE.num_relations), torch.randn(batch["tok"].numel(), 8)
    ours = conv(x, batch["edge_index"], batch["edge_rel"])
    for loop in (literal_fusion, tuned_fusion):
        torch.testing.assert_close(loop(conv, x, triples), ours)


def test_fixed_layout_is_the_same_model_on_1024_positions() -> None:
    mask = MaskTokens(fake_vocab())
    long = [mask(chain) for chain in fake_chains(3, FakeConfig(roots=(130, 160), max_triples=12))]
    chains = first_roots([*long, mask(fake_chains(1)[0])], FixedLayout())
    assert len(chains) == 3  # the short one would need padding among its roots
    assert all(int((chain["slot"] < 0).sum()) == 128 for chain in chains)
    torch.manual_seed(0)
    model = GraphMER(CONFIG).eval()
    fixed = fixed_layout(chains, CONFIG.pad_id, "cpu")
    assert fixed["tok"].numel() == 3 * 1024
    flat = collate(chains)
    assert fixed["real"].numel() == flat["tok"].numel()
    states = fixed_states(model, fixed)
    torch.testing.assert_close(states[fixed["real"]], model.encode(flat), atol=1e-5, rtol=1e-5)
    assert torch.equal(fixed["tok"][fixed["mlm_index"]], flat["tok"][flat["mlm_index"]])


def test_roberta_scores_the_same_tokens_and_does_not_see_padding() -> None:
    batch = without_ranking(fake_batch(4))
    assert {"mlm_index", "mnm_index"} <= batch.keys()
    assert not any(key.startswith(("rank", "cand")) for key in batch)
    torch.manual_seed(0)
    model = roberta(CONFIG, 64).eval()
    assert model.config._attn_implementation == "sdpa"
    loss = roberta_loss(model, batch)
    alone = []
    for g, (start, stop) in enumerate(
        zip(batch["ptr"][:-1].tolist(), batch["ptr"][1:].tolist(), strict=True)
    ):
        part = {"tok": batch["tok"][start:stop], "batch": torch.zeros(stop - start, dtype=torch.long)}
        for name in ("mlm", "mnm"):
            inside = batch["batch"][batch[f"{name}_index"]] == g
            part[f"{name}_index"] = batch[f"{name}_index"][inside] - start
            part[f"{name}_label"] = batch[f"{name}_label"][inside]
        count = part["mlm_index"].numel() + part["mnm_index"].numel()
        alone.append(roberta_loss(model, part) * count)
    scored = batch["mlm_index"].numel() + batch["mnm_index"].numel()
    torch.testing.assert_close(sum(alone) / scored, loss)


def test_runs_alternate_and_turn_around() -> None:
    seen: list[tuple[str, int]] = []
    calls = {name: (lambda k, name=name: seen.append((name, k))) for name in "ab"}
    times = Bench(repeats=2).alternate(calls)
    assert seen == [("a", 0), ("b", 0), ("a", 0), ("b", 0), ("b", 1), ("a", 1)]
    assert [len(t) for t in times.values()] == [2, 2]


def test_operations_of_a_step_are_about_six_per_parameter_and_token() -> None:
    batch = fake_batch(2)
    config = GraphMERConfig.base(vocab_size=FAKE.vocab_size)
    trunk = config.num_layers * (4 * 768**2 + 2 * 768 * 3072)
    assert operations(config, batch) == pytest.approx(6 * trunk * batch["tok"].numel(), rel=0.05)


def test_growth_and_rounding() -> None:
    assert _curve([1, 2, 4, 8], [1.0, 2.0, 4.0, 8.0])["exponent"] == pytest.approx(1.0)
    assert rounded({"a": [1.23456789, 3], "b": "x"}) == {"a": [1.2346, 3], "b": "x"}
