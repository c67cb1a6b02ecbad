from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import gelu

from graphmer_geo.nn import (
    GraphAttentionBias,
    GraphDecayAttention,
    leafy_chain_distance,
    rotary_angles,
    rotate,
)

# Two graphs: four roots with tails of two and one leaves on roots 1 and 2 (head tokens 1 and 2), and two
# roots with a leaf. The second is padded.
ROOT = torch.tensor([[0, 1, 2, 3, 1, 1, 2], [0, 1, 0, -1, -1, -1, -1]])
GROUP = torch.tensor([[-1, -1, -1, -1, 0, 0, 1], [-1, -1, 0, -1, -1, -1, -1]])
SLOT = torch.tensor([[-1, -1, -1, -1, 0, 1, 0], [-1, -1, 0, -1, -1, -1, -1]])
MASK = torch.tensor([[True] * 7, [True] * 3 + [False] * 4])
EDGES = torch.tensor([[1, 2, 1, 2, 2, 7], [4, 4, 5, 5, 6, 9]])
RELATION = torch.tensor([1, 1, 1, 1, 2, 3])
HEADS = 3


def make_bias(decay: str, relation: bool = True, **options: object) -> GraphAttentionBias:
    torch.manual_seed(0)
    module = GraphAttentionBias(HEADS, 4 if relation else None, decay, **options)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    return module


def slow_bias(module: GraphAttentionBias) -> tuple[Tensor, Tensor]:
    """Bias and factor, one pair of nodes at a time."""
    bias, factor = torch.zeros(HEADS, 2, 7, 7), torch.ones(HEADS, 2, 7, 7)
    distance = leafy_chain_distance(ROOT, GROUP, SLOT, module.leaf_edges)
    relation_of = {tuple(edge): r for edge, r in zip(EDGES.t().tolist(), RELATION.tolist(), strict=True)}
    for k in range(HEADS):
        for b in range(2):
            for i in range(7):
                for j in range(7):
                    if not MASK[b, j]:
                        bias[k, b, i, j] = -math.inf
                        continue
                    if not MASK[b, i]:
                        continue
                    if module.decay.p is not None:
                        p = module.decay.p.expand(HEADS)[k]
                        log_f = gelu((distance[b, i, j] + module.decay.offset).sqrt() - p) * math.log(0.6)
                        if module.decay.mode == "additive":
                            bias[k, b, i, j] += log_f
                        else:
                            factor[k, b, i, j] = log_f.exp()
                    for direction, pair in enumerate([(j, i), (i, j)]):  # leaf asks, head asks
                        edge = (pair[0] + 7 * b, pair[1] + 7 * b)
                        if module.relation is not None and edge in relation_of:
                            bias[k, b, i, j] += module.relation.weight[direction, k, relation_of[edge]]
    return bias, factor


@pytest.mark.parametrize("relation", [True, False])
@pytest.mark.parametrize("decay", ["additive", "multiplicative", "none"])
def test_bias_equals_pair_by_pair(decay: str, relation: bool) -> None:
    module = make_bias(decay, relation)
    bias, factor = module(ROOT, GROUP, SLOT, MASK, EDGES, RELATION)
    expected_bias, expected_factor = slow_bias(module)
    rows = MASK.expand(HEADS, 2, 7)  # rows of padding are arbitrary
    torch.testing.assert_close(bias[rows], expected_bias[rows])
    if decay == "multiplicative":
        torch.testing.assert_close(
            (factor * MASK[:, None, :])[rows], (expected_factor * MASK[:, None, :])[rows]
        )
    else:
        assert factor is None


@pytest.mark.parametrize("leaf_edges", ["star", "path"])
@pytest.mark.parametrize("per_head", [True, False])
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("decay", ["additive", "multiplicative"])
def test_switches_of_the_decay_equal_the_formula(
    decay: str, offset: int, per_head: bool, leaf_edges: str
) -> None:
    module = make_bias(decay, leaf_edges=leaf_edges, decay_offset=offset, decay_per_head=per_head)
    assert module.decay.p.numel() == (HEADS if per_head else 1)
    found = module(ROOT, GROUP, SLOT, MASK, EDGES, RELATION)
    pairs = (MASK[:, :, None] & MASK[:, None, :]).expand(HEADS, 2, 7, 7)
    for part, expected in zip(found, slow_bias(module), strict=True):
        if part is not None:
            torch.testing.assert_close(part[pairs], expected[pairs])


@pytest.mark.parametrize("decay", ["additive", "multiplicative"])
def test_gradients_of_bias_equal_pair_by_pair(decay: str) -> None:
    module = make_bias(decay)
    torch.manual_seed(1)
    weight = torch.randn(HEADS, 2, 7, 7) * MASK[:, None, :] * MASK[:, :, None]
    grads = []
    for bias, factor in (module(ROOT, GROUP, SLOT, MASK, EDGES, RELATION), slow_bias(module)):
        total = (bias.masked_fill(bias.isinf(), 0) * weight).sum()
        total = total if factor is None else total + (factor * weight.flip(0)).sum()
        grads.append(torch.autograd.grad(total, list(module.parameters())))
    for found, expected in zip(*grads, strict=True):
        torch.testing.assert_close(found, expected)


def literal_attention(module: GraphDecayAttention, x: Tensor, bias: Tensor, factor: Tensor) -> Tensor:
    outputs = []
    size = x.size(-1) // HEADS
    q, k, v = module.qkv(x).chunk(3, dim=-1)
    angles = rotary_angles(ROOT[:1], size)
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        scores = (
            rotate(q[..., part], angles) @ rotate(k[..., part], angles).transpose(-1, -2) / math.sqrt(size)
        )
        outputs.append((scores * factor[head] + bias[head]).softmax(-1) @ v[..., part])
    return module.out(torch.cat(outputs, dim=-1))


@pytest.mark.parametrize("decay", ["additive", "multiplicative", "none"])
def test_attention_equals_head_by_head(decay: str) -> None:
    module, attention, x = make_bias(decay), GraphDecayAttention(12, HEADS), torch.randn(2, 7, 12)
    out = attention(x, module(ROOT, GROUP, SLOT, MASK, EDGES, RELATION), rotary_angles(ROOT, 4))
    expected_bias, expected_factor = slow_bias(module)
    expected = literal_attention(attention, x[:1], expected_bias[:, :1], expected_factor[:, :1])
    torch.testing.assert_close(out[:1], expected, atol=1e-5, rtol=1e-5)


def test_additive_decay_is_weights_times_f_renormalised() -> None:
    module, x = make_bias("additive", relation=False), torch.randn(HEADS, 2, 7, 7)
    bias, _ = module(ROOT, GROUP, SLOT, MASK)
    plain = (x.masked_fill(~MASK[:, None, :], -math.inf)).softmax(-1) * bias.exp()
    rows = MASK.expand(HEADS, 2, 7)
    torch.testing.assert_close((x + bias).softmax(-1)[rows], (plain / plain.sum(-1, keepdim=True))[rows])


def test_padding_is_minus_infinity_not_zero() -> None:
    # A score multiplied by 0 before the softmax attends to everything; a padded key must get exactly no
    # weight.
    attention, x = GraphDecayAttention(12, HEADS), torch.randn(2, 7, 12)
    changed = torch.where(MASK[..., None], x, torch.randn(2, 7, 12))
    for decay in ("additive", "multiplicative", "none"):
        bias = make_bias(decay)(ROOT, GROUP, SLOT, MASK, EDGES, RELATION)
        torch.testing.assert_close(attention(x, bias)[MASK], attention(changed, bias)[MASK], atol=0, rtol=0)


def test_without_bias_equals_torch() -> None:
    attention, x = GraphDecayAttention(12, HEADS), torch.randn(2, 7, 12)
    reference = torch.nn.MultiheadAttention(12, HEADS, batch_first=True)
    reference.load_state_dict(
        {
            "in_proj_weight": attention.qkv.weight,
            "in_proj_bias": attention.qkv.bias,
            "out_proj.weight": attention.out.weight,
            "out_proj.bias": attention.out.bias,
        }
    )
    torch.testing.assert_close(attention(x), reference(x, x, x)[0], atol=1e-5, rtol=1e-5)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="divisible"):
        GraphDecayAttention(10, 3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda_equals_cpu() -> None:
    module, attention, x = make_bias("additive"), GraphDecayAttention(12, HEADS), torch.randn(2, 7, 12)
    here = attention(x, module(ROOT, GROUP, SLOT, MASK, EDGES, RELATION), rotary_angles(ROOT, 4))
    arguments = (part.cuda() for part in (ROOT, GROUP, SLOT, MASK, EDGES, RELATION))
    there = attention.cuda()(x.cuda(), module.cuda()(*arguments), rotary_angles(ROOT.cuda(), 4))
    torch.testing.assert_close(there.cpu()[MASK], here[MASK], atol=1e-4, rtol=1e-4)
