"""GraphDecayAttention in a plain transformer encoder: masked characters of Python source.

The same small model is trained twice: with attention that decays with distance, and without. Neither has
positions: what the first knows of where a character stands it knows from the decay.

Run: python examples/decay_in_a_transformer.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from graphmer_geo.nn import GraphAttentionBias, GraphDecayAttention

LENGTH, WIDTH, HEADS = 64, 64, 4
MASK, VOCABULARY = 128, 129  # ASCII and the mask


class Block(nn.Module):
    """A pre-LN transformer block; only its attention is ours."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = GraphDecayAttention(WIDTH, HEADS)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.ffn = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x: Tensor, bias) -> Tensor:
        x = x + self.attention(self.norms[0](x), bias)
        return x + self.ffn(self.norms[1](x))


class Transformer(nn.Module):
    """Characters in, logits out. A text is a chain of roots without leaves."""

    def __init__(self, decay: str) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.bias = GraphAttentionBias(HEADS, decay=decay, decay_lambda=0.05)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.out = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, text: Tensor) -> Tensor:
        place = torch.arange(text.size(1)).expand_as(text)
        no_leaf = torch.full_like(text, -1)
        bias = self.bias(place, no_leaf, no_leaf, torch.ones_like(text, dtype=torch.bool))
        x = self.embed(text)
        for block in self.blocks:
            x = block(x, bias)
        return self.out(x)


def windows(text: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Random windows [count, LENGTH], and which of their characters are masked."""
    start = torch.randint(len(text) - LENGTH, (count, 1))
    return text[start + torch.arange(LENGTH)], torch.rand(count, LENGTH) < 0.15


def train(decay: str, text: Tensor, steps: int) -> tuple[float, list[float]]:
    """Accuracy on masked characters of the last tenth of the text, and the learned p of the heads."""
    torch.manual_seed(0)
    model = Transformer(decay)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    border = len(text) * 9 // 10
    for _ in range(steps):
        part, hidden = windows(text[:border], 16)
        logits = model(part.masked_fill(hidden, MASK))[hidden]
        loss = nn.functional.cross_entropy(logits, part[hidden])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        part, hidden = windows(text[border:], 200)
        found = model(part.masked_fill(hidden, MASK))[hidden].argmax(dim=-1)
    learned = [] if model.bias.decay.p is None else model.bias.decay.p.tolist()
    return (found == part[hidden]).float().mean().item(), learned


def main(file: str | Path, steps: int = 100) -> tuple[float, float]:
    """Return the accuracies with and without decay."""
    text = torch.tensor(list(Path(file).read_bytes())).clamp(max=127)
    with_decay, learned = train("additive", text, steps)
    without, _ = train("none", text, steps)
    print("learned p of the heads:", ", ".join(f"{p:.2f}" for p in learned))
    print(f"accuracy with decay {with_decay:.2f}, without {without:.2f}")
    return with_decay, without


if __name__ == "__main__":
    import argparse

    main(sys.argv[1] if len(sys.argv) > 1 else argparse.__file__)
