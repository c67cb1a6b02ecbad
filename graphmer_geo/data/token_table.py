"""What masking needs to know about a vocabulary, as arrays indexed by token id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Per token id: is it special, and how does it border on its neighbours.

    Where a word starts is decided by the characters, not by a marker: ``Ġ`` (a space before the token)
    *starts* a word while WordPiece's ``##`` *continues* one, and in code most words start after punctuation
    and carry neither.
    """

    special: NDArray[np.bool_]  # [V] never masked, never drawn
    gap_before: NDArray[np.bool_]  # [V] begins with white space
    opens_word: NDArray[np.bool_]  # [V] first character that is not white space belongs to a word
    ends_word: NDArray[np.bool_]  # [V] last character belongs to a word
    ordinary: NDArray[np.int64]  # ids that a random replacement may take
    mask_id: int

    @classmethod
    def from_bytes(cls, tokens: Sequence[bytes], special: Sequence[int], mask_id: int) -> Self:
        """From the bytes of every token and the ids of the special ones."""
        is_special = np.zeros(len(tokens), np.bool_)
        is_special[list(special)] = True
        stripped = [token.lstrip(b" \t\r\n\f\v") for token in tokens]
        plain = ~is_special
        return cls(
            special=is_special,
            gap_before=np.array([len(a) != len(b) for a, b in zip(tokens, stripped, strict=True)]) & plain,
            opens_word=np.array([bool(b) and is_word_byte(b[0]) for b in stripped]) & plain,
            ends_word=np.array([bool(b) and is_word_byte(b[-1]) for b in tokens]) & plain,
            ordinary=np.flatnonzero(plain),
            mask_id=mask_id,
        )

    def __len__(self) -> int:
        return len(self.special)

    def word_ids(self, tok: NDArray[np.int64]) -> NDArray[np.int64]:
        """Ordinal of the word that each token belongs to, -1 where it belongs to none; shape as ``tok``.

        An identifier or number is one word however many tokens it takes; punctuation, white space and special
        tokens belong to none.
        """
        opens, joined = self.opens_word[tok], np.zeros(len(tok), np.bool_)
        joined[1:] = self.ends_word[tok[:-1]] & ~self.gap_before[tok[1:]]
        return np.where(opens, np.cumsum(opens & ~joined) - 1, -1)


def is_word_byte(byte: int) -> bool:
    """Letters, digits, underscore, and every byte of a non-ASCII character."""
    return byte >= 0x80 or byte == 0x5F or chr(byte).isalnum()
