"""What is known of a corpus in which some files have changed, and who may notice that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

from graphmer_geo.kg.facts import FileFacts
from graphmer_geo.kg.languages.python.text import declared_encoding, keeps_ascii
from graphmer_geo.kg.resolve.python.history import History
from graphmer_geo.kg.resolve.python.matching import Forms
from graphmer_geo.kg.resolve.python.mro import Entry
from graphmer_geo.kg.resolve.python.noticed import aliases, class_name, is_implicit, noticed
from graphmer_geo.kg.resolve.python.partial import Headers, PartialWorld
from graphmer_geo.kg.resolve.python.portable import Translator
from graphmer_geo.kg.resolve.python.texts import Names
from graphmer_geo.kg.words import words_of

MAX_NAMES = 200  #: to look for in every file
_NEVER = 1 << 30


class TooFar(Exception):
    """More may follow than can be told: all files are to be linked."""


class Corpus:
    """What is known of a corpus in which some files have changed.

    Args:
        before: The texts of all headers, as they were.
        after: As they are.
        history: How the files were linked.
        facts: Reads a file.
        texts: Reads a file as it is.
    """

    def __init__(
        self,
        before: Sequence[str],
        after: Sequence[str],
        history: History,
        facts: Callable[[int], FileFacts],
        texts: Callable[[int], bytes],
    ) -> None:
        self.before, self.headers = Headers(before), Headers(after)
        self.history = history
        self.read: dict[int, FileFacts] = {}
        self.translator = Translator(PartialWorld(self.headers, {}))
        self.forms = Forms(history.names, history.objects)
        self._facts = facts
        self._texts = texts
        self._writing: dict[str, set[int]] = {}  # files that write a name
        self._asked: dict[str, set[int]] = {}
        for file, name in history.notes.asked:
            self._asked.setdefault(name, set()).add(file)
        summaries = self.before.summaries, self.headers.summaries
        self._static = [  # before and after
            tuple({name for one in side for name in one.assigned} for side in summaries),
            tuple({name for one in side for name in one.outside} for side in summaries),
        ]
        self.bases = {(file, key): entries for file, key, entries in history.notes.bases}
        self._metaclasses = {(file, key): found for file, key, found in history.notes.metaclasses}

    def facts(self, file: int) -> FileFacts:
        """What a file says."""
        if file not in self.read:
            self.read[file] = self._facts(file)
        return self.read[file]

    def asking(self, names: Iterable[str]) -> set[int]:
        """Files that may look up one of these names, or pass on what it is under another one."""
        found: set[int] = set()
        done: set[str] = set()
        new = set(names)
        while new:
            done |= new
            following: set[str] = set()
            self._look_for(new)
            for name in new:
                found |= self._writing[name] | self._asked.get(name, set())
                for file in self._writing[name]:
                    following.update(aliases(self.headers[file], name))
            new = following - done
        return found

    def _look_for(self, names: set[str]) -> None:
        """Find the files that write some names.

        Raises:
            TooFar: If that cannot be told by looking for bytes, or if they are many.
        """
        new = names - self._writing.keys()
        if len(new) > MAX_NAMES or not all(name.isascii() for name in new):
            raise TooFar(f"{len(new)} names have changed")
        if not new:
            return
        self._writing |= {name: set() for name in new}
        wanted = {name.encode() for name in new}
        for file in range(len(self.headers.texts)):
            text = self._texts(file)
            is_plain = keeps_ascii(declared_encoding(text)[0])
            for word in words_of(wanted, text) if is_plain else wanted:
                self._writing[word.decode()].add(file)

    def noticing(self, changed: Set[int]) -> set[int]:
        """Files that notice what others declare now, without being told by mail.

        Raises:
            TooFar: If that cannot be said.
        """
        found: set[int] = set()
        for file in changed:
            difference = noticed(self.before[file], self.headers[file])
            if difference.is_all:
                raise TooFar("a module has other star imports")
            found |= self.asking(difference.names)
            found |= self.history.receivers(_text(file, key) for key in difference.functions)
            for key, name in difference.members:
                met = self.met(file, key)
                found |= met & self.asking([name]) if name else met
        for file in sorted({*found, *changed}):
            found |= self._told_apart(file)
        return found

    def _told_apart(self, file: int) -> set[int]:
        """Files that know a class of this one whose metaclass is another class than before."""
        world, found = self.translator.world, set[int]()
        for number, info in enumerate(self.headers[file].classes):
            if info.metaclass:
                klass = world.class_base[file] + number
                now = [list(self.translator.klass(meta)) for meta in world.metaclasses(klass)]
                key = self.translator.klass(klass)
                if now != self._metaclasses.get(key, now):
                    found |= self.met(*key) | self.asking([class_name(key[1])])
        return found

    def met(self, file: int, key: str) -> set[int]:
        """Files that know a class or one below it, or one of which it is the metaclass."""
        below = {(file, key)}
        size = 0
        while len(below) > size:
            size = len(below)
            for classes in (self.bases, self._metaclasses):
                below |= {
                    klass for klass, entries in classes.items()
                    if any(isinstance(entry, list) and tuple(entry) in below for entry in entries)
                }  # fmt: skip
        return {one for one, _ in below} | self.history.receivers(_text(*klass) for klass in below)

    def waiting(self, first: Mapping[str, int]) -> set[int]:
        """Files for which it makes a difference when an attribute is known to be assigned.

        Args:
            first: From which slot on attributes are announced now.

        Raises:
            TooFar: If that cannot be said.
        """
        before: dict[str, int] = {}
        for slot, _, name, _ in self.history.notes.announced:
            before[name] = min(slot, before.get(name, slot))
        names: set[str] = set()
        for old, new in self._static:
            for name in {*before, *first, *(old ^ new)}:
                was = 0 if name in old else before.get(name, _NEVER)
                if was != (0 if name in new else first.get(name, _NEVER)):
                    names.add(name)
            for name in old - new:
                self._not_filled(name)
        if any(is_implicit(name) for name in names):
            raise TooFar("an attribute that the language asks for is assigned")
        return self.asking(names)

    def _not_filled(self, name: str) -> None:
        """An attribute may be assigned by who does not write its name: arguments become fields."""
        for file in self.asking([name]):
            if any(name in info.fields for info in self.headers[file].classes):
                raise TooFar(f"nothing is known to assign the field {name!r}")

    def had_class(self, file: int, key: str) -> bool:
        """Whether there was such a class before."""
        return key in Names(self.before[file]).klass

    def base_entries(self, file: int, key: str) -> list[Entry]:
        """The bases of a class, as noted."""
        found: list[Entry] = []
        for entry in self.bases.get((file, key), ()):
            found.append(self.translator.class_number(*entry) if isinstance(entry, list) else entry)
        return found


def _text(file: int, key: str) -> str:
    return json.dumps([file, key])
