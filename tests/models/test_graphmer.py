from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.explain import AttentionExplainer, Explainer, GNNExplainer

from graphmer_geo.data.fake import FAKE, FakeConfig, fake_batch
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.nn import Names

TOKENS = [b"name%d" % i for i in range(FAKE.vocab_size)]


def tiny(**changes: object) -> GraphMER:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_layers": 2, "num_heads": 2, "ffn_size": 64, "popularity_buckets": 256}
    vocabulary = {
        "vocab_size": FAKE.vocab_size,
        "num_relations": FAKE.num_relations,
        "num_entity_kinds": FAKE.num_kinds,
    }
    return GraphMER(GraphMERConfig(**(sizes | vocabulary | changes)))


def fit(model: GraphMER, batch: dict[str, Tensor]) -> GraphMER:
    names = Names(batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    model.fit_statistics(TOKENS, names, batch["triple_rel"], batch["triple_tail"])
    return model


def test_three_losses_and_their_sum() -> None:
    batch = fake_batch(6)
    out = tiny(mlm_weight=2.0, mnm_weight=0.5, rank_weight=3.0).eval()(batch)
    assert out.counts == {name: batch[f"{name}_index"].numel() for name in ("mlm", "mnm", "rank")}
    expected = 2 * out.losses["mlm"] + 0.5 * out.losses["mnm"] + 3 * out.losses["rank"]
    torch.testing.assert_close(out.loss.detach(), expected)
    assert set(out.metrics) == {"mlm_acc", "mnm_acc", "rank_acc"}


def test_losses_only_of_what_is_there() -> None:
    batch = fake_batch(6)
    only = {key: value for key, value in batch.items() if not key.startswith(("mnm_", "rank_"))}
    out = tiny()(only)
    assert set(out.losses) == {"mlm"}
    nothing = tiny()({key: value for key, value in only.items() if not key.startswith("mlm_")})
    assert nothing.loss == 0
    assert nothing.counts == {}


def test_objective_without_targets_gives_zero_gradients() -> None:
    batch = fake_batch(6) | {"mnm_index": torch.empty(0).long(), "mnm_label": torch.empty(0).long()}
    batch |= {key: value[:0] for key, value in batch.items() if key.startswith("rank_")}
    model = tiny()
    out = model(batch)
    out.loss.backward()
    assert set(out.counts) == {"mlm"}
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    "changes",
    [{}, {"num_bases": None}, {"decay": "multiplicative", "pre_norm": False}, {"lexical_features": False}],
)
def test_every_parameter_learns(changes: dict[str, object]) -> None:
    batch = fake_batch(16, FakeConfig(max_triples=12))
    model = fit(tiny(**changes), batch)
    model(batch).loss.backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_switches_remove_parameters() -> None:
    names = {name for name, _ in tiny().named_parameters()}
    bare = tiny(
        hgat=False,
        relation_bias=False,
        relation_embedding=False,
        decay="none",
        positions="none",
        lexical_features=False,
        popularity=False,
    )
    gone = names - {name for name, _ in bare.named_parameters()}
    parts = {"hgat", "relation", "slot", "bias", "popularity", "lexical"}
    assert {name.split(".")[1] for name in gone} == parts
    assert bare.num_parameters_by_part()["relation"] == 0
    bare(fake_batch(4)).loss.backward()


def test_dict_and_pyg_data_give_the_same() -> None:
    batch, model = fake_batch(4), tiny().eval()
    torch.testing.assert_close(model(Data(**batch)).loss, model(batch).loss)


def test_rank_equals_training_scores_and_blocks() -> None:
    batch = fake_batch(8)
    model = fit(tiny(), batch).eval()
    candidates = (batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    scores = model.rank(batch, *candidates)
    vectors = model.entity_embeddings(*candidates)
    allowed = batch["rank_allowed"].scatter(1, batch["rank_target"].unsqueeze(1), True)
    corrected = (scores - batch["cand_log_q"]).masked_fill(~allowed, -torch.inf)
    loss = torch.nn.functional.cross_entropy(corrected, batch["rank_target"])
    torch.testing.assert_close(loss, model(batch).losses["rank"])
    torch.testing.assert_close(model.rank(batch, *candidates, cand_emb=vectors), scores)
    assert model.rank(batch, candidates[0][:0], candidates[1][:1], candidates[2][:0]).shape == (
        scores.size(0),
        0,
    )


def test_blocks_do_not_change_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = fake_batch(8)
    model = fit(tiny(), batch).eval()
    candidates = (batch["cand_tok"], batch["cand_ptr"], batch["cand_kind"])
    scores = model.rank(batch, *candidates)
    monkeypatch.setattr("graphmer_geo.models.ranking.BLOCK", 7 * scores.size(0))
    torch.testing.assert_close(model.rank(batch, *candidates), scores)


def test_masked_root_tokens_do_not_reach_the_encoder() -> None:
    # The ranking head reads masked words of the chunk; the states must not depend on them.
    batch, model = fake_batch(4), tiny().eval()
    other = batch | {"mlm_label": batch["mlm_label"].flip(0)}
    assert torch.equal(model.encode(batch), model.encode(other))
    assert not torch.equal(model(batch).losses["rank"], model(other).losses["rank"])


def test_own_answer_is_left_out_of_counts_in_training_only() -> None:
    batch = fake_batch(8)
    model = fit(tiny(dropout=0.0, relation_dropout=0.0), batch)
    seen = model(batch).losses["rank"]
    assert model.eval()(batch).losses["rank"] < seen


def test_bf16_autocast() -> None:
    batch, model = fake_batch(4), tiny(dropout=0.0, relation_dropout=0.0)
    exact = model(batch).loss
    with torch.autocast("cpu", torch.bfloat16):
        out = model(batch)
    out.loss.backward()
    assert out.loss.dtype == torch.float32
    torch.testing.assert_close(out.loss, exact, rtol=2e-2, atol=0)


@pytest.mark.parametrize("algorithm", [GNNExplainer(epochs=2), AttentionExplainer()])
def test_what_a_masked_leaf_heard_can_be_explained(algorithm: object) -> None:
    """PyG's explainers on the model as it is: token ids as features of width 1, fusion as the messages."""
    batch = fake_batch(2)

    class Predict(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = tiny().eval()

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            states = self.model.encode(batch | {"tok": x.squeeze(1), "edge_index": edge_index})
            return self.model.token_logits(states)

    explainer = Explainer(
        Predict(),
        algorithm=algorithm,
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
    )
    leaf = int(batch["mnm_index"][0])
    mask = explainer(batch["tok"].unsqueeze(1), batch["edge_index"], index=leaf).edge_mask
    assert mask[batch["edge_index"][1] == leaf].abs().sum() > 0


def test_parameters_by_part() -> None:
    config = GraphMERConfig.base()
    with torch.device("meta"):
        parts = GraphMER(config).num_parameters_by_part()
    layer = 4 * 768**2 + 4 * 768 + 2 * 768 * 3072 + 3072 + 768 + 4 * 768
    assert parts["trunk"] == 12 * layer + 2 * 768
    assert round(layer / 1e6, 2) == 7.09
    assert parts["embeddings"] == (config.vocab_size + config.max_slots) * 768
    small = tiny()
    assert sum(small.num_parameters_by_part().values()) == sum(p.numel() for p in small.parameters())


@pytest.mark.slow
def test_overfits_a_few_graphs() -> None:
    batch = fake_batch(6)
    model = fit(tiny(dropout=0.0, relation_dropout=0.0), batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        out = model(batch)
        optimiser.zero_grad()
        out.loss.backward()
        optimiser.step()
    assert out.losses["mlm"] < 0.1
    assert out.losses["rank"] < 0.1
    assert out.metrics["mnm_acc"] > 0.9
