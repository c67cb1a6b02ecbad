"""Every fidelity switch of the configuration does what it says, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from graphmer_geo.data import ChainConfig
from graphmer_geo.data.fake import fake_batch
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER, GraphMERConfig
from tests.models.test_graphmer import tiny

#: A configuration as it was saved before the switches below existed.
OLD = {
    "vocab_size": 200, "num_relations": 9, "num_entity_kinds": 6, "hidden_size": 32, "num_layers": 2,
    "num_heads": 2, "ffn_size": 64, "dropout": 0.1, "attention_dropout": 0.0, "relation_dropout": 0.3,
    "num_bases": 8, "hgat": True, "relation_embedding": True, "relation_bias": True, "decay": "additive",
    "decay_lambda": 0.6, "leaf_edges": "star", "positions": "rope", "pre_norm": True, "max_slots": 16,
    "lexical_features": True, "popularity": True, "popularity_buckets": 256, "proximity": True,
    "mlm_weight": 1.0, "mnm_weight": 1.0, "rank_weight": 1.0, "pad_id": 0, "mask_id": 2,
    "ontology_version": "1.0", "tokenizer_hash": "", "relation_map": {"none": 0}, "entity_kinds": ["a"],
}  # fmt: skip


def test_published_number_of_parameters() -> None:
    """GraphMERT's own code, counted: 78.62 M with 30,522 tokens and 30 relation rows."""
    d, ffn, vocab, relations, layers = 512, 2048, 30_522, 30, 12
    with torch.device("meta"):
        model = GraphMER(GraphMERConfig.paper())
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}

    def part(prefix: str) -> int:
        return sum(size for name, size in sizes.items() if name.startswith(prefix))

    attention, feed_forward, norms = 4 * (d * d + d), 2 * d * ffn + ffn + d, 4 * d
    transform, heads = d * d + d + 2 * d, 8
    expected = {
        "embedding.token": vocab * d,
        "embedding.hgat.weight": relations * d * d,
        "embedding.hgat.att": relations * 2 * d,
        "encoder.layers": layers * (attention + feed_forward + norms),
        "encoder.bias": heads,  # p
        "output_transform": transform,
        "lm_head": transform + vocab,  # the decoder's matrix is tied to the token embedding
        "sbo_head.place": 7 * d,
        "sbo_head.first": 3 * d * d + d + 2 * d,
        "sbo_head.second": transform,
        "sbo_head.decoder": vocab * d + vocab,
    }
    assert {prefix: part(prefix) for prefix in expected} == expected
    total = sum(sizes.values())
    assert total == sum(expected.values()) == 78_621_820
    millions = {k: round(v / 1e6, 1) for k, v in expected.items()}
    published = {
        "embedding.token": 15.6,
        "encoder.layers": 37.8,
        "embedding.hgat.weight": 7.9,
        "sbo_head.decoder": 15.7,
    }
    assert published.items() <= millions.items()


def test_published_settings() -> None:
    config, chain = GraphMERConfig.paper(), ChainConfig.paper()
    assert (config.num_layers, config.hidden_size, config.num_heads, config.ffn_size) == (12, 512, 8, 2048)
    assert (config.dropout, config.attention_dropout, config.relation_dropout) == (0.1, 0.1, 0.3)
    assert (config.decay, config.decay_lambda) == ("multiplicative", 0.6)
    assert (chain.max_roots, chain.max_leaves_per_tail) == (128, 7)
    assert chain.max_roots * (1 + chain.max_leaves_per_tail) == 1024
    assert GraphMERConfig.paper(decay_offset=0, leaf_edges="star").decay_offset == 0


def test_the_published_model_trains() -> None:
    small = {"vocab_size": 200, "num_relations": 9, "hidden_size": 32, "num_layers": 2, "num_heads": 2}
    model = GraphMER(GraphMERConfig.paper(**small, ffn_size=64, num_entity_kinds=6))
    out = model(fake_batch(6))
    assert set(out.losses) == {"mlm", "mnm", "sbo"}
    torch.testing.assert_close(out.loss.detach(), sum(out.losses.values()))
    out.loss.backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    with pytest.raises(UserError, match="ranking=true"):
        model.entity_embeddings(torch.tensor([5]), torch.tensor([0, 1]), torch.tensor([0]))


def test_old_configurations_load_and_mean_what_they_meant() -> None:
    config = GraphMERConfig.from_dict(OLD)
    assert config == GraphMERConfig.from_dict(config.to_dict())
    assert config.decay_offset == 1
    torch.manual_seed(0)
    names = {name for name, _ in GraphMER(config).named_parameters()}
    assert not any(name.startswith(("sbo_head", "output_transform", "encoder.convs")) for name in names)
    assert {"ranking_head.entity.weight", "embedding.slot.weight", "encoder.bias.decay.p"} <= names


def test_sbo_is_the_loss_of_the_span_head() -> None:
    batch = fake_batch(6)
    model = tiny(sbo=True, sbo_weight=0.5, rank_weight=0.0).eval()
    out, states = model(batch), model.encode(batch)
    left, right = states[batch["mlm_left_index"]], states[batch["mlm_right_index"]]
    logits = model.sbo_head(left, right, batch["mlm_place"])
    expected = F.cross_entropy(logits, batch["mlm_label"])
    torch.testing.assert_close(out.losses["sbo"], expected)
    torch.testing.assert_close(out.loss, out.losses["mlm"] + out.losses["mnm"] + 0.5 * expected)
    assert "sbo" not in tiny()(batch).losses
    without = {key: value for key, value in batch.items() if not key.startswith("mlm_")}
    assert "sbo" not in model(without).losses
    with pytest.raises(UserError, match="sbo=true"):
        tiny().span_logits(states, batch)


def test_output_transform_stands_before_every_token_head() -> None:
    model, states = tiny(output_transform=True, sbo=True).eval(), torch.randn(3, 32)
    y = model.output_transform(states)
    expected = model.lm_head(y, model.embedding.token.weight)
    torch.testing.assert_close(model.token_logits(states), expected)
    batch = {"mlm_left_index": torch.tensor([0]), "mlm_right_index": torch.tensor([2])}
    batch["mlm_place"] = torch.tensor([1])
    expected = model.sbo_head(y[:1], y[2:], batch["mlm_place"])
    torch.testing.assert_close(model.span_logits(states, batch), expected)


@pytest.mark.parametrize(
    ("changes", "gone", "new"),
    [
        ({"positions": "none"}, {"embedding.slot"}, set()),
        ({"hgat": False}, {"embedding.hgat"}, set()),
        ({"relation_embedding": False}, {"embedding.relation"}, set()),
        ({"relation_bias": False}, {"encoder.bias.relation"}, set()),
        ({"decay": "none"}, {"encoder.bias.decay"}, set()),
        ({"pre_norm": False}, {"encoder.norm"}, set()),
        ({"num_bases": None}, {"embedding.hgat.comp"}, set()),
        ({"hgat_every": 1}, set(), {"encoder.convs"}),
        ({"sbo": True}, set(), {"sbo_head"}),
        ({"output_transform": True}, set(), {"output_transform"}),
        ({"ranking": False}, {"ranking_head"}, set()),
    ],
)
def test_a_switch_adds_and_removes_its_own_parameters(
    changes: dict[str, object], gone: set[str], new: set[str]
) -> None:
    before = {name for name, _ in tiny().named_parameters()}
    model = tiny(**changes)
    after = {name for name, _ in model.named_parameters()}
    for names, prefixes in ((before - after, gone), (after - before, new)):
        assert all(any(name.startswith(f"{prefix}") for prefix in prefixes) for name in names)
        assert all(any(name.startswith(f"{prefix}") for name in names) for prefix in prefixes)
    model(fake_batch(4)).loss.backward()


@pytest.mark.parametrize(
    "changes",
    [
        {"decay": "none"},
        {"decay": "multiplicative"},
        {"decay_offset": 0},
        {"leaf_edges": "path"},
        {"positions": "none"},
        {"pre_norm": False},
        {"decay_lambda": 0.9},
    ],
)
def test_a_switch_without_new_parameters_changes_the_states(changes: dict[str, object]) -> None:
    batch, plain, switched = fake_batch(4), tiny().eval(), tiny(**changes).eval()
    switched.load_state_dict(plain.state_dict(), strict=False)
    difference = (plain.encode(batch) - switched.encode(batch)).abs().max()
    assert difference > 1e-4


def test_one_decay_for_all_heads_starts_where_many_do() -> None:
    batch, plain, shared = fake_batch(4), tiny().eval(), tiny(decay_per_head=False).eval()
    state = plain.state_dict() | {"encoder.bias.decay.p": torch.ones(1)}
    shared.load_state_dict(state)
    torch.testing.assert_close(shared.encode(batch), plain.encode(batch))
    assert plain.state_dict()["encoder.bias.decay.p"].shape == (2,)


def test_full_matrices_are_bases_that_nobody_shares() -> None:
    """With as many bases as relations and unit coefficients, both forms are one."""
    batch = fake_batch(4)
    full, basis = tiny(num_bases=None).eval(), tiny(num_bases=9).eval()
    state = full.state_dict() | {"embedding.hgat.comp": torch.eye(9)}
    basis.load_state_dict(state)
    torch.testing.assert_close(basis.encode(batch), full.encode(batch))


def test_losses_start_at_the_logarithm_of_the_vocabulary() -> None:
    losses = tiny(sbo=True, output_transform=True).eval()(fake_batch(8)).losses
    for name in ("mlm", "mnm", "sbo"):
        assert abs(float(losses[name]) - math.log(200)) < 0.5, name
