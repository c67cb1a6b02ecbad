"""Processes that own files, and what happens if a file kills one."""

from __future__ import annotations

import atexit
import gc
import logging
import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from graphmer_geo.errors import UserError
from graphmer_geo.kg.extract import Task
from graphmer_geo.kg.owner import Owner, Read

log = logging.getLogger(__name__)

LOT_BYTES = 1 << 18  #: of source, at most: so much goes to a process at once
_LOTS = 8  # of each process, at least: they take turns in the corpus, so that none gets all the hard files
_FILE_COST = 500  # what a file costs beyond its bytes, in bytes
_SMALL = 1 << 20  #: bytes of source that one process is done with before another one has started
_AHEAD = 3  # lots that a process is given before the first is back: results wait in memory

_START = multiprocessing.get_context("spawn")
_DIED = "the extractor's process died"


@dataclass(frozen=True, slots=True)
class Lot:
    """Some files of one language, one after the other in the corpus, and who owns them."""

    number: int
    owner: int
    language: str  #: where to find it
    tasks: tuple[tuple[int, Task], ...]  #: with their numbers


def deal(tasks: Sequence[tuple[int, Task]], workers: int) -> list[Lot]:
    """Lots of numbered tasks, each of one language, in their order; each goes to whoever has least so far."""
    most = min(LOT_BYTES, sum(_cost(task) for _, task in tasks) // (workers * _LOTS))
    groups: list[list[tuple[int, Task]]] = []
    size = 0
    for number, task in tasks:
        size += _cost(task)
        if not groups or groups[-1][0][1].language != task.language or size > most:
            groups.append([])
            size = _cost(task)
        groups[-1].append((number, task))
    load = [0] * workers
    lots: list[Lot] = []
    for group in groups:
        owner = load.index(min(load))
        load[owner] += sum(_cost(task) for _, task in group)
        lots.append(Lot(len(lots), owner, group[0][1].language, tuple(group)))
    return lots


def worth(tasks: Iterable[Task], workers: int) -> int:
    """How many of these workers it is worth to start for some tasks."""
    return workers if sum(_cost(task) for task in tasks) > _SMALL else 1


def _cost(task: Task) -> int:
    return task.size + _FILE_COST


class Crew:
    """As many owners as there are workers; a single one lives in this process.

    Processes start at once; a ``with`` block waits until they are there, and ends them.
    """

    def __init__(self, workers: int) -> None:
        self._members: list[_Here | _Process] = (
            [_Process() for _ in range(workers)] if workers > 1 else [_Here()]
        )
        self.size = len(self._members)
        self._arrivals = [member.submit(Owner.ready) for member in self._members]
        self._dead: set[int] = set()  # tasks that kill a process
        self._deaths: Counter[int] = Counter()
        self._done: list[Lot] = []

    def __enter__(self) -> Crew:
        try:
            for arrival in self._arrivals:
                arrival.result()
        except BrokenProcessPool:
            self.stop()
            raise UserError(
                f"workers={self.size}: no worker process could start; call build_kg below "
                '`if __name__ == "__main__":`, or use workers=1'
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all processes, whatever they are at."""
        for member in self._members:
            member.stop()

    def all(self, method: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        """Call a method of every owner, each with its own arguments; the results, in order."""
        calls = zip(*arguments, strict=True) if arguments else [()] * self.size
        futures = [member.submit(method, *a) for member, a in zip(self._members, calls, strict=True)]
        return [future.result() for future in futures]

    def extract(self, lots: Sequence[Lot]) -> Iterator[list[Read]]:
        """Extract lot by lot. A file that kills its process is named, and costs only itself."""
        for lot, found in self._in_turn(lots, self._extract, self._revive):
            self._done.append(lot)
            by_number = {read.number: read for read in found}
            yield [by_number.get(number) or Read(number, (_DIED,)) for number, _ in lot.tasks]

    def link(self, lots: Sequence[Lot], arguments: Callable[[Lot], Any]) -> Iterator[Any]:
        """Link lot by lot."""

        def submit(lot: Lot) -> Any:
            return self._members[lot.owner].submit(Owner.link, arguments(lot))

        for _, found in self._in_turn(lots, submit, _give_up):
            yield found

    def _in_turn(
        self, lots: Sequence[Lot], submit: Callable[[Lot], Any], revive: Callable[[Lot, list[Lot]], None]
    ) -> Iterator[tuple[Lot, Any]]:
        """The results in the order of the lots, while every process has something to do."""
        waiting: list[deque[Lot]] = [deque() for _ in self._members]
        for lot in lots:
            waiting[lot.owner].append(lot)
        sent: dict[int, tuple[Lot, Any]] = {}
        for lot in lots:
            for queue in waiting:
                ahead = sum(each.owner == queue[0].owner for each, _ in sent.values()) if queue else 0
                for _ in range(min(_AHEAD - ahead, len(queue))):
                    following = queue.popleft()
                    sent[following.number] = following, submit(following)
            while True:
                try:
                    result = sent[lot.number][1].result()
                    break
                except BrokenProcessPool:
                    again = [each for each, _ in sent.values() if each.owner == lot.owner]
                    revive(lot, again)
                    sent |= {each.number: (each, submit(each)) for each in again}
            del sent[lot.number]
            yield lot, result

    def _extract(self, lot: Lot) -> Any:
        tasks = [each for each in lot.tasks if each[0] not in self._dead]
        return self._members[lot.owner].submit(Owner.extract, tasks)

    def _revive(self, lot: Lot, again: list[Lot]) -> None:
        """A new process in place of one that died, without the file that killed it."""
        member = self._members[lot.owner]
        assert isinstance(member, _Process)
        number = member.at_work.value
        suspect = next((task for each in again for n, task in each.tasks if n == number), None)
        if suspect is None:
            _give_up(lot, again)
            return
        self._deaths[number] += 1
        if self._deaths[number] > 1 or _kills(number, suspect):
            log.warning("%s: %s; skipped", suspect.path, _DIED)
            self._dead.add(number)
        member.restart()
        for each in self._done:
            if each.owner == lot.owner:
                self._extract(each)


def _kills(number: int, task: Task) -> bool:
    """Whether a file kills a process all alone."""
    member = _Process()
    try:
        member.submit(Owner.extract, [(number, task)]).result()
        return False
    except BrokenProcessPool:
        return True
    finally:
        member.stop()


def _give_up(lot: Lot, again: list[Lot]) -> None:
    raise UserError(
        f"a worker process died at {lot.tasks[0][1].path!r} or soon after, though no file is to blame; if "
        "memory ran out, use fewer workers"
    )


class _Here:
    """An owner in this process: what is asked of it is done when the result is wanted."""

    def __init__(self) -> None:
        self._owner = Owner()

    def submit(self, method: Callable[..., Any], *arguments: Any) -> _Later:
        return _Later(lambda: method(self._owner, *arguments))

    def stop(self) -> None:
        """Nothing runs."""


@dataclass(frozen=True)
class _Later:
    result: Callable[[], Any]


class _Process:
    """An owner in a process of its own, which does one thing after the other."""

    def __init__(self) -> None:
        self.at_work = _START.RawValue("q", -1)  # number of the task that is being extracted
        self.restart()

    def restart(self) -> None:
        """Begin with nothing, whatever became of the process before."""
        self._pool = ProcessPoolExecutor(1, _START, _set_up, (self.at_work,))

    def submit(self, method: Callable[..., Any], *arguments: Any) -> Future[Any]:
        try:
            return self._pool.submit(_call, method, arguments)
        except BrokenProcessPool as error:
            future: Future[Any] = Future()
            future.set_exception(error)
            return future

    def stop(self) -> None:
        self._pool.shutdown(cancel_futures=True)


_OWNER: Owner | None = None  # of a worker process


def _set_up(at_work: Any) -> None:
    global _OWNER
    gc.disable()  # every pass would scan all facts; the process ends with the build,
    atexit.register(os._exit, 0)  # and at once: to free millions of records one by one takes seconds
    _OWNER = Owner(lambda number: setattr(at_work, "value", number))


def _call(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return method(_OWNER, *arguments)
