"""Hashes of token sequences, equal on every device and in every process."""

from __future__ import annotations

import torch
from torch import Tensor

from graphmer_geo.nn.names import segment_ids


def mix(tok: Tensor, place: Tensor | int, seed: int = 0) -> Tensor:
    """64-bit hash of tokens at places (multiply and xor-shift, wrapping around); any shape."""
    value = tok * 1_000_003 + place * 7_919 + seed * 104_729
    value = (value ^ (value >> 31)) * 0x7FB5D329728EA185
    value = (value ^ (value >> 27)) * -0x7E25210B43D22BB3
    return value ^ (value >> 33)


def sequence_hash(tok: Tensor, ptr: Tensor, seed: int = 0) -> Tensor:
    """Hash ``[C]`` of each sequence ``tok[ptr[c]:ptr[c + 1]]``: the wrapping sum of its tokens' hashes."""
    owner = segment_ids(ptr)
    place = torch.arange(tok.numel(), device=tok.device) - ptr[owner]
    return tok.new_zeros(ptr.numel() - 1).index_add(0, owner, mix(tok, place, seed))
