"""Python: files to facts (tree-sitter), and facts of many files to linked references."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile

__all__ = ["PYTHON", "PythonLanguage"]


class PythonLanguage:
    """The Python language; see :class:`graphmer_geo.kg.languages.base.Language`."""

    name = "python"
    extensions = (".py", ".pyi")

    def module_name(self, path: str, source: bytes) -> str:
        """``a/b.py`` is ``a.b``, ``a/__init__.py`` is ``a``; an ``__init__`` at the root keeps that name."""
        del source
        parts = path.split("/")
        parts[-1] = parts[-1].rpartition(".")[0] or parts[-1]
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)

    def extract(self, file: SourceFile, source: bytes) -> FileFacts:
        """Parse one file. Never raises on bad code."""
        from graphmer_geo.kg.languages.python.extract import extract

        return extract(file, source)

    def link(self, files: Sequence[FileFacts]) -> Iterable[LinkedFile]:
        """Resolve names across all files."""
        from graphmer_geo.kg.resolve.python import link

        return link(files)


PYTHON = PythonLanguage()
