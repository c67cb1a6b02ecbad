from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphmer_geo.nn import OutputTransform, SpanBoundaryHead


def literal(transform: OutputTransform, x: Tensor) -> Tensor:
    y = F.gelu(x @ transform.linear.weight.t() + transform.linear.bias)
    y = (y - y.mean(-1, keepdim=True)) / (y.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    return y * transform.norm.weight + transform.norm.bias


def test_equals_the_formula_target_by_target() -> None:
    head = SpanBoundaryHead(8, 20, max_span=3)
    nn.init.normal_(head.first.norm.bias)
    left, right, place = torch.randn(4, 8), torch.randn(4, 8), torch.tensor([0, 1, 2, 9])
    out = head(left, right, place)
    for k in range(4):
        joined = torch.cat((left[k], right[k], head.place.weight[min(int(place[k]), 2)]))
        z = literal(head.second, literal(head.first, joined))
        expected = z @ head.decoder.weight.t() + head.decoder.bias
        torch.testing.assert_close(out[k], expected, atol=1e-5, rtol=1e-5)


def test_the_place_in_the_span_and_both_sides_count() -> None:
    head = SpanBoundaryHead(8, 20)
    nn.init.normal_(head.place.weight)
    left, right = torch.randn(1, 8), torch.randn(1, 8)
    out = head(left, right, torch.tensor([0]))
    assert not torch.allclose(out, head(left, right, torch.tensor([1])))
    assert not torch.allclose(out, head(right, left, torch.tensor([0])))


def test_every_parameter_learns() -> None:
    head = SpanBoundaryHead(8, 20, max_span=3)
    logits = head(torch.randn(5, 8), torch.randn(5, 8), torch.tensor([0, 1, 2, 0, 1]))
    F.cross_entropy(logits, torch.arange(5)).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
