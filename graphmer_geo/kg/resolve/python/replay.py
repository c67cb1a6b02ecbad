"""Files that have changed are linked again, and those that others tell something else than before.

What a file does is a function of its text, of what others declare, and of its mail round by round. So the
files that are linked here go through the rounds with the mail that all others are noted to have sent. If they
send one of the others something else than is noted, that one is linked too, and all begins again. In the end
nobody else has noticed anything.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from graphmer_geo.kg.facts import LinkedFile
from graphmer_geo.kg.resolve.python.ask import ask
from graphmer_geo.kg.resolve.python.corpus import Corpus, TooFar
from graphmer_geo.kg.resolve.python.emit import emitter
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.history import Column, History, history_of, notes_of
from graphmer_geo.kg.resolve.python.log import ROUND_BITS, Log
from graphmer_geo.kg.resolve.python.matching import Matching, Row, Unknown
from graphmer_geo.kg.resolve.python.mro import Entry
from graphmer_geo.kg.resolve.python.noticed import class_name
from graphmer_geo.kg.resolve.python.partial import PartialWorld
from graphmer_geo.kg.resolve.python.portable import Writer
from graphmer_geo.kg.resolve.python.rounds import Mail
from graphmer_geo.kg.resolve.python.solver import Message

log = logging.getLogger(__name__)

MAX_SHARE = 4  #: of all files, one in so many is linked again at most; else all are
MAX_RUNS = 12  #: how often more files may come up

#: Messages between two files, by slot, receiver and sender.
Noted = dict[int, dict[int, dict[int, list[Row]]]]


@dataclass
class Replayed:
    """What came of it."""

    linked: dict[int, LinkedFile]  #: the files whose links may be others than before
    history: History


def replay(corpus: Corpus, changed: Iterable[int]) -> Replayed:
    """Link again what must be.

    Args:
        corpus: All files.
        changed: Those with another text.

    Raises:
        TooFar: If that are too many, or it cannot be said which.
    """
    files = set(changed)
    files |= corpus.noticing(files)
    silent: set[int] = set()  # their variables are asked for, but they do nothing else than before
    for _ in range(MAX_RUNS):
        files |= {file for file, other in corpus.history.notes.looked if other in files}
        if (len(files) + len(silent)) * MAX_SHARE > len(corpus.headers.texts) + MAX_SHARE:
            raise TooFar(f"{len(files)} files are reached")
        run = _Run(corpus, files | silent)
        run.go()
        reached = run.joining - files
        if reached:
            log.debug("%d files are reached: %s", len(reached), sorted(reached)[:20])
            files |= reached
            continue
        asked = run.owners_asked(files) - silent
        if not asked:
            emit = emitter(run.flow)
            return Replayed({file: emit(file) for file in sorted(files)}, run.history())
        silent |= asked
    raise TooFar(f"no end after {MAX_RUNS} runs")


class _Run:
    """One run of some files.

    Args:
        corpus: All files.
        files: Those that are linked.
    """

    def __init__(self, corpus: Corpus, files: set[int]) -> None:
        self.corpus = corpus
        self.files = files
        self.world = PartialWorld(corpus.headers, {file: corpus.facts(file) for file in sorted(files)})
        self.flow = Flow(self.world)
        self.flow.log = self.log = Log()
        self.joining: set[int] = set()  #: files that others tell something else than before
        history = corpus.history
        self.matching = Matching(self.flow, corpus.translator, corpus.forms, history.notes.generation + 1)
        receives, sends = (np.isin(history.mail[who], sorted(files)) for who in ("receiver", "sender"))
        self.inbound = _by_slot(history.rows(receives & ~sends))
        self.outbound = _by_slot(history.rows(sends & ~receives))
        self.announced: dict[int, list[tuple[str, bool]]] = {}  # by all other files
        self.first: dict[str, int] = {}  # from which slot on a name is announced
        for slot, file, name, is_outside in history.notes.announced:
            if file not in files:
                self.announced.setdefault(slot, []).append((name, is_outside))
        self.last: dict[int, int] = {}  # slot of each stage
        for slot in sorted((*self.inbound, *self.outbound, *self.announced)):
            self.last[slot >> ROUND_BITS] = slot

    def go(self) -> None:
        """All stages."""
        for stage, start in enumerate([self.flow.load_names, *self.flow.stages()]):
            if stage == 1:
                self.settle()
            self.flow.begin(start)
            slot = stage << ROUND_BITS
            while self.flow.mail or self.flow.announced or slot < self.last.get(stage, 0):
                slot += 1
                self.compare(slot)
                self.receive(slot)
                self.announce(slot)
                self.flow.round()
        self.joining |= self.corpus.waiting(self.first)

    def settle(self) -> None:
        """Base classes; whoever knows a class with other ones is linked too."""
        own = self.flow.own_bases()
        for klass, entries in own.items():
            file, key = self.corpus.translator.klass(klass)
            if entries != self.corpus.base_entries(file, key) and self.corpus.had_class(file, key):
                self.joining |= self.corpus.met(file, key) | self.corpus.asking([class_name(key)])
        self.flow.settle(_Bases(self.corpus, own))

    def compare(self, slot: int) -> None:
        """Take what goes to other files from the mail; whoever has got something else before is reached."""
        noted = self.outbound.get(slot, {})
        sent = {receiver: self.flow.mail.pop(receiver) for receiver in self.flow.mail.keys() - self.files}
        for receiver in sorted(noted.keys() | sent.keys()):
            before, now = noted.get(receiver, {}), sent.get(receiver, {})
            for sender in sorted(before.keys() | now.keys()):
                if not self.matching.equal(before.get(sender, []), now.get(sender, [])):
                    self.joining.add(receiver)

    def receive(self, slot: int) -> None:
        """Add what other files have sent. Who has sent what means nothing now is reached."""
        for receiver, by_sender in self.inbound.get(slot, {}).items():
            inlets = self.flow.desks[receiver].inlets
            for sender, rows in by_sender.items():
                messages: list[Message] = []
                for row in rows:
                    try:
                        message = self.matching.message(row)
                    except Unknown:
                        self.joining.add(sender)
                        continue
                    if message[0] == Mail.HOLDS and message[1] not in inlets:
                        self.joining.add(sender)
                    else:
                        messages.append(message)
                self.flow.mail.setdefault(receiver, {})[sender] = messages

    def announce(self, slot: int) -> None:
        """Add the attributes that other files announce; what is known by now, they would not."""
        for name, is_outside in self.announced.get(slot, ()):
            if name not in (self.flow.outside if is_outside else self.flow.assigned):
                self.flow.announced[name] = None
        for name in self.flow.announced:
            self.first.setdefault(name, slot)

    def owners_asked(self, files: set[int]) -> set[int]:
        """Other files whose variables the writer of links wants to see, and that are not linked here."""
        self.flow.log = None
        ask(self.flow, files)
        return self.flow.mail.keys() - self.files

    def history(self) -> History:
        """What is to be noted now."""
        writer = Writer(self.corpus.translator, self.flow.objects, self.matching.token)
        part = history_of(self.log, writer, notes_of(self.flow, self.log, self.corpus.translator))
        return self.corpus.history.replaced(self.files, part)


class _Bases:
    """The bases of all classes: of those that are linked here, and as noted."""

    def __init__(self, corpus: Corpus, own: Mapping[int, list[Entry]]) -> None:
        self._corpus = corpus
        self._found = dict(own)

    def __getitem__(self, klass: int, /) -> list[Entry]:
        found = self._found.get(klass)
        if found is None:
            found = self._found[klass] = self._corpus.base_entries(*self._corpus.translator.klass(klass))
        return found


def _by_slot(mail: Mapping[str, Column]) -> Noted:
    found: Noted = {}
    columns = (mail[name].tolist() for name in ("slot", "receiver", "sender", "kind", "name", "object"))
    for slot, receiver, sender, kind, name, value in zip(*columns, strict=True):
        by_sender = found.setdefault(slot, {}).setdefault(receiver, {})
        by_sender.setdefault(sender, []).append((kind, name, value))
    return found
