"""Java for the KG builder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile
from graphmer_geo.kg.languages.java.declarations import Extractor
from graphmer_geo.kg.languages.java.grammar import package_of


class JavaLanguage:
    """Java up to version 17 (sealed types, records, pattern variables) as tree-sitter-java reads it."""

    name = "java"
    extensions = (".java",)

    def module_name(self, path: str, source: bytes) -> str:
        """The package that the file declares; empty for the unnamed package, wherever the file lies."""
        return package_of(source)

    def extract(self, file: SourceFile, source: bytes) -> FileFacts:
        """Reads one file; what cannot be parsed is left out and reported."""
        return Extractor(file, source).run()

    def link(self, files: Sequence[FileFacts]) -> Iterable[LinkedFile]:
        """Binds the names of all files."""
        from graphmer_geo.kg.resolve.java.linker import link_files  # it imports this package's records

        return link_files(files)


JAVA = JavaLanguage()
