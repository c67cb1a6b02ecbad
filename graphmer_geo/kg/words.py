"""Which of some names a text writes."""

from __future__ import annotations

from collections.abc import Set

_FEW = 16  # names that are looked for one by one before a text is split
#: Everything that cannot be in an ASCII name becomes a space.
_SPACED = bytes(c if c < 128 and (chr(c).isalnum() or c in b"_$") else 32 for c in range(256))


def words_of(names: Set[bytes], text: bytes) -> Set[bytes]:
    """Those of some ASCII names that are words of a text."""
    if len(names) <= _FEW and not any(name in text for name in names):
        return frozenset()
    return names & set(text.translate(_SPACED).split())
