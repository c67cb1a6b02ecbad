"""The contract between a language and the rest of the KG builder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile


class Language(Protocol):
    """Everything the builder needs to know about one programming language."""

    name: str  #: the language's name in IRIs and in ``gm:language``
    extensions: tuple[str, ...]  #: file endings, with the dot

    def module_name(self, path: str, source: bytes) -> str:
        """Dotted module (Python) or package (Java) name of the file at a POSIX path relative to its root."""
        ...

    def extract(self, file: SourceFile, source: bytes) -> FileFacts:
        """Parse one file. Pure, total (never raises on bad code) and safe to run in a worker process."""
        ...

    def link(self, files: Sequence[FileFacts]) -> Iterable[LinkedFile]:
        """Resolve names across all files of this language; one result per file, in the same order."""
        ...
