"""Linking of Python files: imports, scopes, inheritance and an assignment graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.languages.base import Message
from graphmer_geo.kg.resolve.python.emit import emitter
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.headers import Header, header
from graphmer_geo.kg.resolve.python.history import History, history_of, notes_of
from graphmer_geo.kg.resolve.python.log import Log
from graphmer_geo.kg.resolve.python.portable import Translator, Writer, first_token
from graphmer_geo.kg.resolve.python.split import Split
from graphmer_geo.kg.resolve.python.world import World

__all__ = ["Header", "PythonLinker", "header"]


class PythonLinker:
    """Resolves names across files.

    Args:
        headers: What each file of the corpus shares.
        mine: The facts of those to link.
        notes: Whether to note what they send each other.
    """

    def __init__(
        self, headers: Sequence[Header], mine: Mapping[int, FileFacts], notes: bool = False
    ) -> None:
        self._flow = Flow(World(headers, mine))
        self._log = self._flow.log = Log() if notes else None
        self._split = Split(self._flow) if len(mine) < len(headers) else None
        self._emit: Callable[[int], LinkedFile] | None = None

    def exchange(self, inbox: Sequence[Message]) -> list[Message]:
        """One round with other processes; all rounds, if there are none."""
        if self._split is not None:
            return self._split.exchange(inbox)
        self._flow.solve()
        return []

    def link(self, index: int) -> LinkedFile:
        """What one file refers to."""
        if self._emit is None:
            self._emit = emitter(self._flow)
        return self._emit(index)

    def history(self) -> History:
        """What is noted of the links of these files, when all of them are written."""
        assert self._log is not None
        translator = Translator(self._flow.world)
        writer = Writer(translator, self._flow.objects, first_token)
        return history_of(self._log, writer, notes_of(self._flow, self._log, translator))
