"""Linking of Python files: imports, scopes, inheritance and an assignment graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.resolve.python.emit import emitter
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.world import World

__all__ = ["link"]


def link(files: Sequence[FileFacts]) -> Iterator[LinkedFile]:
    """Resolve names across files; one result per file, in the same order."""
    flow = Flow(World(files))
    flow.solve()
    emit = emitter(flow)
    for index in range(len(files)):
        yield emit(index)
