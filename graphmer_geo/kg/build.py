"""Source files to a knowledge graph: find, extract, link, write, load."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as package_files
from operator import itemgetter
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyoxigraph as ox

from graphmer_geo import __version__
from graphmer_geo.errors import UserError
from graphmer_geo.kg import collector, emit
from graphmer_geo.kg.extract import Extracted, Task, count_lines, extract_all, load_language
from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.folder import recover, replaced_folder
from graphmer_geo.kg.languages import GRAMMARS, LANGUAGES
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.loading import StoreLoader
from graphmer_geo.kg.manifest import FILE_NAME as MANIFEST
from graphmer_geo.kg.manifest import FileRecord, Manifest
from graphmer_geo.kg.occurrences import OccurrenceWriter, write_occurrences
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.sources import FoundFile, Source, find_files, read_bounded
from graphmer_geo.kg.store import KnowledgeGraph
from graphmer_geo.kg.update import STORE, Outputs, resume
from graphmer_geo.kg.update import update as update_folder

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
        workers: Processes that extract facts. More than one needs the usual ``if __name__ == "__main__"``
            guard in scripts.
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
                return KnowledgeGraph(build.load(loader), occurrences, build.manifest())
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
    accepted: list[Extracted] = field(default_factory=list)
    counts: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    known: Outputs | None = None  # of the graph that is updated
    changed: list[bytes] = field(default_factory=list)  # N-Quads of graphs that may differ from it
    digests: dict[str, str] = field(default_factory=dict)  # file key -> hash of its source and quads
    _stage: tuple[str, float] | None = None
    _quads: int = 0

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
        self.engine = _digest([sorted(self.specs), tool_versions(self.specs), _code_digest()])
        self.fingerprint = _digest([inputs, self.engine])

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
            self.tasks.append(Task(spec, file.root, file.path, *names, sha256))

    def run(self, loader: Sink) -> pa.Table:
        """Write all quads, and return all occurrences."""
        self._write(loader, _ontology_quads())
        self._extract(loader)
        if not self.accepted:
            raise UserError(f"none of the files can be read; the first: {self.first_problem()}")
        return self._link(loader)

    def load(self, loader: StoreLoader) -> ox.Store:
        """Wait until the store holds everything."""
        self.stage("load", 0, 1)
        store = loader.finish()
        self.stage("load", 1, 1)
        return store

    def _write(self, loader: Sink, quads: emit.Quads) -> None:
        loader.write(quads.text)
        self._quads += quads.count

    def _extract(self, loader: Sink) -> None:
        def report(done: int) -> None:
            self.stage("extract", done, len(self.tasks))

        report(0)
        owners: dict[str, str] = {}  # entity IRI or file key -> the file that has it
        for result in extract_all(self.tasks, self.workers, report):
            if result.facts is not None:
                twin = _claim(owners, result.facts)
                if twin:
                    result.problems.append(f"not in the graph: {twin}")
                else:
                    assert result.declared is not None
                    self._write(loader, result.declared)
                    result.declared = None
                    self.accepted.append(result)
                    self._record(result, "partial" if result.problems else "ok")
                    continue
            self._record(result, "skipped")

    def first_problem(self) -> str:
        """Which file has one, and what."""
        record = next(r for r in self.records.values() if r.problems)
        return f"{record.path}: {record.problems[0]}"

    def _record(self, result: Extracted, status: str) -> None:
        place = (str(result.task.root), result.task.path)
        old = self.records[place]
        module = result.facts.source.module if result.facts else ""
        changed = {"module": module, "status": status, "problems": (*old.problems, *result.problems)}
        self.records[place] = FileRecord(**{**old.__dict__, **changed})

    def _link(self, loader: Sink) -> pa.Table:
        shared = emit.Shared()
        writer = OccurrenceWriter()
        packages = _package_modules(r.facts for r in self.accepted if r.facts)
        done = 0
        for name, spec in sorted(self.specs.items()):
            mine = [r for r in self.accepted if r.task.language_name == name]
            facts = [r.facts for r in mine if r.facts]
            for result, fact, linked in zip(mine, facts, link_all(load_language(spec), facts), strict=True):
                self.stage("link", done, len(self.accepted))
                parent = packages.get((*_project(fact.source), fact.source.module.rpartition(".")[0]))
                references = emit.references(linked, result.text, fact.iri(0), parent)
                self._write(loader, references)
                self._note(result, fact, references)
                shared.add(fact, linked)
                writer.add(linked)
                done += 1
        texts = ((r.facts.source, r.text) for r in self.accepted if r.facts)
        for quads in (shared.quads(), emit.provenance_quads(texts, tool_versions(self.specs))):
            self._write(loader, quads)
            if self.known:
                self.changed.append(quads.text)
        self.stage("link", done, len(self.accepted))
        occurrences = writer.table()
        counted = occurrences["how"].value_counts().to_pylist()
        self.counts = {
            "quads": self._quads,
            "occurrences": occurrences.num_rows,
            "how": {one["values"]: one["counts"] for one in sorted(counted, key=itemgetter("values"))},
        }
        return occurrences

    def _note(self, result: Extracted, facts: FileFacts, references: emit.Quads) -> None:
        """Remember what a file gave, and all of it if that is not what the known graph has."""
        key = facts.source.key
        digest = self.digests[key] = hashlib.sha256(result.task.sha256.encode() + references.text).hexdigest()
        if self.known and self.known.files.get(key) != digest:
            self.changed += [emit.declarations(facts, result.text).text, references.text]

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


def _claim(owners: dict[str, str], facts: FileFacts) -> str | None:
    """Note who declares what. A reason to leave the file out, if another one already declares some of it."""
    source = facts.source
    iris = zip(facts.iris(), facts.entities, strict=True)
    mine = [source.key, *(iri for iri, entity in iris if entity.kind != "Package")]
    taken = sorted(owners.keys() & mine) if not owners.keys().isdisjoint(mine) else []
    if taken:
        return (
            f"{taken[0]} is already defined by {owners[taken[0]]}; leave one of the two out, "
            "or give the sources different package names or versions"
        )
    owners.update(dict.fromkeys(mine, source.key))
    return None


def _project(source: SourceFile) -> tuple[str, str, str]:
    return source.language, source.package, source.version


def _package_modules(facts: Iterable[FileFacts]) -> dict[tuple[str, str, str, str], str]:
    """(language, package, version, module) of every Python package in the corpus -> IRI."""
    return {
        (*_project(f.source), f.source.module): f.iri(0)
        for f in facts
        if f.entities and f.entities[0].literals.get("isPackage")
    }


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


def tool_versions(languages: Iterable[str]) -> dict[str, str]:
    """Name and version of everything that decides what is extracted."""
    tools = {"graphmer-geo": __version__}
    for name in ["tree-sitter", *(GRAMMARS[n].replace("_", "-") for n in sorted(languages) if n in GRAMMARS)]:
        try:
            tools[name] = version(name)
        except PackageNotFoundError:
            tools[name] = "unknown"
    return tools


def _code_digest() -> str:
    """Hash of this package's own code and ontology: a changed extractor makes an old graph stale."""
    digest = hashlib.sha256(load_ontology().text)
    folders = [package_files("graphmer_geo.kg")]
    while folders:
        for entry in sorted(folders.pop().iterdir(), key=lambda e: e.name):
            if entry.is_dir():
                folders.append(entry)
            elif entry.name.endswith(".py"):
                digest.update(entry.read_bytes())
    return digest.hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
