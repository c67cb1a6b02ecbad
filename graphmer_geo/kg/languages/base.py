"""The contract between a language and the rest of the KG builder.

Files are dealt to processes. Each process extracts its own files, keeps their facts, and links them; what it
knows of all other files is what they *share*, and what their linkers write to its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile


class Message(NamedTuple):
    """What the linking of one file has to say to that of another one."""

    sender: int  #: index of a file in the corpus
    receiver: int
    payload: Any  #: picklable; the same whatever process the files are in


class Linker(Protocol):
    """Links the files of one process."""

    def exchange(self, inbox: Sequence[Message]) -> list[Message]:
        """One round: takes what other files' linkers wrote in the round before, returns what is to be said.

        All processes take part in each round, until nobody writes. The first round has an empty inbox. An
        inbox is ordered by receiver, then sender; messages between two files keep their order. So the result
        does not depend on which process has which file.
        """
        ...

    def link(self, index: int) -> LinkedFile:
        """What the file with this index refers to. Called once for each file of this process, in order."""
        ...


class Updates(Protocol):
    """How a language links few files anew when few have changed, on what the others were noted to share."""

    def header(self, shared: object) -> str:
        """What a file shares, as text; no code may run when that is read."""
        ...

    def recall(self, header: str) -> object:
        """What a file shares, from that text."""
        ...

    def affected(self, before: Mapping[str, str], after: Mapping[str, str]) -> Callable[[bytes], bool] | None:
        """Which files may link otherwise, though they have not changed themselves.

        Args:
            before: The headers of all files of the earlier corpus, by file key, in its order.
            after: Those of the corpus now.

        Returns:
            Whether a file with this text may; None: all may.
        """
        ...


class NotingLinker(Linker, Protocol):
    """A linker that notes what files send each other."""

    def history(self) -> object:
        """What was noted: picklable. Asked for when all files are linked."""
        ...


class History(Protocol):
    """What was noted of the linking of all files."""

    def save(self, folder: Path) -> None:
        """Write it into a folder, which is made; no code may run when that is read."""
        ...


class Replays(Protocol):
    """How a language links few files anew on what all files were noted to send each other.

    Files are called by their place in the corpus, which must have the same files in the same order as before.
    """

    def header(self, shared: object) -> str:
        """What a file shares, as text; no code may run when that is read."""
        ...

    def linker(self, shared: Sequence[object], mine: Mapping[int, FileFacts]) -> NotingLinker:
        """As :meth:`Language.linker`."""
        ...

    def merged(self, parts: Sequence[object]) -> History:
        """What all linkers of a corpus have noted."""
        ...

    def load(self, folder: Path) -> History | None:
        """What was saved in a folder; None if there is nothing that can be read."""
        ...

    def replay(
        self,
        history: History,
        before: Sequence[str],
        after: Sequence[str],
        changed: Iterable[int],
        facts: Callable[[int], FileFacts],
        texts: Callable[[int], bytes],
    ) -> tuple[dict[int, LinkedFile], History] | None:
        """Link again the files whose links may be others than before.

        Args:
            history: What was noted.
            before: The headers of all files, as they were.
            after: As they are.
            changed: The files with another text.
            facts: Extracts a file.
            texts: Reads a file as it is.

        Returns:
            Their links, and what is to be noted now; None: all files are to be linked.
        """
        ...


class Language(Protocol):
    """Everything the builder needs to know about one programming language.

    Without both ``updates`` and ``replays``, all files are linked again whenever one changes.
    """

    updates: Updates | None
    @property
    def replays(self) -> Replays | None:
        """The other way to link few files anew."""
        ...

    name: str  #: the language's name in IRIs and in ``gm:language``
    extensions: tuple[str, ...]  #: file endings, with the dot

    def module_name(self, path: str, source: bytes) -> str:
        """Dotted module (Python) or package (Java) name of the file at a POSIX path relative to its root."""
        ...

    def extract(self, file: SourceFile, source: bytes) -> FileFacts:
        """Parse one file. Pure, total (never raises on bad code) and safe to run in a worker process."""
        ...

    def share(self, facts: FileFacts) -> object:
        """What the linking of other files may need to know of this one: picklable, and small."""
        ...

    def linker(self, shared: Sequence[object], mine: Mapping[int, FileFacts]) -> Linker:
        """A linker for some files of a corpus.

        Args:
            shared: What each file of the corpus shares, in the order of the corpus.
            mine: The facts of the files to link, by their index in the corpus.
        """
        ...


def link_all(language: Language, files: Sequence[FileFacts]) -> list[LinkedFile]:
    """Link a whole corpus in this process; one result per file, in the same order."""
    linker = language.linker([language.share(facts) for facts in files], dict(enumerate(files)))
    messages = linker.exchange([])
    while messages:
        messages = linker.exchange(in_order(messages))
    return [linker.link(index) for index in range(len(files))]


def in_order(messages: Sequence[Message]) -> list[Message]:
    """Messages as an inbox has them."""
    return sorted(messages, key=_route)


def _route(message: Message) -> tuple[int, int]:
    return message.receiver, message.sender
