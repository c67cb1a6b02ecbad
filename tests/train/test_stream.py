from __future__ import annotations

from itertools import islice

import pytest
import torch
from torch.utils.data import DataLoader

from graphmer_geo.errors import UserError
from graphmer_geo.train.stream import Batch, TokenBudgetStream

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
