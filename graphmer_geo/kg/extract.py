"""Run an extractor on a file, so that a bad one costs only itself."""

from __future__ import annotations

import hashlib
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType

from graphmer_geo.kg.emit import FileText, Quads, declarations
from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.languages.base import Language
from graphmer_geo.kg.sources import read_bounded

log = logging.getLogger(__name__)

SECONDS_PER_FILE = 60.0  #: a file that takes longer is skipped

#: What hostile text may provoke in an extractor. Anything else is an error of ours in need of a loud end.
_SURVIVABLE = (
    RecursionError,
    MemoryError,
    TimeoutError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Task:
    """One file to read.

    ``language`` is the ``module:attribute`` of its :class:`Language`, so that a new process can find it;
    ``sha256`` is what the file must still hash to, and ``size`` its length then.
    """

    language: str
    root: Path
    path: str
    language_name: str
    package: str
    version: str
    sha256: str
    size: int


@dataclass(slots=True)
class Extracted:
    """The facts of one file, or why there are none."""

    task: Task
    facts: FileFacts | None = None
    declared: Quads | None = None  #: what the facts say on their own, as it goes into the graph
    size: int = 0
    lines: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def text(self) -> FileText:
        """What the graph says of the file as a whole."""
        return FileText(self.task.sha256, self.size, self.lines)


def extract_file(task: Task) -> Extracted:
    """Extract one file in this process. Never raises on bad code."""
    result = Extracted(task)
    try:
        data = read_bounded(task.root, task.path)
        result.size, result.lines = len(data), count_lines(data)
        if hashlib.sha256(data).hexdigest() != task.sha256:
            result.problems.append("changed while the graph was built")
            return result
        language = load_language(task.language)
        with _time_limit(SECONDS_PER_FILE):
            module = language.module_name(task.path, data)
            source = SourceFile(task.language_name, task.package, task.version, task.path, module)
            result.facts = language.extract(source, data)
    except _SURVIVABLE as error:
        result.facts = None
        result.problems.append(f"not extracted: {type(error).__name__}: {str(error)[:200]}")
        log.warning("%s: %s", task.path, result.problems[-1])
    if result.facts is not None:
        _report_repeated(result)
        result.declared = declarations(result.facts, result.text)
        result.problems.extend(f"line {p.line}: {p.message}" for p in result.facts.problems)
    return result


def load_language(spec: str) -> Language:
    """The language at ``module:attribute``."""
    module, _, attribute = spec.partition(":")
    language: Language = getattr(import_module(module), attribute)
    return language


def count_lines(data: bytes) -> int:
    """Number of lines, the last one counted even without a line end."""
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def _report_repeated(result: Extracted) -> None:
    """Note entities that share an IRI: they would merge, so only the first goes into the graph."""
    assert result.facts is not None
    seen: set[str] = set()
    for entity in result.facts.entities:
        if entity.descriptor in seen:
            name, line = entity.qualified_name, entity.start_line
            result.problems.append(
                f"line {line}: {name} has the same descriptor {entity.descriptor!r} as an earlier one"
            )
        seen.add(entity.descriptor)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in this thread after some seconds, where the platform can (main thread, POSIX)."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def expire(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"took longer than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
