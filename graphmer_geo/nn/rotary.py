"""Rotary position embedding (RoFormer, https://arxiv.org/abs/2104.09864) over integer positions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Rotation(NamedTuple):
    """Cosines and sines of the angles, each ``[*, N, dim / 2]``."""

    cos: Tensor
    sin: Tensor


def rotary_angles(position: Tensor, dim: int, base: float = 10_000.0) -> Rotation:
    """Angles ``position * base^(-2k/dim)``.

    Args:
        position: ``[*, N]`` integer positions. In a leafy chain a leaf has the position of its root.
        dim: size of a vector to be rotated, even.
        base: base of the wavelengths.

    Returns:
        Cosines and sines, ``[*, N, dim / 2]`` each, float32.

    Raises:
        ValueError: if ``dim`` is odd.
    """
    if dim % 2:
        raise ValueError(
            f"rotary positions need an even size per head, got {dim}; change hidden_size or num_heads"
        )
    frequency = base ** (-torch.arange(0, dim, 2, device=position.device, dtype=torch.float32) / dim)
    angle = position.unsqueeze(-1).float() * frequency
    return Rotation(angle.cos(), angle.sin())


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Rotates the pairs ``(x[k], x[k + dim/2])``, so that products depend on differences of positions only.

    Args:
        x: ``[*, N, dim]``.
        rotation: of :func:`rotary_angles`, broadcastable to ``x``.

    Returns:
        ``[*, N, dim]`` of the type of ``x``.
    """
    first, second = x.chunk(2, dim=-1)
    cos, sin = rotation.cos.to(x.dtype), rotation.sin.to(x.dtype)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
