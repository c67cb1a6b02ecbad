from __future__ import annotations

import pytest

from graphmer_geo.data import check_batch
from graphmer_geo.data.fake import FakeConfig, fake_batch, fake_chains
from graphmer_geo.errors import UserError

SIZES = (FakeConfig().vocab_size, FakeConfig().num_relations)


def test_good_batches_and_chains_pass():
    check_batch(fake_batch(5), *SIZES)
    for chain in fake_chains(3):
        check_batch(chain, *SIZES)


@pytest.mark.parametrize(
    ("key", "place", "value", "message"),
    [
        ("tok", 3, 200, r"tok 200 at 3 in graph 0 is not in 0\.\.199; the tokenizer and the model"),
        ("edge_rel", 0, 0, r"edge_rel 0 at 0 is not in 1\.\.8"),
        ("triple_rel", 0, 9, "relations.json and the model belong together"),
        ("mlm_index", 0, 10**6, "mlm_index 1000000 at 0"),
        ("rank_triple", 0, -1, "rank_triple -1 at 0"),
        ("slot", 0, 0, "leaf_index does not list the nodes with a slot"),
    ],
)
def test_what_is_out_of_range_is_named(key, place, value, message):
    batch = fake_batch(4, seed=1)
    batch[key] = batch[key].clone()
    batch[key][place] = value
    with pytest.raises(UserError, match=message):
        check_batch(batch, *SIZES)


def test_edges_lead_from_roots_to_leaves_of_the_same_graph():
    batch = fake_batch(4, seed=1)
    batch["edge_index"] = batch["edge_index"].flip(0)
    with pytest.raises(UserError, match="does not lead from a root to a leaf"):
        check_batch(batch, *SIZES)
    batch = fake_batch(4, seed=1)
    batch["edge_index"] = batch["edge_index"].clone()
    batch["edge_index"][0, 0] = int(batch["ptr"][2])
    with pytest.raises(UserError, match="of the same graph"):
        check_batch(batch, *SIZES)


def test_targets_and_labels_go_together():
    batch = fake_batch(4, seed=1)
    batch["mlm_label"] = batch["mlm_label"][:-1]
    with pytest.raises(UserError, match=r"mlm_index has .* entries, mlm_label has"):
        check_batch(batch, *SIZES)
    del batch["triple_rel"]
    with pytest.raises(UserError, match="no 'triple_rel'"):
        check_batch(batch, *SIZES)
