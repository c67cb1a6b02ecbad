from __future__ import annotations

import pytest
import torch

from graphmer_geo.nn import rotary_angles, rotate


def test_products_depend_on_differences_only() -> None:
    q, k = torch.randn(8, dtype=torch.double), torch.randn(8, dtype=torch.double)

    def product(i: int, j: int) -> torch.Tensor:
        return rotate(q, rotary_angles(torch.tensor(i), 8)) @ rotate(k, rotary_angles(torch.tensor(j), 8))

    torch.testing.assert_close(product(3, 7), product(103, 107), atol=1e-5, rtol=1e-5)
    assert not torch.isclose(product(3, 7), product(7, 3))


def test_is_a_rotation() -> None:
    x, angles = torch.randn(5, 6), rotary_angles(torch.arange(5), 6)
    torch.testing.assert_close(rotate(x, angles).norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(rotate(x, angles)[0], x[0])


def test_odd_size_is_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        rotary_angles(torch.arange(3), 5)
