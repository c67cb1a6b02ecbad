"""A graph from its files: extract, link, and put together what came of it, by as many processes as wanted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from graphmer_geo.errors import UserError
from graphmer_geo.kg import emit, occurrence_parts
from graphmer_geo.kg.claims import Claims
from graphmer_geo.kg.extract import Task, load_language
from graphmer_geo.kg.facts import LinkedFile, SourceFile
from graphmer_geo.kg.languages.base import History
from graphmer_geo.kg.manifest import FileRecord
from graphmer_geo.kg.occurrences import encoded_table
from graphmer_geo.kg.outputs import FileOutput
from graphmer_geo.kg.owner import Linked, Owner, Read, ToLink
from graphmer_geo.kg.workers import Crew, Lot, deal, worth

LEFT_OUT = "not in the graph: "  #: what is said of a file that declares what another one does


class Sink(Protocol):
    """Where quads go."""

    def write(self, text: bytes) -> None:
        """Take some lines of N-Quads."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A file whose part of an earlier graph stays as it is."""

    output: FileOutput
    record: FileRecord


@dataclass(frozen=True, slots=True)
class Earlier:
    """A graph that is changed."""

    files: Mapping[str, FileOutput]  #: by file key
    kept: Mapping[int, Kept]  #: by number of the task
    linked: Mapping[int, LinkedFile]  #: what is known of others already, by number of the task
    left_out: Mapping[int, FileRecord]  #: files that are not in it, and stay out, by number of the task
    counts: Mapping[str, Any]  #: of its manifest
    folder: Path


class Assembly:
    """One graph in the making.

    Args:
        tasks: The files.
        records: What is known of them so far, in the same order.
        stage: Called as the build advances.
        sink: Where the quads of all files go that are not kept.
        earlier: The graph to change, if there is one.
        notes_outputs: Whether the graph may be changed later.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        records: Sequence[FileRecord],
        stage: Callable[[str, int, int], None],
        sink: Sink,
        earlier: Earlier | None,
        notes_outputs: bool,
    ) -> None:
        self.tasks = tasks
        self.records = list(records)
        self.outputs: dict[str, FileOutput] = {}
        self.changed: list[bytes] = []  #: N-Quads of files and graphs that may differ from the earlier ones
        self.changed_parts: dict[str, pa.Table] = {}  #: of the occurrence table, by name
        self.counts: dict[str, object] = {}
        self.histories: dict[str, History] = {}  #: how files were linked, by language
        self._stage = stage
        self._sink = sink
        self._earlier = earlier
        self._kept: Mapping[int, Kept] = earlier.kept if earlier else {}
        self._left_out: Mapping[int, FileRecord] = earlier.left_out if earlier else {}
        self._notes_outputs = notes_outputs
        self._order = sorted(range(len(tasks)), key=lambda number: (tasks[number].language_name, number))
        self._accepted: dict[int, int] = {}  # number of a task in the graph -> place among its language's
        self._packages: dict[tuple[tuple[str, str, str], str], str] = {}
        self._quads = 0
        self._common = emit.Shared()
        self._how: Counter[str] = Counter()
        self._batches: list[tuple[pa.RecordBatch, Mapping[str, int]]] = []

    def run(self, workers: int, tools: Mapping[str, str], hired: Crew | None = None) -> None:
        """Write all quads, and count everything.

        Args:
            workers: Number of processes.
            tools: Names and versions of what decides what is extracted.
            hired: Processes that have been started before.
        """
        idle = self._kept.keys() | self._left_out.keys()
        tasks = [(n, self.tasks[n]) for n in self._order if n not in idle]
        if hired is None:
            workers = worth((task for _, task in tasks), workers)
        lots = deal(tasks, workers)
        with hired or Crew(min(workers, len(lots))) as crew:
            self._extract(crew, lots)
            if not self._accepted:
                raise nothing_read(self.records)
            for language, group in groupby(lots, key=attrgetter("language")):
                for linked in self._linked(crew, language, list(group)):
                    self._take(linked)
            for part in crew.all(Owner.finish):
                self._common.merge(part)
        self.write_shared(tools)
        self._stage("link", len(self._accepted), len(self._accepted))
        self._count()

    def write(self, quads: emit.Quads) -> None:
        """Write some quads."""
        self._sink.write(quads.text)
        self._quads += quads.count

    # -- extraction --------------------------------------------------------------------------------

    def _extract(self, crew: Crew, lots: Sequence[Lot]) -> None:
        total = sum(len(lot.tasks) for lot in lots)
        self._stage("extract", 0, total)
        done = 0

        def reads() -> Iterator[Read]:
            nonlocal done
            for found in crew.extract(lots):
                yield from found
                done += len(found)
                self._stage("extract", done, total)

        claims, reading = Claims(), reads()
        for number in self._order:
            if number in self._left_out:
                before = self._left_out[number]
                self._record(Read(number, module=before.module), before.problems, "skipped")
                continue
            kept = self._kept.get(number)
            read = _read_of(number, kept) if kept else next(reading)
            twin = claims.take(read.claims) if read.module is not None else None
            if read.module is None or twin:
                problems = (*read.problems, f"{LEFT_OUT}{twin}") if twin else read.problems
                self._record(read, problems, "skipped")
            else:
                self._accept(read)
                self._record(read, read.problems, "partial" if read.problems else "ok")
        for _ in reading:  # its last report
            raise AssertionError("a file is read twice")

    def _accept(self, read: Read) -> None:
        number, task = read.number, self.tasks[read.number]
        before = next(reversed(self._accepted), None)
        is_first = before is None or self.tasks[before].language != task.language
        self._accepted[number] = 0 if is_first or before is None else self._accepted[before] + 1
        if read.package and read.module is not None:
            self._packages[_project(task), read.module] = read.package
        kept = self._kept.get(number)
        if kept is None:
            self.write(read.declared)
            return
        self._quads += kept.output.quads
        self.outputs[kept.record.key] = replace(kept.output, place=self._accepted[number])
        self._common.merge(emit.Shared.recalled(kept.output.common, self._accepted[number]))

    def _record(self, read: Read, problems: Sequence[str], status: str) -> None:
        old = self.records[read.number]
        changed = {"module": read.module or "", "status": status, "problems": (*old.problems, *problems)}
        self.records[read.number] = replace(old, **changed)  # type: ignore[arg-type]

    # -- linking -----------------------------------------------------------------------------------

    def _linked(self, crew: Crew, language: str, lots: Sequence[Lot]) -> Iterator[Linked]:
        """What came of linking the files of a language, lot by lot."""
        owner = {number: lot.owner for lot in lots for number, _ in lot.tasks if number in self._accepted}
        if not owner:
            return
        corpus = [n for n in self._accepted if self.tasks[n].language == language]
        recalled = [(self._accepted[n], self._kept[n].output.header) for n in corpus if n in self._kept]
        everyone = range(crew.size)

        def each(value: object) -> list[object]:
            return [value for _ in everyone]

        mine = [{n: self._accepted[n] for n, o in owner.items() if o == number} for number in everyone]
        keeps = each(self._notes_outputs)
        shared = crew.all(Owner.share, each(language), mine, each(crew.size == 1), keeps)
        others = [[part for other, part in enumerate(shared) if other != number] for number in everyone]
        owners = [owner.get(number, -1) for number in corpus]
        is_known = self._earlier is not None and owner.keys() <= self._earlier.linked.keys()
        if not is_known:
            assert load_language(language).updates is not None or not recalled
            crew.all(Owner.begin, each(language), others, each(recalled), each(owners), everyone)
            del shared, others
            _exchange(crew)
        for linked in crew.link(lots, lambda lot: [self._to_link(*t) for t in lot.tasks if t[0] in owner]):
            self._stage("link", len(self.outputs), len(self._accepted))
            yield linked
        parts = [part for part in crew.all(Owner.history) if part is not None]
        replays = load_language(language).replays
        if parts and replays is not None and not is_known:
            self.histories[self.tasks[corpus[0]].language_name] = replays.merged(parts)

    def _to_link(self, number: int, task: Task) -> ToLink:
        record = self.records[number]
        package = self._packages.get((_project(task), record.module.rpartition(".")[0]))
        known = self._earlier.files.get(record.key) if self._earlier else None
        linked = self._earlier.linked.get(number) if self._earlier else None
        return ToLink(self._accepted[number], package, known.digest if known else "", linked)

    def _take(self, linked: Linked) -> None:
        self.write(linked.references)
        self._batches.append((linked.occurrences, linked.rows))
        self._how += linked.how
        self.outputs |= linked.outputs
        if self._earlier:
            self.changed.append(linked.changed)

    # -- what all files say together ------------------------------------------------------------------

    def write_shared(self, tools: Mapping[str, str]) -> None:
        """Write the graphs that belong to no file."""
        texts = [_text(self.records[number]) for number in self._accepted]
        for quads in (self._common.quads(), emit.provenance_quads(texts, tools)):
            self.write(quads)
            if self._earlier:
                self.changed.append(quads.text)

    def occurrences(self) -> pa.Table:
        """All rows, encoded; of the files that were linked, if others are kept."""
        return encoded_table([batch for batch, _ in self._batches])

    def _count(self) -> None:
        rows, how = sum(batch.num_rows for batch, _ in self._batches), self._how
        if self._earlier:
            keys = [self.records[number].key for number in self._accepted]
            change = occurrence_parts.change(self._earlier.folder, keys, self._batches)
            self.changed_parts = change.parts
            rows = self._earlier.counts["occurrences"] + change.rows
            how = Counter(self._earlier.counts["how"])
            how.update(change.how)
        kinds = {kind: count for kind, count in sorted(how.items()) if count}
        self.counts = {"quads": self._quads, "occurrences": rows, "how": kinds}


def nothing_read(records: Iterable[FileRecord]) -> UserError:
    """What to say where no file can be read: which the first is, and why."""
    record = next(r for r in records if r.problems)
    return UserError(f"none of the files can be read; the first: {record.path}: {record.problems[0]}")


def _read_of(number: int, kept: Kept) -> Read:
    record = kept.record
    claims = tuple(json.loads(kept.output.claims))
    return Read(number, record.problems, record.module, record.lines, claims, kept.output.package or None)


def _exchange(crew: Crew) -> None:
    """Carry messages between the owners until nobody writes."""
    inboxes: list[list[bytes]] = [[] for _ in range(crew.size)]
    has_written = True
    while has_written:
        outboxes = crew.all(Owner.exchange, inboxes)
        inboxes = [[sent[to] for sent, _ in outboxes if to in sent] for to in range(crew.size)]
        has_written = any(wrote for _, wrote in outboxes)


def _project(task: Task) -> tuple[str, str, str]:
    return task.language_name, task.package, task.version


def _text(record: FileRecord) -> tuple[SourceFile, emit.FileText]:
    source = SourceFile(record.language, record.package, record.version, record.path, record.module)
    return source, emit.FileText(record.sha256, record.size, record.lines)
