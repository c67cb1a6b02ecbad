from __future__ import annotations

import numpy as np
import pytest
import torch

from graphmer_geo.data import Triple, build_chain, chain_to_triples
from graphmer_geo.data.fake import FAKE_SPECIALS, FakeConfig, fake_chains
from graphmer_geo.errors import UserError
from graphmer_geo.transforms import EvalQueries, MaskNodes

ROOTS = [0, 10, 11, 12, 13, 14, 15, 2]
MANY = FakeConfig(max_triples=24, num_entities=40)
RNG = np.random.default_rng


def only(chain, target):
    """The chain with just the triple of this ordinal as a possible target."""
    chain["triple_target"] = torch.arange(chain["triple_rel"].numel()) == target
    return chain


def kept(chain):
    return [
        (h, r, t)
        for h, r, t in zip(*(chain[f"triple_{k}"].tolist() for k in ("head", "rel", "tail")), strict=True)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_token_form_hides_whole_tails(vocab, seed):
    for chain in fake_chains(20, MANY, seed):
        masked = MaskNodes(vocab, prob=0.5, rank_share=0)(chain, RNG(seed))
        assert masked["rank_index"].numel() == 0
        hidden = set(masked["mnm_index"].tolist())
        owner = dict(zip(masked["leaf_index"].tolist(), masked["leaf_triple"].tolist(), strict=True))
        for triple in set(owner.values()):
            leaves = {leaf for leaf, of in owner.items() if of == triple}
            assert leaves <= hidden or not leaves & hidden
        restored = masked.clone()
        restored["tok"][masked["mnm_index"]] = masked["mnm_label"]
        assert set(chain_to_triples(restored)) <= set(chain_to_triples(chain))


def test_token_form_is_eighty_ten_ten_without_special_ids(vocab):
    fate, special = np.zeros(3), set(FAKE_SPECIALS.values())
    for chain in fake_chains(300, MANY):
        masked = MaskNodes(vocab, prob=0.3, rank_share=0)(chain, RNG(chain.num_nodes))
        now, label = masked["tok"][masked["mnm_index"]], masked["mnm_label"]
        changed = now[now != label]
        assert not (special - {vocab.mask_id}) & set(changed.tolist())
        fate += [
            (now == vocab.mask_id).sum(),
            ((now != vocab.mask_id) & (now != label)).sum(),
            (now == label).sum(),
        ]
    assert np.allclose(fate / fate.sum(), [0.8, 0.1, 0.1], atol=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_rank_form_is_one_mask_whatever_the_tail(vocab, seed):
    """Its length must not be told by the number of masks."""
    for chain in fake_chains(20, MANY, seed):
        masked = MaskNodes(vocab, prob=0.5, rank_share=1)(chain, RNG(seed))
        assert masked["mnm_index"].numel() == 0
        assert (masked["tok"][masked["rank_index"]] == vocab.mask_id).all()
        assert (masked["slot"][masked["rank_index"]] == 0).all()
        lengths = masked["leaf_triple"].bincount(minlength=masked["triple_rel"].numel())
        assert (lengths[masked["rank_triple"]] == 1).all()
        for key in ("rel", "head", "tail", "visible"):
            assert torch.equal(masked[f"rank_{key}"], masked[f"triple_{key}"][masked["rank_triple"]]), key
        assert torch.equal(masked["group"][masked["rank_index"]], masked["rank_triple"])


def test_both_forms_share_the_hidden_tails(vocab):
    rank = token = 0
    for chain in fake_chains(200, MANY):
        masked = MaskNodes(vocab, prob=0.3)(chain, RNG(chain.num_nodes))
        rank += masked["rank_index"].numel()
        token += len(set(masked["group"][masked["mnm_index"]].tolist()))
        assert not set(masked["rank_index"].tolist()) & set(masked["mnm_index"].tolist())
    assert 0.4 < rank / (rank + token) < 0.6


def chain_of(*triples):
    return build_chain(ROOTS, triples)[0]


def hide_first(vocab, *triples):
    """Facts that remain when the tail of the first is hidden in rank form."""
    return kept(MaskNodes(vocab, prob=1, rank_share=1)(only(chain_of(*triples), 0), RNG(0)))


TARGET = Triple(1, 1, 1, (20, 21), head=5, tail=9, tail_parent=30)


@pytest.mark.parametrize(
    "telling",
    [
        Triple(3, 1, 2, (20, 21), head=6, tail=9),  # the same tail on another head
        Triple(1, 1, 3, (20, 21), head=5, tail=9),  # a twin relation
        Triple(3, 1, 4, (22,), head=9, tail=5),  # the inverse, on a mention of the tail
        Triple(3, 2, 2, (20, 21), head=6, tail=77),  # another entity of the same name
        Triple(
            1, 1, 2, (20, 21, 23), head=5, tail=31, tail_parent=9
        ),  # a member of the tail: C.__init__ tells C
        Triple(1, 1, 2, (24,), head=5, tail=30),  # what declares the tail
    ],
)
def test_leaves_that_tell_the_answer_are_dropped(vocab, telling):
    other = Triple(4, 1, 2, (25,), head=6, tail=50)
    assert hide_first(vocab, TARGET, telling, other) == [(5, 1, 9), (6, 2, 50)]
    assert hide_first(vocab, other, TARGET, telling) == [(6, 2, 50), (5, 1, 9), *kept(chain_of(telling))]


def test_context_that_tells_nothing_stays(vocab):
    context = [
        Triple(1, 1, 1, (26,), head=5, tail=51),  # another answer to the same question
        Triple(1, 1, 2, (21, 20), head=5, tail=52),  # the same tokens in another order are another name
        Triple(3, 1, 1, (27,), head=6, tail=5),  # the head as a tail
    ]
    assert len(hide_first(vocab, TARGET, *context)) == 4


def test_unknown_entities_do_not_tell_each_other(vocab):
    assert len(hide_first(vocab, Triple(1, 1, 1, (20,)), Triple(2, 1, 1, (21,)), Triple(3, 1, 2, (20,)))) == 2


@pytest.mark.parametrize("transform", ["nodes", "eval"])
def test_no_answer_can_be_read_from_any_leaf(vocab, transform):
    """Over random chains: no kept leaf spells a hidden tail, and no triple joins its two ends."""
    names = {}
    for chain in fake_chains(100, MANY):
        for (_, _, tail), (_, _, entity) in zip(chain_to_triples(chain), kept(chain), strict=True):
            names[entity] = tail
    make = (
        MaskNodes(vocab, prob=0.5, rank_share=1) if transform == "nodes" else EvalQueries(vocab, per_chain=6)
    )
    checked = 0
    for chain in fake_chains(100, MANY):
        masked = make(chain, RNG(chain.num_nodes))
        hidden = set(masked["rank_triple"].tolist())
        answers = list(zip(masked["rank_head"].tolist(), masked["rank_tail"].tolist(), strict=True))
        for ordinal, ((_, _, tail), (h, _, t)) in enumerate(
            zip(chain_to_triples(masked), kept(masked), strict=True)
        ):
            if ordinal not in hidden:
                for head, answer in answers:
                    assert tail != names[answer]
                    assert {h, t} != {head, answer}
                    checked += 1
    assert checked > 500


def test_non_targets_are_never_hidden(vocab):
    for chain in fake_chains(20, MANY):
        chain["triple_target"] = torch.zeros_like(chain["triple_target"])
        masked = MaskNodes(vocab, prob=1)(chain, RNG(0))
        assert masked["rank_index"].numel() == masked["mnm_index"].numel() == 0
        assert chain_to_triples(masked) == chain_to_triples(chain)


def test_hidden_only(vocab):
    for chain in fake_chains(50, MANY):
        masked = MaskNodes(vocab, prob=1, rank_share=1, hidden_only=True)(chain, RNG(0))
        assert not masked["rank_visible"].any()


def test_share_of_hidden_tails_and_new_draws(vocab):
    """Masks on all tails, or always the same ones, are two of the traps."""
    hidden = total = 0
    for number, chain in enumerate(fake_chains(200, MANY)):
        draws = [
            MaskNodes(vocab, rank_share=1)(chain, RNG((number, epoch)))["rank_triple"].numel()
            for epoch in range(3)
        ]
        hidden, total = hidden + sum(draws), total + 3 * chain["triple_rel"].numel()
    assert 0.10 < hidden / total <= 0.15
    [chain] = fake_chains(1, MANY)
    tails = {tuple(MaskNodes(vocab)(chain, RNG((1, epoch)))["rank_tail"].tolist()) for epoch in range(30)}
    assert len(tails) > 3


def test_roots_and_their_targets_survive(vocab):
    from graphmer_geo.transforms import MaskTokens

    for chain in fake_chains(10, MANY):
        tokens = MaskTokens(vocab)(chain, RNG(1))
        both = MaskNodes(vocab, prob=0.5)(tokens, RNG(2))
        size = int((chain["slot"] == -1).sum())
        assert torch.equal(both["tok"][:size], tokens["tok"][:size])
        assert torch.equal(both["mlm_index"], tokens["mlm_index"])
        assert both.num_nodes == both["tok"].numel()


def test_errors_and_repr(vocab):
    with pytest.raises(UserError, match=r"rank_share is -0\.1"):
        MaskNodes(vocab, rank_share=-0.1)
    assert str(MaskNodes(vocab)) == "MaskNodes(prob=0.15, rank_share=0.5)"
