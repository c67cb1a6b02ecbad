"""A byte-level BPE tokenizer for source code whose offsets are exact bytes.

Names are cut so that a name is spelled with the same tokens wherever it stands: white space and punctuation
never join the word that follows, and ``getFirstName`` and ``get_first_name`` share the pieces
``first``/``First`` and ``name``/``Name``. A leaf and its mention in the text therefore share tokens, which a
model can see before it has learnt anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from graphmer_geo.data.token_table import TokenTable
from graphmer_geo.errors import UserError

#: Read back by name, never by an assumed id.
SPECIALS = ("<pad>", "<unk>", "<mask>", "<cls>", "<sep>")

#: In order: line breaks with the indentation that follows; ``__init__`` and its like; a lower-case word with
#: the space before another word (keywords and prose); camel-case pieces, capitals, numbers, other letters;
#: underscores; punctuation with a space on either side; any other white space.
PIECES = (
    r"[\r\n]+[ \t]*"
    r"|__[a-z]+__"
    r"|[a-z]+ (?=[\p{L}_])"
    r"|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]|\p{N}{1,3}|\p{L}+"
    r"|_+"
    r"| ?[^\s\p{L}\p{N}_]+ ?"
    r"|\s+"
)


@dataclass(frozen=True)
class Encoding:
    """Tokens of a piece of source and the bytes each covers (0-based, end exclusive); each ``[n]``."""

    tok: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CodeTokenizer:
    """Wraps a byte-level ``tokenizers.Tokenizer``.

    Raises:
        UserError: A special token is missing, or the tokenizer is not byte-level.
    """

    tokenizer: Tokenizer
    special: dict[str, int] = field(init=False)  # name -> id

    def __post_init__(self) -> None:
        special = {name: self.tokenizer.token_to_id(name) for name in SPECIALS}
        if missing := sorted(name for name, index in special.items() if index is None):
            raise UserError(
                f"the tokenizer lacks {', '.join(missing)}; train one with `graphmer data prepare`"
            )
        # "<mask>" written in somebody's source is text, not the special token.
        self.tokenizer.encode_special_tokens = True
        object.__setattr__(self, "special", special)

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int = 8192) -> Self:
        """Train on texts. The same texts in the same order give the same tokenizer."""
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        least = len(alphabet) + len(SPECIALS)
        if vocab_size < least:
            raise UserError(f"vocab_size is {vocab_size}; byte-level BPE needs at least {least}")
        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(PIECES), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=2,
            special_tokens=list(SPECIALS),
            initial_alphabet=alphabet,
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read ``tokenizer.json``."""
        if not Path(path).is_file():
            raise UserError(f"no tokenizer at {path}; make one with `graphmer data prepare`")
        return cls(Tokenizer.from_file(str(path)))

    def save(self, path: str | Path) -> None:
        """Write ``tokenizer.json``."""
        self.tokenizer.save(str(path))

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size(with_added_tokens=True))

    @property
    def pad_id(self) -> int:
        """Id of ``<pad>``."""
        return self.special["<pad>"]

    @property
    def mask_id(self) -> int:
        """Id of ``<mask>``."""
        return self.special["<mask>"]

    @property
    def cls_id(self) -> int:
        """Id of ``<cls>``."""
        return self.special["<cls>"]

    @property
    def sep_id(self) -> int:
        """Id of ``<sep>``."""
        return self.special["<sep>"]

    @cached_property
    def token_bytes(self) -> list[bytes]:
        """What each token stands for; special tokens stand for nothing."""
        to_byte = _byte_alphabet()
        special = set(self.special.values())
        result = []
        for index in range(len(self)):
            token = "" if index in special else self.tokenizer.id_to_token(index) or ""
            if not all(character in to_byte for character in token):
                raise UserError(f"token {token!r} is not byte-level; use a byte-level BPE tokenizer")
            result.append(bytes(to_byte[character] for character in token))
        return result

    @cached_property
    def table(self) -> TokenTable:
        """What masking needs to know."""
        return TokenTable.from_bytes(self.token_bytes, sorted(self.special.values()), self.mask_id)

    @cached_property
    def _num_bytes(self) -> NDArray[np.int64]:
        return np.array([len(token) for token in self.token_bytes])

    def encode(self, source: bytes, start: int = 0, end: int | None = None) -> Encoding:
        """Tokens of ``source[start:end]`` with byte spans in ``source``.

        Valid UTF-8 is read as such, anything else byte by byte (Latin-1), so offsets hold for every file. No
        special tokens are added.
        """
        piece = source[start:end]
        text = decode(piece)
        tok = np.array(self.tokenizer.encode(text, add_special_tokens=False).ids, np.int64)
        ends = np.cumsum(self._num_bytes[tok])
        starts = ends - self._num_bytes[tok]
        if (
            utf8 := text.encode("utf-8")
        ) != piece:  # Latin-1: a character of two UTF-8 bytes is one byte of source
            leading = (np.frombuffer(utf8, np.uint8) & 0xC0) != 0x80
            before = np.concatenate([[0], np.cumsum(leading)])
            starts, ends = before[starts] - ~_at(leading, starts), before[ends]
        return Encoding(tok, starts + start, ends + start)

    def encode_label(self, label: str) -> list[int]:
        """Tokens of an entity's label."""
        return list(self.tokenizer.encode(label, add_special_tokens=False).ids)

    def decode(self, tok: Iterable[int]) -> str:
        """The text of tokens; special tokens vanish."""
        return b"".join(self.token_bytes[index] for index in tok).decode("utf-8", errors="replace")


def decode(piece: bytes) -> str:
    """UTF-8 if it is valid, else Latin-1 (in which every byte is one character)."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return piece.decode("latin-1")


def _at(flags: NDArray[np.bool_], positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """``flags[positions]``, true past the end."""
    return np.append(flags, True)[positions]


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's map from printable characters to bytes: printable ones stand for themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = {chr(byte): byte for byte in printable}
    return characters | {chr(256 + n): byte for n, byte in enumerate(others)}
