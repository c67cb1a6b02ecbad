from __future__ import annotations

import pytest
import torch

from graphmer_geo.nn.dropout import Dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_rate_scale_and_independence(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(999, 257, dtype=dtype))
    assert out.dtype == dtype
    level = round(256 * p) / 256
    assert (out == 0).float().mean().item() == pytest.approx(level, abs=5e-3)
    assert out.max().item() == pytest.approx(1 / (1 - level), rel=1e-2)
    # Eight neighbouring elements come from one random number; their rates must not differ.
    rates = (out.flatten()[: 999 * 256].view(-1, 8) == 0).float().mean(0)
    assert (rates - level).abs().max() < 1e-2


def test_seeded_and_off_in_evaluation() -> None:
    dropout, x = Dropout(0.3), torch.randn(50, 3)
    torch.manual_seed(1)
    first = dropout(x)
    torch.manual_seed(1)
    assert torch.equal(first, dropout(x))
    assert not torch.equal(first, dropout(x))
    assert torch.equal(dropout.eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    with pytest.raises(ValueError, match="p=1"):
        Dropout(1)


def test_gradient_follows_the_mask() -> None:
    x = torch.randn(1000, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    assert torch.equal(x.grad == 0, out == 0)
