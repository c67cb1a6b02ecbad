from __future__ import annotations

import numpy as np
import pytest
import torch

from graphmer_geo.data.fake import FakeConfig, fake_chains
from graphmer_geo.errors import UserError
from graphmer_geo.transforms import EvalQueries

MANY = FakeConfig(max_triples=24)


def test_queries_are_masks_and_no_root_is_touched(vocab):
    for chain in fake_chains(30, MANY):
        query = EvalQueries(vocab, per_chain=4)(chain, np.random.default_rng(0))
        assert query["rank_index"].numel() <= 4
        assert (query["tok"][query["rank_index"]] == vocab.mask_id).all()
        roots = int((chain["slot"] == -1).sum())
        assert torch.equal(query["tok"][:roots], chain["tok"][:roots])
        assert "mnm_index" not in query


def test_as_many_as_asked_for_where_there_are_enough(vocab):
    chain = max(fake_chains(30, MANY), key=lambda c: c["triple_rel"].numel())
    sizes = [
        EvalQueries(vocab, per_chain=k)(chain, np.random.default_rng(0))["rank_index"].numel()
        for k in (1, 2, 4)
    ]
    assert sizes == [1, 2, 4]


def test_visible_tails_stay_apart_from_hidden_ones(vocab):
    for chain in fake_chains(30, MANY):
        query = EvalQueries(vocab)(chain, np.random.default_rng(0))
        assert torch.equal(query["rank_visible"], query["triple_visible"][query["rank_triple"]])


def test_chains_without_targets_have_empty_queries(vocab):
    chain = fake_chains(4)[-1]
    assert chain["triple_rel"].numel() == 0
    assert EvalQueries(vocab)(chain)["rank_index"].shape == (0,)


def test_errors_and_repr(vocab):
    with pytest.raises(UserError, match="per_chain is 0"):
        EvalQueries(vocab, per_chain=0)
    assert str(EvalQueries(vocab, 3)) == "EvalQueries(per_chain=3)"
