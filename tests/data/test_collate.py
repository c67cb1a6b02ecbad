from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.utils import to_dense_batch

from graphmer_geo.data import collate, plan_batches
from graphmer_geo.data.fake import fake_chains, fake_vocab
from graphmer_geo.errors import UserError
from graphmer_geo.transforms import MaskNodes, MaskTokens


def masked_chains(count, seed=0):
    tokens, nodes = MaskTokens(fake_vocab(), seed=seed), MaskNodes(fake_vocab(), prob=0.5, seed=seed)
    return [nodes(tokens(chain)) for chain in fake_chains(count, seed=seed)]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_collate_equals_pyg(count):
    chains = masked_chains(count)
    ours, pyg = collate(chains), Batch.from_data_list(chains)
    mask = ours.pop("place_mask")
    assert torch.equal(mask, to_dense_batch(pyg["tok"], pyg.batch)[1])
    assert set(ours) == {key for key, value in pyg.to_dict().items() if isinstance(value, torch.Tensor)}
    for key, value in ours.items():
        assert torch.equal(value, pyg[key]), key


def test_only_pointers_are_shifted():
    chains = masked_chains(3)
    batch = collate(chains)
    for key in ("root", "group", "slot", "triple_head_start", "triple_rel", "rank_tail", "edge_rel"):
        assert torch.equal(batch[key], torch.cat([c[key] for c in chains])), key
    nodes = torch.tensor([c.num_nodes for c in chains])
    assert batch["ptr"].tolist() == [0, *nodes.cumsum(0).tolist()]
    assert torch.equal(batch["batch"].bincount(), nodes)


def test_every_graph_of_a_batch_is_used():
    """One of the earlier systems collated with ``b[0]`` and threw the others away."""
    chains = masked_chains(4)
    batch = collate(chains)
    for number, chain in enumerate(chains):
        assert torch.equal(batch["tok"][batch["batch"] == number], chain["tok"])


def test_collate_refuses_mixed_or_no_chains():
    plain, masked = fake_chains(1)[0], masked_chains(1)[0]
    with pytest.raises(UserError, match=r"chain 1 differs in .*mlm_index"):
        collate([plain, masked])
    with pytest.raises(UserError, match="at least one chain"):
        collate([])


def test_plan_is_a_partition_within_budget():
    lengths = torch.randint(5, 200, (500,), generator=torch.Generator().manual_seed(0)).tolist()
    batches = plan_batches(lengths, 1000, seed=1, epoch=2)
    assert sorted(i for batch in batches for i in batch) == list(range(500))
    for batch in batches:
        assert max(lengths[i] for i in batch) * len(batch) <= 1000
    used = sum(lengths)
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
    assert used / padded > 0.8  # buckets of similar lengths waste little
    assert used / (len(batches) * 1000) > 0.7


def test_plan_depends_on_seed_and_epoch_only():
    lengths = list(range(10, 110))
    plan = plan_batches(lengths, 500, seed=1, epoch=0)
    assert plan == plan_batches(lengths, 500, seed=1, epoch=0)
    assert plan != plan_batches(lengths, 500, seed=1, epoch=1)
    assert plan != plan_batches(lengths, 500, seed=2, epoch=0)


def test_plan_without_shuffling_is_sorted():
    lengths = [30, 10, 20, 10]
    assert plan_batches(lengths, 40, shuffle=False) == [[1, 3], [2], [0]]


def test_plan_keeps_examples_over_budget():
    assert sorted(plan_batches([5, 500], 100)) == [[0], [1]]
    assert plan_batches([], 100) == []
    with pytest.raises(UserError, match="max_tokens is 0"):
        plan_batches([1], 0)
