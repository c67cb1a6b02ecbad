"""Java for the KG builder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.languages.base import Linker
from graphmer_geo.kg.languages.java.declarations import Extractor
from graphmer_geo.kg.languages.java.grammar import package_of
from graphmer_geo.kg.resolve.java.updates import HeaderUpdates


class JavaLanguage:
    """Java up to version 17 (sealed types, records, pattern variables) as tree-sitter-java reads it."""

    updates = HeaderUpdates()
    replays = None
    name = "java"
    extensions = (".java",)

    def module_name(self, path: str, source: bytes) -> str:
        """The package that the file declares; empty for the unnamed package, wherever the file lies."""
        return package_of(source)

    def extract(self, file: SourceFile, source: bytes) -> FileFacts:
        """Reads one file; what cannot be parsed is left out and reported."""
        return Extractor(file, source).run()

    def share(self, facts: FileFacts) -> object:
        """What a file declares, without code and places."""
        from graphmer_geo.kg.resolve.java.headers import header_of  # it imports this package's records

        return header_of(facts)

    def linker(self, shared: Sequence[Any], mine: Mapping[int, FileFacts]) -> Linker:
        """Binds the names of some files."""
        from graphmer_geo.kg.resolve.java.linker import JavaLinker

        return JavaLinker(shared, mine)


JAVA = JavaLanguage()
