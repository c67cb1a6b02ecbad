"""Text whose characters may take more than one byte, by byte offsets."""

from __future__ import annotations


class WideText:
    """Text of a file that is not ASCII; a slice takes and gives what a slice of ASCII text does."""

    def __init__(self, source: bytes, encoding: str) -> None:
        self.source, self.encoding = source, encoding

    def __getitem__(self, span: slice) -> str:
        return self.source[span].decode(self.encoding, "replace")
