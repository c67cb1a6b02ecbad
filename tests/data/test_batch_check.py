from __future__ import annotations

import pytest
import torch

from graphmer_geo.data import Limits, Triple, build_chain, check_batch, collate
from graphmer_geo.data.fake import FakeConfig, fake_batch, fake_chains
from graphmer_geo.errors import UserError

LIMITS = Limits(FakeConfig().vocab_size, FakeConfig().num_relations, FakeConfig().max_leaves)


def test_good_batches_and_chains_pass():
    check_batch(fake_batch(5), LIMITS)
    for chain in fake_chains(3):
        check_batch(chain, LIMITS)


@pytest.mark.parametrize(
    ("key", "place", "value", "message"),
    [
        ("tok", 3, 200, r"tok 200 at 3 in graph 0 is not in 0\.\.199; the tokenizer and the model"),
        ("edge_rel", 0, 0, r"edge_rel 0 at 0 is not in 1\.\.8"),
        ("triple_rel", 0, 9, "relations.json and the model belong together"),
        ("mlm_index", 0, 10**6, "mlm_index 1000000 at 0"),
        ("rank_triple", 0, -1, "rank_triple -1 at 0"),
        ("slot", 0, 0, "leaf_index does not list the nodes with a slot"),
        ("slot", -1, 5, r"slot 5 at \d+ in graph \d is not in -1..4; its tail has more leaves"),
        ("root", 0, -1, r"root -1 at 0 in graph 0 is none of its \d+ roots"),
        ("root", -1, 99, r"root 99 at \d+ in graph \d is none of its \d+ roots"),
        ("edge_rel", 3, 9, r"edge_rel 9 at 3 is not in 1\.\.8"),
        ("edge_index", (0, 0), 10**6, "edge_index 1000000 at 0"),
        ("batch", 0, 1, r"batch 0 at 1 comes after 1; the nodes of a graph must be consecutive"),
        ("batch", -1, 9, r"ptr \[0, .*\] is not where the graphs of batch begin"),
        ("mlm_left_index", 0, -1, "mlm_left_index -1 at 0"),
        ("mlm_label", 0, 200, r"mlm_label 200 at 0 is not in 0\.\.199"),
        ("rank_target", 0, 60, r"rank_target 60 at 0 is not in 0\.\.59"),
        ("cand_log_q", 7, float("nan"), "cand_log_q is nan at 7"),
    ],
)
def test_what_is_out_of_range_is_named(key, place, value, message):
    batch = fake_batch(4, seed=1)
    batch[key] = batch[key].clone()
    batch[key][place] = value
    with pytest.raises(UserError, match=message):
        check_batch(batch, LIMITS)


def test_edges_lead_from_roots_to_leaves_of_the_same_graph():
    batch = fake_batch(4, seed=1)
    batch["edge_index"] = batch["edge_index"].flip(0)
    with pytest.raises(UserError, match="does not lead from a root to a leaf"):
        check_batch(batch, LIMITS)
    batch = fake_batch(4, seed=1)
    batch["edge_index"] = batch["edge_index"].clone()
    batch["edge_index"][0, 0] = int(batch["ptr"][2])
    with pytest.raises(UserError, match="of the same graph"):
        check_batch(batch, LIMITS)


def test_targets_and_labels_go_together():
    batch = fake_batch(4, seed=1)
    batch["mlm_label"] = batch["mlm_label"][:-1]
    with pytest.raises(UserError, match=r"mlm_index has .* entries, mlm_label has"):
        check_batch(batch, LIMITS)
    del batch["triple_rel"]
    with pytest.raises(UserError, match="no 'triple_rel'"):
        check_batch(batch, LIMITS)


def test_the_collator_checks():
    """A bad chain is named before a model sees it, whether or not limits are known."""
    good, _ = build_chain([0, 5, 6, 2], [Triple(1, 2, 3, (7, 8))])
    assert collate([good], Limits(9, 4, 2))["tok"].tolist() == [0, 5, 6, 2, 7, 8]
    for limits, message in (
        (Limits(8), "tok 8 at 5 in graph 0"),
        (Limits(num_relations=3), "edge_rel 3 at 0"),
        (Limits(max_leaves=1), "slot 1 at 5 in graph 0 is not in -1..0"),
    ):
        with pytest.raises(UserError, match=message):
            collate([good], limits)
    orphan = good.clone()
    orphan["root"] = orphan["root"].clone()
    orphan["root"][-1] = 4
    with pytest.raises(ValueError, match="root 4 at 11 in graph 1 is none of its 4 roots"):
        collate([good, orphan])


def test_features_that_are_no_numbers():
    chain, _ = build_chain([0, 5, 6, 2], [])
    chain["x"] = torch.zeros(4, 3)
    chain["x"][2, 1] = float("nan")
    with pytest.raises(ValueError, match="x is nan at 7"):
        collate([chain])
