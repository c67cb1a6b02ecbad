"""Run the extractors over many files, in this process or a pool, so that one bad file costs only itself."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType

from graphmer_geo.errors import UserError
from graphmer_geo.kg import collector
from graphmer_geo.kg.emit import FileText, Quads, declarations
from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.languages.base import Language
from graphmer_geo.kg.sources import read_bounded

log = logging.getLogger(__name__)

SECONDS_PER_FILE = 60.0  #: a file that takes longer is skipped
_BATCH = 16

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
    ``sha256`` is what the file must still hash to.
    """

    language: str
    root: Path
    path: str
    language_name: str
    package: str
    version: str
    sha256: str


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


def extract_all(
    tasks: Sequence[Task], workers: int = 1, progress: Callable[[int], None] | None = None
) -> Iterator[Extracted]:
    """Extract every task, in order.

    Args:
        tasks: What to read.
        workers: Number of processes; 1 stays in this one.
        progress: Called with the number of files done so far.
    """
    done = 0
    for batch in _batches(tasks, workers):
        yield from batch
        done += len(batch)
        if progress:
            progress(done)


def _batches(tasks: Sequence[Task], workers: int) -> Iterator[list[Extracted]]:
    batches = [tasks[i : i + _BATCH] for i in range(0, len(tasks), _BATCH)]
    if workers <= 1 or len(batches) <= 1:
        yield from map(extract_batch, batches)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            pool.submit(int).result()
        except BrokenProcessPool:
            raise UserError(
                f"workers={workers}: no worker process could start; call build_kg below "
                '`if __name__ == "__main__":`, or use workers=1'
            ) from None
        futures = [pool.submit(extract_batch, batch) for batch in batches]
        for batch, future in zip(batches, futures, strict=True):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield [_alone(task) for task in batch]


def _alone(task: Task) -> Extracted:
    """A worker died; whichever file killed it does so again, alone, and is named."""
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(extract_batch, [task]).result()[0]
    except BrokenProcessPool:
        log.warning("%s: the extractor's process died; skipped", task.path)
        return Extracted(task, problems=["the extractor's process died"])


def extract_batch(tasks: Sequence[Task]) -> list[Extracted]:
    """Extract some files in this process."""
    with collector.paused():
        return [_extract(task) for task in tasks]


def _extract(task: Task) -> Extracted:
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
