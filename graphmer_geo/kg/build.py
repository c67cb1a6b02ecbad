"""Source files to a knowledge graph: find, extract, link, write, load."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox

from graphmer_geo.errors import UserError
from graphmer_geo.kg import collector, emit
from graphmer_geo.kg.assembly import Assembly, Earlier, Sink, nothing_read
from graphmer_geo.kg.extract import Task, count_lines, load_language
from graphmer_geo.kg.facts import SourceFile
from graphmer_geo.kg.fingerprint import code_digest, digest_of, tool_versions
from graphmer_geo.kg.folder import HISTORIES, recover, replaced_folder
from graphmer_geo.kg.languages import LANGUAGES
from graphmer_geo.kg.loading import StoreLoader
from graphmer_geo.kg.manifest import FILE_NAME as MANIFEST
from graphmer_geo.kg.manifest import FileRecord, Manifest
from graphmer_geo.kg.occurrence_parts import write_parts
from graphmer_geo.kg.occurrences import plain
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.outputs import Outputs
from graphmer_geo.kg.reuse import reusable
from graphmer_geo.kg.sources import FoundFile, Source, find_files, read_bounded
from graphmer_geo.kg.store import KnowledgeGraph
from graphmer_geo.kg.update import STORE, resume
from graphmer_geo.kg.update import update as update_folder
from graphmer_geo.kg.workers import Crew

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
    try:
        if target is None or not target.exists():
            build.hire()
        return _built(build, sources, target)
    finally:
        build.dismiss()


def _built(build: _Build, sources: Sequence[str | Path | Source], target: Path | None) -> KnowledgeGraph:
    build.find(sources)
    if target and _is_current(target, build.fingerprint):
        log.info("%s is up to date", target)
        return KnowledgeGraph.open(target)
    with collector.paused():
        if target is None:
            with StoreLoader() as loader:
                occurrences = plain(build.run(loader).occurrences())
                return KnowledgeGraph(build.load(loader), occurrences, build.manifest())
        if not _updated(target, build):
            _rebuild(target, build)
    return KnowledgeGraph.open(target)


def _updated(target: Path, build: _Build) -> bool:
    """Change the graph in place, if little of it changes."""
    old = Outputs.load(target)
    before = Manifest.load(target) if old else None
    if old is None or before is None or old.engine != build.engine or not build.resembles(before):
        return False
    build.stage("hash", 0, 1)
    tasks, records = build.tasks, build.task_records()
    reuse = reusable(tasks, records, old, before, build.workers, target)
    build.stage("hash", 1, 1)
    earlier = Earlier(old.files, reuse.kept, reuse.linked, reuse.left_out, before.counts, target)
    update = replace(build, records=dict(build.records), seconds=dict(build.seconds))
    assembly = update.run(_Nowhere(), earlier, notes_outputs=True)
    update.stage("load", 0, 1)
    quads, parts = b"".join(assembly.changed), assembly.changed_parts
    histories = {**assembly.histories, **reuse.histories}
    done = update_folder(target, old, update.outputs(assembly), quads, parts, update.manifest(), histories)
    update.stage("load", 1, 1)
    return done


def _rebuild(target: Path, build: _Build) -> None:
    with replaced_folder(target) as folder:
        with StoreLoader(folder / STORE) as loader:
            assembly = build.run(loader, notes_outputs=True)
            write_parts(assembly.occurrences(), folder)
            build.load(loader)
        build.outputs(assembly).save(folder)
        for language, history in assembly.histories.items():
            history.save(folder / HISTORIES / language)
        build.manifest().save(folder)


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
    counts: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _crew: Crew | None = None
    _stage: tuple[str, float] | None = None

    def hire(self) -> None:
        """Start the processes now: they take half a second to arrive, while files are found and hashed."""
        if self.workers > 1:
            self._crew = Crew(self.workers)

    def dismiss(self) -> None:
        """End them, if they are still there."""
        if self._crew is not None:
            self._crew.stop()
            self._crew = None

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

    def resembles(self, before: Manifest) -> bool:
        """Whether most files are those of an earlier graph."""
        old = {(r.key, r.sha256) for r in before.files}
        return len({(r.key, r.sha256) for r in self.records.values()} ^ old) <= len(old) * MAX_CHANGED

    def outputs(self, assembly: Assembly) -> Outputs:
        """What each file gave."""
        return Outputs(self.engine, assembly.outputs)

    def task_records(self) -> list[FileRecord]:
        """The records of the files that can be read, in the order of the tasks."""
        return [self.records[str(task.root), task.path] for task in self.tasks]

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

    def run(self, sink: Sink, earlier: Earlier | None = None, *, notes_outputs: bool = False) -> Assembly:
        """Write all quads; the rest is in the assembly."""
        if not self.tasks:
            raise nothing_read(self.records.values())
        assembly = Assembly(self.tasks, self.task_records(), self.stage, sink, earlier, notes_outputs)
        lines = load_ontology().quads()
        assembly.write(emit.Quads("".join(lines).encode(), len(lines)))
        assembly.run(self.workers, tool_versions(self.specs), self._crew)
        self.records |= {(r.root, r.path): r for r in assembly.records}
        self.counts = assembly.counts
        return assembly

    def load(self, loader: StoreLoader) -> ox.Store:
        """Wait until the store holds everything."""
        self.stage("load", 0, 1)
        store = loader.finish()
        self.stage("load", 1, 1)
        return store

    def manifest(self) -> Manifest:
        records = tuple(sorted(self.records.values(), key=lambda r: (r.key, r.root)))
        statuses = [r.status for r in records]
        counts = {**self.counts, "files": {s: statuses.count(s) for s in ("ok", "partial", "skipped")}}
        tools = tool_versions(self.specs)
        ontology = load_ontology().version
        return Manifest(self.fingerprint, ontology, tools, records, counts, self.started, dict(self.seconds))


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
