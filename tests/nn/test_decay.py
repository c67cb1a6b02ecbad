from __future__ import annotations

import pytest
import torch

from graphmer_geo.nn import GraphDecay, decay_log


def test_published_values() -> None:
    # f at p = 1 for shortest paths of the given lengths (authors' code, run).
    expected = {0: 1.000, 1: 0.870, 2: 0.750, 3: 0.651, 10: 0.310, 50: 0.043, 127: 0.005}
    f = decay_log(torch.tensor(list(expected), dtype=torch.double), torch.ones(())).exp()
    torch.testing.assert_close(
        f, torch.tensor(list(expected.values()), dtype=torch.double), atol=6e-4, rtol=0
    )


def test_published_values_of_the_papers_form() -> None:
    expected = {0: 1.084, 1: 1.000, 2: 0.870, 3: 0.750, 10: 0.337, 50: 0.045, 127: 0.005}
    f = decay_log(torch.tensor(list(expected), dtype=torch.double), torch.ones(()), offset=0).exp()
    torch.testing.assert_close(
        f, torch.tensor(list(expected.values()), dtype=torch.double), atol=6e-4, rtol=0
    )


def test_one_p_for_all_heads() -> None:
    decay = GraphDecay(3, per_head=False)
    table = decay(20)
    assert table.shape == (3, 21)
    assert torch.equal(table[0], table[2])
    table.sum().backward()
    assert decay.p.grad.shape == (1,)


def test_table_equals_formula_and_p_learns() -> None:
    decay = GraphDecay(3)
    with torch.no_grad():
        decay.p.copy_(torch.tensor([0.0, 1.0, 2.0]))
    table = decay(20)
    for head in range(3):
        torch.testing.assert_close(table[head], decay_log(torch.arange(21), decay.p[head]))
    table.sum().backward()
    assert (decay.p.grad.abs() > 0).all()


def test_falls_with_distance() -> None:
    assert (decay_log(torch.arange(4, 200), torch.ones(())).diff() < 0).all()


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="decay_lambda"):
        GraphDecay(1, decay_lambda=1.5)
    with pytest.raises(ValueError, match="'other'"):
        GraphDecay(1, mode="other")
    with pytest.raises(ValueError, match="no table"):
        GraphDecay(1, mode="none")(3)
