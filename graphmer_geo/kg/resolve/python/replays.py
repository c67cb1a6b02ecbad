"""How a graph's builder has Python files linked again; see :mod:`replay`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.languages.base import NotingLinker
from graphmer_geo.kg.resolve.python import PythonLinker
from graphmer_geo.kg.resolve.python.corpus import Corpus, TooFar
from graphmer_geo.kg.resolve.python.history import History, merged
from graphmer_geo.kg.resolve.python.replay import replay
from graphmer_geo.kg.resolve.python.texts import header_text

log = logging.getLogger(__name__)


class PythonReplays:
    """See :class:`graphmer_geo.kg.languages.base.Replays`."""

    def header(self, shared: Any) -> str:
        """What a file shares, as text."""
        return header_text(shared)

    def linker(self, shared: Sequence[Any], mine: Mapping[int, FileFacts]) -> NotingLinker:
        """A linker that notes what files send each other."""
        return PythonLinker(shared, mine, notes=True)

    def merged(self, parts: Sequence[Any]) -> History:
        """What all processes have noted."""
        return merged(parts)

    def load(self, folder: Path) -> History | None:
        """What was noted, if it can be read."""
        return History.load(folder)

    def replay(
        self,
        history: Any,
        before: Sequence[str],
        after: Sequence[str],
        changed: Iterable[int],
        facts: Callable[[int], FileFacts],
        texts: Callable[[int], bytes],
    ) -> tuple[dict[int, LinkedFile], History] | None:
        """Link again what has changed, and what that changes."""
        try:
            found = replay(Corpus(before, after, history, facts, texts), changed)
        except TooFar as reason:
            log.info("all Python files are linked again: %s", reason)
            return None
        return found.linked, found.history
