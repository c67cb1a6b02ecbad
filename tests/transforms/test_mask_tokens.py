from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.transforms import Compose

from graphmer_geo.data import TokenTable, build_chain, collate
from graphmer_geo.data.fake import FAKE_SPECIALS, FakeConfig, fake_chains, fake_vocab
from graphmer_geo.errors import UserError
from graphmer_geo.transforms import MaskTokens
from graphmer_geo.transforms.mask_tokens import span_length_distribution

LONG = FakeConfig(roots=(100, 160))


def test_labels_are_the_true_tokens_and_the_rest_is_untouched(vocab):
    for chain in fake_chains(6, seed=1):
        masked = MaskTokens(vocab)(chain, np.random.default_rng(0))
        assert torch.equal(masked["mlm_label"], chain["tok"][masked["mlm_index"]])
        kept = torch.ones(chain.num_nodes, dtype=torch.bool)
        kept[masked["mlm_index"]] = False
        assert torch.equal(masked["tok"][kept], chain["tok"][kept])
        assert torch.equal(masked["edge_index"], chain["edge_index"])


def test_the_original_is_not_changed(vocab):
    [chain] = fake_chains(1)
    before = chain["tok"].clone()
    MaskTokens(vocab)(chain, np.random.default_rng(0))
    assert torch.equal(chain["tok"], before)
    assert "mlm_index" not in chain


def test_special_tokens_and_leaves_are_never_selected_or_drawn(vocab):
    special = set(FAKE_SPECIALS.values())
    rng = np.random.default_rng(0)
    for chain in fake_chains(30, LONG):
        masked = MaskTokens(vocab, mlm_prob=0.5)(chain, rng)
        assert not special & set(masked["mlm_label"].tolist())
        assert (masked["slot"][masked["mlm_index"]] == -1).all()
        drawn = masked["tok"][masked["mlm_index"]]
        changed = drawn[drawn != masked["mlm_label"]]
        assert not (special - {vocab.mask_id}) & set(changed.tolist())


def test_masks_fall_on_names_wherever_the_mask_id_is():
    """A vocabulary whose <mask> is 0 and <pad> 3; ids are read, never assumed."""
    tokens = [b"", b"", b"", b"", b"", *(b"w%d" % n for n in range(20))]
    table = TokenTable.from_bytes(tokens, [0, 1, 2, 3, 4], mask_id=0)
    chain, _ = build_chain([2, *range(5, 25), 1], [])
    masked = MaskTokens(table, mlm_prob=1.0, all_mask=True)(chain, np.random.default_rng(0))
    assert masked["tok"].tolist() == [2, *[0] * 20, 1]


def test_eighty_ten_ten(vocab):
    rng = np.random.default_rng(0)
    fate = np.zeros(3)
    for chain in fake_chains(300, LONG):
        masked = MaskTokens(vocab)(chain, rng)
        now, label = masked["tok"][masked["mlm_index"]], masked["mlm_label"]
        fate += [
            (now == vocab.mask_id).sum(),
            ((now != vocab.mask_id) & (now != label)).sum(),
            (now == label).sum(),
        ]
    assert np.allclose(fate / fate.sum(), [0.8, 0.1, 0.1], atol=0.02)


def test_evaluation_masks_everything(vocab):
    rng = np.random.default_rng(0)
    for chain in fake_chains(20):
        masked = MaskTokens(vocab, all_mask=True)(chain, rng)
        assert (masked["tok"][masked["mlm_index"]] == vocab.mask_id).all()


def test_share_of_selected_roots(vocab):
    rng = np.random.default_rng(0)
    selected = roots = 0
    for chain in fake_chains(200, LONG):
        selected += MaskTokens(vocab)(chain, rng)["mlm_index"].numel()
        roots += int((chain["slot"] == -1).sum()) - 2
    assert 0.15 <= selected / roots < 0.2


def test_span_lengths_are_truncated_geometric():
    expected = [0.253, 0.203, 0.162, 0.130, 0.104, 0.083, 0.066]
    assert span_length_distribution(0.2, 7) == pytest.approx(expected, abs=1e-3)
    assert span_length_distribution(0.2, 7) @ np.arange(1, 8) == pytest.approx(3.14, abs=0.01)


def words_of_five(count):
    """Words of three pieces with a space marker, then two pieces of punctuation."""
    tokens = [b"", b" ab", b"cd", b"ef", b"(", b")"]
    table = TokenTable.from_bytes(tokens, [0], mask_id=0)
    chain, _ = build_chain([1, 2, 3, 4, 5] * count, [])
    return table, chain


def test_whole_words_are_masked():
    """No word is half masked, and no span starts or stops inside one."""
    table, chain = words_of_five(40)
    rng = np.random.default_rng(0)
    for _ in range(50):
        index = set(MaskTokens(table)(chain, rng)["mlm_index"].tolist())
        for word in range(0, 200, 5):
            assert len(index & {word, word + 1, word + 2}) in (0, 3)


def test_spans_know_their_boundaries(vocab):
    """SpanBERT's targets: the roots before and after each span, and the place of each target in it."""
    rng = np.random.default_rng(0)
    for chain in fake_chains(30, LONG):
        masked = MaskTokens(vocab, mlm_prob=0.3)(chain, rng)
        keys = ("mlm_index", "mlm_left_index", "mlm_right_index", "mlm_place")
        spans = {}
        for index, left, right, place in zip(*(masked[key].tolist() for key in keys), strict=True):
            assert index == left + 1 + place
            spans.setdefault((left, right), []).append(index)
        assert len(spans) > 1
        for (left, right), targets in spans.items():
            assert targets == list(range(left + 1, right))
            assert chain["slot"][[left, right]].tolist() == [-1, -1]


def test_boundaries_point_at_the_same_graph_in_a_batch(vocab):
    masked = [MaskTokens(vocab)(chain, np.random.default_rng(0)) for chain in fake_chains(4)]
    batch = collate(masked)
    graph = batch["batch"]
    for key in ("mlm_left_index", "mlm_right_index"):
        assert torch.equal(graph[batch[key]], graph[batch["mlm_index"]])
    assert torch.equal(batch["mlm_place"], torch.cat([chain["mlm_place"] for chain in masked]))


def test_spans_start_at_words_only():
    table, chain = words_of_five(40)
    rng = np.random.default_rng(0)
    for _ in range(50):
        index = MaskTokens(table, mlm_prob=0.05)(chain, rng)["mlm_index"].numpy()
        starts = index[np.diff(index, prepend=-2) > 1]
        assert set(starts % 5) == {0}


def test_every_epoch_draws_other_masks(vocab):
    [chain] = fake_chains(1, LONG)
    transform = MaskTokens(vocab)
    draws = {
        tuple(transform(chain, np.random.default_rng((0, epoch)))["mlm_index"].tolist())
        for epoch in range(10)
    }
    assert len(draws) == 10
    again = transform(chain, np.random.default_rng((0, 0)))
    assert tuple(again["mlm_index"].tolist()) in draws


def test_every_token_is_masked_sooner_or_later(vocab):
    """Masks on delimiters only, or on the same places, teach nothing."""
    [chain] = fake_chains(1, LONG)
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        seen.update(MaskTokens(vocab)(chain, rng)["mlm_index"].tolist())
    words = vocab.word_ids(chain["tok"].numpy()[: int((chain["slot"] == -1).sum())])
    assert set(np.flatnonzero(words >= 0).tolist()) <= seen


def test_works_in_compose_and_prints():
    transform = Compose([MaskTokens(fake_vocab(), seed=3)])
    assert "mlm_index" in transform(fake_chains(1)[0])
    assert str(MaskTokens(fake_vocab())) == "MaskTokens(mlm_prob=0.15, max_span=7)"


def test_edge_cases(vocab):
    chain, _ = build_chain([0, 2], [])
    assert MaskTokens(vocab)(chain, np.random.default_rng(0))["mlm_index"].numel() == 0
    with pytest.raises(UserError, match=r"mlm_prob is 1\.5"):
        MaskTokens(vocab, mlm_prob=1.5)
