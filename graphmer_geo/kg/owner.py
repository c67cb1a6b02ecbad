"""The files that one process owns: it extracts them, keeps their facts, and links them."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from graphmer_geo.kg import emit
from graphmer_geo.kg.claims import claims_of
from graphmer_geo.kg.extract import Extracted, Task, extract_file, load_language
from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.languages.base import Language, Linker, Message, NotingLinker, in_order
from graphmer_geo.kg.occurrences import encoded
from graphmer_geo.kg.outputs import FileOutput


@dataclass(frozen=True, slots=True)
class Read:
    """What came of extracting a file; its facts stay where they are."""

    number: int  #: of the task
    problems: tuple[str, ...] = ()
    module: str | None = None  #: None: there are no facts
    lines: int = 0
    claims: tuple[str, ...] = ()  #: what no other file may declare
    package: str | None = None  #: its IRI, if it is a module that has modules
    declared: emit.Quads = field(default_factory=lambda: emit.Quads(b"", 0))


@dataclass(frozen=True, slots=True)
class ToLink:
    """A file to link."""

    place: int  #: in the corpus
    package: str | None  #: IRI of the package that declares this module
    known: str  #: digest of what an earlier build made of it; empty if there is none
    linked: LinkedFile | None = None  #: its links, if they are known


@dataclass(frozen=True, slots=True)
class Linked:
    """What came of linking some files."""

    references: emit.Quads
    occurrences: pa.RecordBatch
    rows: dict[str, int]  #: file key -> how many of them
    how: Counter[str]
    outputs: dict[str, FileOutput]  #: by file key
    changed: bytes  #: N-Quads of the files whose digest was known and is another one now


class Owner:
    """Some files of each language.

    Args:
        note: Called with the number of a task when it begins, and with -1 when all are done: if this process
            dies, that is the file that killed it.
    """

    def __init__(self, note: Callable[[int], None] = lambda number: None) -> None:
        self._note = note
        self._files: dict[int, Extracted] = {}  # task number -> facts
        self._mine: dict[int, Extracted] = {}  # place in the corpus of the current language -> facts
        self._shared: list[tuple[int, object]] = []
        self._headers: dict[int, str] = {}
        self._notes_outputs = False
        self._linker: Linker | None = None
        self._notes: NotingLinker | None = None
        self._owners: Sequence[int] = ()
        self._number = 0
        self._local: list[Message] = []  # between files of this owner
        self._common = emit.Shared()

    def ready(self) -> None:
        """Nothing: to see whether the process is there."""

    def extract(self, tasks: Sequence[tuple[int, Task]]) -> list[Read]:
        """Extract some files and keep their facts."""
        found = []
        for number, task in tasks:
            self._note(number)
            found.append(self._read(number, extract_file(task)))
        self._note(-1)
        return found

    def _read(self, number: int, result: Extracted) -> Read:
        facts, declared = result.facts, result.declared
        if facts is None or declared is None:
            return Read(number, tuple(result.problems), lines=result.lines)
        result.declared = emit.Quads(b"", declared.count)
        self._files[number] = result
        return Read(
            number, tuple(result.problems), facts.source.module, result.lines, claims_of(facts),
            _package(facts), declared,
        )  # fmt: skip

    def headers(self, language: str, numbers: Sequence[int]) -> dict[int, str]:
        """What files share, as text, by the numbers of their tasks."""
        speaks = load_language(language)
        header = _header(speaks)
        assert header is not None
        facts = {number: self._files[number].facts for number in numbers if number in self._files}
        return {number: header(speaks.share(f)) for number, f in facts.items() if f}

    def share(self, language: str, places: Mapping[int, int], is_alone: bool, notes_outputs: bool) -> bytes:
        """What other owners need to know of this one's files of a language; nothing if there are none.

        Args:
            language: Where to find it.
            places: Task number of each file that is in the graph, and its place in the corpus.
            is_alone: Whether there is no other owner.
            notes_outputs: Whether the graph may be changed later.
        """
        speaks = load_language(language)
        self._mine = {place: self._files.pop(number) for number, place in places.items()}
        self._shared = [(place, speaks.share(e.facts)) for place, e in self._mine.items() if e.facts]
        self._notes_outputs = notes_outputs
        header = _header(speaks)
        if notes_outputs and header is not None:
            self._headers = {place: header(shared) for place, shared in self._shared}
        return b"" if is_alone else pickle.dumps(self._shared, pickle.HIGHEST_PROTOCOL)

    def begin(
        self,
        language: str,
        others: Sequence[bytes],
        recalled: Sequence[tuple[int, str]],
        owners: Sequence[int],
        number: int,
    ) -> None:
        """Get ready to link.

        Args:
            language: Where to find it.
            others: What the other owners share.
            recalled: Places and headers of the files that stay as they are.
            owners: The number of the owner of each file; -1 for those that stay.
            number: That of this owner.
        """
        speaks = load_language(language)
        shared = [*self._shared, *(each for part in others for each in pickle.loads(part))]
        if speaks.updates is not None:
            shared += [(place, speaks.updates.recall(header)) for place, header in recalled]
        self._shared = []
        shared.sort(key=lambda each: each[0])
        mine = {place: e.facts for place, e in self._mine.items() if e.facts}
        self._notes = None
        if self._notes_outputs and speaks.replays is not None:
            self._linker = self._notes = speaks.replays.linker([each for _, each in shared], mine)
        else:
            self._linker = speaks.linker([each for _, each in shared], mine)
        self._owners, self._number = owners, number

    def exchange(self, inbox: Sequence[bytes]) -> tuple[dict[int, bytes], bool]:
        """One round: messages to each other owner, and whether this one has written to anybody at all."""
        assert self._linker is not None
        received = [*self._local, *(each for part in inbox for each in pickle.loads(part))]
        outbox: defaultdict[int, list[Message]] = defaultdict(list)
        for message in self._linker.exchange(in_order(received)):
            outbox[self._owners[message.receiver]].append(message)
        has_written = bool(outbox)
        self._local = outbox.pop(self._number, [])
        return {to: pickle.dumps(each, pickle.HIGHEST_PROTOCOL) for to, each in outbox.items()}, has_written

    def link(self, files: Sequence[ToLink]) -> Linked:
        """Link some files, and forget their facts."""
        linked_files: list[LinkedFile] = []
        texts: list[bytes] = []
        changed: list[bytes] = []
        rows: dict[str, int] = {}
        outputs: dict[str, FileOutput] = {}
        count = 0
        for file in files:
            result = self._mine.pop(file.place)
            facts = result.facts
            assert facts is not None
            assert result.declared is not None
            key = facts.source.key
            linked = file.linked or self._link(file.place)
            quads = emit.references(linked, result.text, facts.iri(0), file.package)
            digest = hashlib.sha256(result.task.sha256.encode() + quads.text).hexdigest()
            common = emit.Shared()
            common.add(facts, linked, file.place)
            self._common.merge(common)
            if self._notes_outputs:
                outputs[key] = FileOutput(
                    digest, result.declared.count + quads.count, json.dumps(claims_of(facts)),
                    self._headers.pop(file.place, ""), common.noted(), _package(facts) or "",
                    file.place,
                )  # fmt: skip
                if file.known != digest:
                    changed += [emit.declarations(facts, result.text).text, quads.text]
            rows[key] = len(linked.occurrences)
            linked_files.append(linked)
            texts.append(quads.text)
            count += quads.count
        how: Counter[str] = Counter(row.how for linked in linked_files for row in linked.occurrences)
        quads = emit.Quads(b"".join(texts), count)
        return Linked(quads, encoded(linked_files), rows, how, outputs, b"".join(changed))

    def _link(self, place: int) -> LinkedFile:
        assert self._linker is not None
        return self._linker.link(place)

    def history(self) -> object:
        """What is noted of the links of the current language; None if there is nothing."""
        found = None if self._notes is None else self._notes.history()
        self._linker = self._notes = None
        return found

    def finish(self) -> emit.Shared:
        """What several of the linked files say alike."""
        return self._common


def _package(facts: FileFacts) -> str | None:
    is_package = facts.entities and facts.entities[0].literals.get("isPackage")
    return facts.iri(0) if is_package else None


def _header(language: Language) -> Callable[[object], str] | None:
    """How a language writes what a file shares, if it links on from there."""
    way = language.updates or language.replays
    return None if way is None else way.header
