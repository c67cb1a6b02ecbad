from __future__ import annotations

from itertools import islice

import pytest
import torch
from torch.utils.data import DataLoader

from graphmer_geo.errors import UserError
from graphmer_geo.train.stream import LANES, Batch, TokenBudgetStream

from .fakes import FakeSource, fake_sampler, fake_stream


def same(a: Batch, b: Batch) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_every_chain_is_seen_once_per_epoch() -> None:
    stream = fake_stream()
    for epoch in range(3):
        assert sorted(i for batch in stream.plan(epoch) for i in batch) == list(range(7))
    assert [stream.plan(e) for e in range(3)] != [stream.plan(0)] * 3


def test_batches_are_found_across_ragged_epochs() -> None:
    stream = fake_stream()
    order = [(e, i) for e in range(4) for i in range(len(fake_stream().plan(e)))]
    assert [stream.locate(k) for k in range(len(order))] == order
    assert fake_stream().locate(len(order) - 1) == order[-1]  # also without having passed the others


def test_a_sought_stream_continues_where_another_stopped() -> None:
    whole = list(islice(fake_stream(), 11))
    sought = fake_stream()
    sought.start = 4
    assert all(same(a, b) for a, b in zip(islice(sought, 7), whole[4:], strict=True))


def test_masks_are_redrawn_each_epoch() -> None:
    stream = fake_stream()
    first, second = stream.batch(0), stream.batch(len(stream.plan(0)))
    assert not same(first, second)


def test_workers_deliver_the_same_batches_in_order() -> None:
    loader = DataLoader(fake_stream(), batch_size=None, num_workers=2)
    assert all(same(a, b) for a, b in zip(islice(loader, 6), fake_stream(), strict=False))


def test_processes_share_the_batches() -> None:
    whole = list(islice(fake_stream(), 8))
    for rank in range(2):
        part = TokenBudgetStream(FakeSource(), 130, 0, fake_sampler(), rank=rank, world=2)
        assert all(same(a, b) for a, b in zip(islice(part, 4), whole[rank::2], strict=True))


def test_the_seed_decides() -> None:
    assert same(fake_stream(3).batch(2), fake_stream(3).batch(2))
    assert not same(fake_stream(3).batch(2), fake_stream(4).batch(2))


def test_no_data_is_an_error() -> None:
    with pytest.raises(UserError, match="no chunks"):
        TokenBudgetStream(FakeSource(0), 130, 0, lambda batch, rng: batch)


def test_candidates_are_in_every_batch() -> None:
    batch = fake_stream().batch(0)
    assert torch.equal(batch["cand"][batch["rank_target"]], batch["rank_tail"])
    assert torch.isfinite(batch["cand_log_q"]).all()


@pytest.mark.parametrize(("size", "shards"), [(23, 3), (23, 9), (40, 20)])
def test_every_chain_of_every_shard_is_seen_once_per_epoch(size: int, shards: int) -> None:
    """Turns of different epochs overlap, batches of one turn stay with it."""
    stream = fake_stream(size=size, shards=shards)
    seen: dict[int, list[int]] = {}
    batch = 0
    while len(seen) < 3 * shards or batch < 300:
        turn, position = stream.locate(batch)
        seen.setdefault(turn, []).extend(stream.plan(turn)[position])
        batch += 1
    complete = 0
    while sorted(seen.get(complete, [-1])) == list(stream.dataset.shards[stream.place(complete)[1]]):
        complete += 1
    assert complete >= shards
    for epoch in range(complete // shards):
        chains = [i for turn in range(epoch * shards, (epoch + 1) * shards) for i in seen[turn]]
        assert sorted(chains) == list(range(size))
        assert {stream.place(turn)[0] for turn in range(epoch * shards, (epoch + 1) * shards)} == {epoch}
    again = fake_stream(size=size, shards=shards)
    orders = [[s.place(turn)[1] for turn in range(4 * shards)] for s in (stream, again)]
    assert orders[0] == orders[1]
    assert orders[0][:shards] != orders[0][shards : 2 * shards]


def test_shards_of_different_sizes_keep_no_lane_waiting() -> None:
    """Every turn comes, at most an epoch or so before or after its neighbours."""
    stream = fake_stream(size=31, shards=10)
    turns = [stream.locate(batch)[0] for batch in range(200)]
    assert set(range(max(turns) - 3 * LANES)) <= set(turns)


def test_a_stream_of_shards_continues_where_another_stopped() -> None:
    whole = list(islice(fake_stream(size=23, shards=9), 60))
    for start in (1, 44):
        sought = fake_stream(size=23, shards=9)
        sought.start = start
        assert all(same(a, b) for a, b in zip(islice(sought, 12), whole[start:], strict=False))
        loader = DataLoader(sought, batch_size=None, num_workers=2)
        assert all(same(a, b) for a, b in zip(islice(loader, 6), whole[start:], strict=False))
    back = fake_stream(size=23, shards=9)
    assert all(same(back.batch(k), whole[k]) for k in (59, 3, 30, 2))


def test_processes_and_workers_share_the_batches_of_shards() -> None:
    whole = list(islice(fake_stream(size=23, shards=9), 24))
    for rank in range(2):
        part = TokenBudgetStream(FakeSource(23, 9), 130, 0, fake_sampler(), rank=rank, world=2)
        loader = DataLoader(part, batch_size=None, num_workers=2)
        assert all(same(a, b) for a, b in zip(islice(loader, 12), whole[rank::2], strict=True))


def test_few_shards_are_open() -> None:
    """No more than there are lanes; a reader of every eighth batch has one."""
    for world, most in ((1, LANES), (2, LANES // 2), (LANES, 1), (3, LANES)):
        source = FakeSource(60, 20)
        stream = TokenBudgetStream(source, 130, 0, fake_sampler(), rank=world - 1, world=world)
        for _ in islice(stream, 40):
            assert 1 <= len(source.open) <= most


def test_shards_without_chains_are_passed_over() -> None:
    source = FakeSource(9, 9)
    source.shards = [range(0, 0), range(0, 4), range(4, 4), range(4, 9)]
    stream = TokenBudgetStream(source, 130, 0, fake_sampler())
    first = [i for k in range(200) if (at := stream.locate(k))[0] < 4 for i in stream.plan(at[0])[at[1]]]
    assert sorted(first) == list(range(9))
