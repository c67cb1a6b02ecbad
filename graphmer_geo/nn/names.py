"""Entity names as ragged lists of tokens, and how much each token says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

#: Multiplies learnable log-scale parameters, so that an optimiser with steps of about the learning rate
#: (Adam) can move them by a useful amount within a few hundred steps.
LOG_GAIN = 5.0


class Names(NamedTuple):
    """C entity names, flat: name c is ``tok[ptr[c]:ptr[c + 1]]``; ``kind`` ``[C]`` is the entity's kind."""

    tok: Tensor
    ptr: Tensor
    kind: Tensor

    def part(self, start: int, stop: int) -> Names:
        """The names ``start`` … ``stop - 1``."""
        first, last = int(self.ptr[start]), int(self.ptr[stop])
        return Names(self.tok[first:last], self.ptr[start : stop + 1] - first, self.kind[start:stop])


class WeightedNames(NamedTuple):
    """Names whose tokens carry salience.

    ``spelled`` ``[T]``: token ids up to spelling; ``share`` ``[T]``: salience of a token divided by that of
    its name; ``total`` ``[C]``: salience of each name; ``ptr`` ``[C + 1]``.
    """

    spelled: Tensor
    share: Tensor
    total: Tensor
    ptr: Tensor


class TokenSalience(nn.Module):
    r"""A learnable weight :math:`s_t = \exp(5 a_t)` per token, and which tokens are spellings of one.

    Two tokens that differ only by leading or trailing white space or by case (``" Foo"``, ``"foo"``) count as
    the same token, once :meth:`set_vocabulary` has told which do. Until then every token is its own, and a
    word.

    Args:
        vocab_size: number of tokens.
    """

    spelling: Tensor
    separator: Tensor
    opens_word: Tensor
    ends_word: Tensor

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.log_salience = nn.Parameter(torch.empty(vocab_size))
        self.register_buffer("spelling", torch.arange(vocab_size))
        for name in ("separator", "opens_word", "ends_word"):
            self.register_buffer(name, torch.zeros(vocab_size, dtype=torch.bool))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Gives all tokens the salience 1."""
        nn.init.zeros_(self.log_salience)

    @torch.no_grad()
    def set_vocabulary(self, tokens: Sequence[bytes]) -> None:
        """Finds by their bytes which tokens are spellings of one, end a name component, or border on words.

        Raises:
            ValueError: if there is not one entry per token id.
        """
        if len(tokens) != self.spelling.numel():
            raise ValueError(
                f"{len(tokens)} tokens for a vocabulary of {self.spelling.numel()}; give one per id"
            )
        first: dict[bytes, int] = {}
        spelling = [first.setdefault(token.strip().lower() or token, i) for i, token in enumerate(tokens)]
        self.spelling.copy_(torch.tensor(spelling))
        self.separator.copy_(torch.tensor([token.rstrip().endswith(b".") for token in tokens]))
        self.opens_word.copy_(torch.tensor([_is_word(token[:1]) for token in tokens]))
        self.ends_word.copy_(torch.tensor([_is_word(token[-1:]) for token in tokens]))

    @torch.no_grad()
    def set_document_frequency(self, names: Names) -> None:
        r"""Sets :math:`s_t = \log(1 + C / (1 + \mathrm{df}_t))`, scaled to a mean of 1 over names.

        Args:
            names: names to count in, each a document; of the training split only.
        """
        vocab_size, count = self.spelling.numel(), names.ptr.numel() - 1
        pair = torch.unique(segment_ids(names.ptr) * vocab_size + self.spelling[names.tok])
        frequency = torch.bincount(pair % vocab_size, minlength=vocab_size)
        salience = torch.log1p(count / (1.0 + frequency))
        self.log_salience.copy_(
            (salience / salience[pair % vocab_size].mean().clamp(min=1e-6)).log() / LOG_GAIN
        )

    def of(self, spelled: Tensor) -> Tensor:
        """Salience of tokens given up to spelling; any shape."""
        return (LOG_GAIN * self.log_salience[spelled]).exp()

    def forward(self, names: Names) -> WeightedNames:
        """Weighs the tokens of names."""
        spelled = self.spelling[names.tok]
        salience = self.of(spelled)
        name = segment_ids(names.ptr)
        total = salience.new_zeros(names.ptr.numel() - 1).index_add(0, name, salience)
        return WeightedNames(spelled, salience / total[name], total, names.ptr)


def _is_word(character: bytes) -> bool:
    """Letters, digits, the underscore, and any byte of a character beyond ASCII."""
    return character == b"_" or character.isalnum() or character >= b"\x80"


def segment_ids(ptr: Tensor) -> Tensor:
    """The segment of each element: ``[0, 2, 2, 3] -> [0, 0, 2]``."""
    return torch.repeat_interleave(torch.arange(ptr.numel() - 1, device=ptr.device), ptr.diff())
