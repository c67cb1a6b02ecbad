"""Linking of Python files: imports, scopes, inheritance and an assignment graph."""

from __future__ import annotations

from collections.abc import Sequence

from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.languages.base import Message
from graphmer_geo.kg.resolve.python.emit import emitter
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.world import World

__all__ = ["PythonLinker"]


class PythonLinker:
    """Resolves names across files, all of which it has."""

    def __init__(self, files: Sequence[FileFacts]) -> None:
        flow = Flow(World(files))
        flow.solve()
        self._emit = emitter(flow)

    def exchange(self, inbox: Sequence[Message]) -> list[Message]:
        """Nothing to say."""
        return []

    def link(self, index: int) -> LinkedFile:
        """What one file refers to."""
        return self._emit(index)
