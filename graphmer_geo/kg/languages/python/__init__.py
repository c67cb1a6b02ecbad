"""Python: files to facts (tree-sitter), and facts of many files to linked references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.languages.base import Linker, Replays

__all__ = ["PYTHON", "PythonLanguage"]


class PythonLanguage:
    """The Python language; see :class:`graphmer_geo.kg.languages.base.Language`."""

    updates = None
    name = "python"
    extensions = (".py", ".pyi")

    @property
    def replays(self) -> Replays:
        """How few files are linked again."""
        from graphmer_geo.kg.resolve.python.replays import PythonReplays

        return PythonReplays()

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

    def share(self, facts: FileFacts) -> object:
        """What it declares and exports; what flows through it, files tell each other."""
        from graphmer_geo.kg.resolve.python import header

        return header(facts)

    def linker(self, shared: Sequence[Any], mine: Mapping[int, FileFacts]) -> Linker:
        """Resolves names across files."""
        from graphmer_geo.kg.resolve.python import PythonLinker

        return PythonLinker(shared, mine)


PYTHON = PythonLanguage()
