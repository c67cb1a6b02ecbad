"""Source files to a knowledge graph: find, extract, link, write, load."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyoxigraph as ox

from graphmer_geo.errors import UserError
from graphmer_geo.kg import collector, emit
from graphmer_geo.kg.claims import Claims
from graphmer_geo.kg.extract import Task, count_lines, load_language
from graphmer_geo.kg.facts import SourceFile
from graphmer_geo.kg.fingerprint import code_digest, digest_of, tool_versions
from graphmer_geo.kg.folder import recover, replaced_folder
from graphmer_geo.kg.languages import LANGUAGES
from graphmer_geo.kg.loading import StoreLoader
from graphmer_geo.kg.manifest import FILE_NAME as MANIFEST
from graphmer_geo.kg.manifest import FileRecord, Manifest
from graphmer_geo.kg.occurrences import plain, table_of, write_occurrences
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.owner import Linked, Owner, Read, ToLink
from graphmer_geo.kg.sources import FoundFile, Source, find_files, read_bounded
from graphmer_geo.kg.store import KnowledgeGraph
from graphmer_geo.kg.update import STORE, Outputs, resume
from graphmer_geo.kg.update import update as update_folder
from graphmer_geo.kg.workers import Crew, Lot, deal

log = logging.getLogger(__name__)

MAX_CHANGED = 0.5  #: share of changed files beyond which a graph is built again

#: Called with a stage ("hash", "extract", "link" or "load"), how much of it is done and how much there is.
Progress = Callable[[str, int, int], None]


def build_kg(
    sources: Sequence[str | Path | Source],
    out: str | Path | None = None,
    *,
    languages: Sequence[str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> KnowledgeGraph:
    """Read source code into a knowledge graph.

    Code is parsed, never imported or run. A file that cannot be read or parsed is recorded in the manifest
    and costs only itself. If ``out`` already holds the graph of exactly these files, it is opened as it is;
    else it becomes the graph of these files in one step: where few have changed, the named graphs that
    differ are replaced, else all of it is.

    Args:
        sources: Folders, files or :class:`Source` objects.
        out: Folder to write (default: in memory only).
        languages: Names of the languages to read (default: all known).
        workers: Processes that extract and link files. More than one needs the usual
            ``if __name__ == "__main__"`` guard in scripts.
        progress: Called as the build advances.

    Raises:
        UserError: If a source is missing or holds no code that can be read, a language is unknown, or ``out``
            is something else than a knowledge graph.
    """
    if isinstance(sources, (str, Path, Source)):
        sources = [sources]
    if workers < 1:
        raise UserError(f"workers must be at least 1 (got {workers})")
    target = None if out is None else _checked_target(Path(out))
    build = _Build(_known(languages), workers, progress or (lambda stage, done, total: None))
    build.find(sources)
    if target and _is_current(target, build.fingerprint):
        log.info("%s is up to date", target)
        return KnowledgeGraph.open(target)
    with collector.paused():
        if target is None:
            with StoreLoader() as loader:
                occurrences = build.run(loader)
                return KnowledgeGraph(build.load(loader), plain(occurrences), build.manifest())
        if not _updated(target, build):
            _rebuild(target, build)
    return KnowledgeGraph.open(target)


def _updated(target: Path, build: _Build) -> bool:
    """Change the graph in place, if little of it changes."""
    old = Outputs.load(target)
    if old is None or old.engine != build.engine or not build.resembles(target):
        return False
    update = _Build(build.specs, build.workers, build.progress, build.fingerprint, build.engine)
    update.tasks, update.records, update.known = build.tasks, dict(build.records), old
    occurrences = update.run(_Nowhere())
    update.stage("load", 0, 1)
    quads = b"".join(update.changed)
    done = update_folder(target, old, update.outputs(), quads, occurrences, update.manifest())
    update.stage("load", 1, 1)
    return done


def _rebuild(target: Path, build: _Build) -> None:
    with replaced_folder(target) as folder:
        with StoreLoader(folder / STORE) as loader:
            write_occurrences(build.run(loader), folder)
            build.load(loader)
        build.outputs().save(folder)
        build.manifest().save(folder)


class Sink(Protocol):
    """Where quads go."""

    def write(self, text: bytes) -> None:
        """Take some lines of N-Quads."""
        ...


class _Nowhere:
    def write(self, text: bytes) -> None:
        """An update collects what has changed, not everything."""


@dataclass
class _Build:
    """The state of one build, stage by stage."""

    specs: dict[str, str]  # language name -> module:attribute
    workers: int
    progress: Progress
    fingerprint: str = ""
    engine: str = ""  # hash of everything but the files
    tasks: list[Task] = field(default_factory=list)
    records: dict[tuple[str, str], FileRecord] = field(default_factory=dict)  # (root, path) -> record
    accepted: dict[int, str] = field(default_factory=dict)  # number of a task in the graph -> module
    packages: dict[tuple[tuple[str, str, str], str], str] = field(default_factory=dict)
    counts: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    known: Outputs | None = None  # of the graph that is updated
    changed: list[bytes] = field(default_factory=list)  # N-Quads of graphs that may differ from it
    digests: dict[str, str] = field(default_factory=dict)  # file key -> hash of its source and quads
    _stage: tuple[str, float] | None = None
    _quads: int = 0
    _linked_files: int = 0

    def stage(self, name: str, done: int, total: int) -> None:
        """Report progress, and time the stages."""
        now = time.perf_counter()
        if self._stage is None or self._stage[0] != name:
            self._stage = (name, now)
        self.seconds[name] = round(now - self._stage[1], 3)
        self.progress(name, done, total)

    def find(self, sources: Sequence[str | Path | Source]) -> None:
        extensions = {e: name for name, spec in self.specs.items() for e in load_language(spec).extensions}
        found = find_files(sources, extensions)
        for number, file in enumerate(found):
            self.stage("hash", number, len(found))
            self._hash(file)
        self.stage("hash", len(found), len(found))
        inputs = [[r.key, r.sha256, *r.problems] for r in self.records.values()]
        self.engine = digest_of([sorted(self.specs), tool_versions(self.specs), code_digest()])
        self.fingerprint = digest_of([inputs, self.engine])

    def resembles(self, target: Path) -> bool:
        """Whether most files are those of the graph in a folder."""
        try:
            before = {(r.key, r.sha256) for r in Manifest.load(target).files}
        except UserError:
            return False
        return len({(r.key, r.sha256) for r in self.records.values()} ^ before) <= len(before) * MAX_CHANGED

    def outputs(self) -> Outputs:
        """What each file gave."""
        return Outputs(self.engine, self.digests)

    def _hash(self, file: FoundFile) -> None:
        data, problem = b"", file.problem
        if problem is None:
            try:
                data = read_bounded(file.root, file.path)
            except OSError as error:
                problem = f"unreadable: {error.strerror or error}"
        sha256 = "" if problem else hashlib.sha256(data).hexdigest()
        names = (file.language, file.package, file.version)
        self.records[str(file.root), file.path] = FileRecord(
            SourceFile(*names, file.path, "").key, str(file.root), file.path, *names, "", sha256,
            len(data) or file.size, count_lines(data), "skipped", (problem,) if problem else (),
        )  # fmt: skip
        if problem is None:
            spec = self.specs[file.language]
            self.tasks.append(Task(spec, file.root, file.path, *names, sha256, len(data)))

    def run(self, loader: Sink) -> pa.Table:
        """Write all quads, and return all occurrences."""
        self._write(loader, _ontology_quads())
        lots = deal(self.tasks, self.workers)
        with Crew(min(self.workers, len(lots))) as crew:
            self._extract(crew, lots, loader)
            if not self.accepted:
                raise UserError(f"none of the files can be read; the first: {self.first_problem()}")
            return self._link(crew, lots, loader)

    def load(self, loader: StoreLoader) -> ox.Store:
        """Wait until the store holds everything."""
        self.stage("load", 0, 1)
        store = loader.finish()
        self.stage("load", 1, 1)
        return store

    def _write(self, loader: Sink, quads: emit.Quads) -> None:
        loader.write(quads.text)
        self._quads += quads.count

    def _extract(self, crew: Crew, lots: Sequence[Lot], loader: Sink) -> None:
        done = 0
        self.stage("extract", done, len(self.tasks))
        claims = Claims()
        for lot, found in zip(lots, crew.extract(lots), strict=True):
            for (_, task), read in zip(lot.tasks, found, strict=True):
                twin = claims.take(read.claims) if read.module is not None else None
                if twin:
                    self._record(task, read, (*read.problems, f"not in the graph: {twin}"), "skipped")
                elif read.module is not None:
                    self._write(loader, read.declared)
                    self.accepted[read.number] = read.module
                    if read.package:
                        self.packages[_project(task), read.module] = read.package
                    self._record(task, read, read.problems, "partial" if read.problems else "ok")
                else:
                    self._record(task, read, read.problems, "skipped")
            done += len(found)
            self.stage("extract", done, len(self.tasks))

    def first_problem(self) -> str:
        """Which file has one, and what."""
        record = next(r for r in self.records.values() if r.problems)
        return f"{record.path}: {record.problems[0]}"

    def _record(self, task: Task, read: Read, problems: Sequence[str], status: str) -> None:
        place = (str(task.root), task.path)
        old = self.records[place]
        changed = {"module": read.module or "", "status": status, "problems": (*old.problems, *problems)}
        self.records[place] = FileRecord(**{**old.__dict__, **changed})

    def _link(self, crew: Crew, lots: Sequence[Lot], loader: Sink) -> pa.Table:
        batches: list[pa.RecordBatch] = []
        how: Counter[str] = Counter()
        for language, group in groupby(lots, key=attrgetter("language")):
            for linked in self._linked(crew, language, list(group)):
                self._write(loader, linked.references)
                batches.append(linked.occurrences)
                how += linked.how
                self.digests |= linked.digests
                self.changed.append(linked.changed)
        shared = emit.Shared()
        for part in crew.all(Owner.finish):
            shared.merge(part)
        texts = (self._text(number) for number in self.accepted)
        for quads in (shared.quads(), emit.provenance_quads(texts, tool_versions(self.specs))):
            self._write(loader, quads)
            if self.known:
                self.changed.append(quads.text)
        self.stage("link", len(self.accepted), len(self.accepted))
        occurrences = table_of(batches)
        self.counts = {
            "quads": self._quads, "occurrences": occurrences.num_rows, "how": dict(sorted(how.items())),
        }  # fmt: skip
        return occurrences

    def _linked(self, crew: Crew, language: str, lots: Sequence[Lot]) -> Iterator[Linked]:
        """What came of linking the files of a language, lot by lot."""
        numbers = [number for lot in lots for number, _ in lot.tasks if number in self.accepted]
        places = {number: place for place, number in enumerate(numbers)}
        if not places:
            return
        owner = {number: lot.owner for lot in lots for number, _ in lot.tasks}
        everyone = range(crew.size)
        mine = [{n: place for n, place in places.items() if owner[n] == each} for each in everyone]
        shared = crew.all(Owner.share, [language] * crew.size, mine, [crew.size == 1] * crew.size)
        others = [[part for other, part in enumerate(shared) if other != each] for each in everyone]
        owners = [owner[number] for number in numbers]
        crew.all(Owner.begin, [language] * crew.size, others, [owners] * crew.size, everyone)
        del shared, others
        _exchange(crew)

        def to_link(lot: Lot) -> list[ToLink]:
            return [self._to_link(n, task, places[n]) for n, task in lot.tasks if n in places]

        for linked in crew.link(lots, to_link):
            self.stage("link", self._linked_files, len(self.accepted))
            self._linked_files += len(linked.digests)
            yield linked

    def _text(self, number: int) -> tuple[SourceFile, emit.FileText]:
        record = self.records[str(self.tasks[number].root), self.tasks[number].path]
        source = SourceFile(record.language, record.package, record.version, record.path, record.module)
        return source, emit.FileText(record.sha256, record.size, record.lines)

    def _to_link(self, number: int, task: Task, place: int) -> ToLink:
        package = self.packages.get((_project(task), self.accepted[number].rpartition(".")[0]))
        if self.known is None:
            return ToLink(place, package)
        key = SourceFile(task.language_name, task.package, task.version, task.path, "").key
        return ToLink(place, package, self.known.files.get(key, ""))

    def manifest(self) -> Manifest:
        records = tuple(sorted(self.records.values(), key=lambda r: (r.key, r.root)))
        statuses = [r.status for r in records]
        counts = {**self.counts, "files": {s: statuses.count(s) for s in ("ok", "partial", "skipped")}}
        tools = tool_versions(self.specs)
        ontology = load_ontology().version
        return Manifest(self.fingerprint, ontology, tools, records, counts, self.started, dict(self.seconds))


def _ontology_quads() -> emit.Quads:
    lines = load_ontology().quads()
    return emit.Quads("".join(lines).encode(), len(lines))


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


def _known(languages: Sequence[str] | None) -> dict[str, str]:
    if isinstance(languages, str):
        languages = [languages]
    names = sorted(LANGUAGES if languages is None else set(languages))
    unknown = [name for name in names if name not in LANGUAGES]
    if unknown or not names:
        raise UserError(
            f"unknown language {unknown[0] if unknown else ''!r}; known: {', '.join(sorted(LANGUAGES))}"
        )
    return {name: LANGUAGES[name] for name in names}


def _checked_target(target: Path) -> Path:
    recover(target)
    resume(target)
    if target.is_file():
        raise UserError(f"output {str(target)!r} is a file; name a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise UserError(f"output {str(target)!r} is a folder with other things in it; name a new folder")
    return target


def _is_current(target: Path, fingerprint: str) -> bool:
    try:
        return target.is_dir() and Manifest.load(target).fingerprint == fingerprint
    except UserError:
        return False
