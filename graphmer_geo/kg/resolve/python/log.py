"""Notes, while files are linked, what they send each other, round by round: see :mod:`history`."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphmer_geo.kg.resolve.python.solver import Message

ROUND_BITS: Final = 16  #: of a slot, which is a round of a stage


class Log:
    """The mail of the files that are linked here, with numbers that mean nothing elsewhere."""

    def __init__(self) -> None:
        self.slot = -1 << ROUND_BITS
        self.groups = array("i")  # slot, receiver, sender, and how many messages
        self.kinds = array("i")
        self.names = array("i")
        self.values = array("i")
        self.numbers: dict[tuple[Any, ...], int] = {}  # name -> number in `names`
        self.announced: list[tuple[int, int, str, bool]] = []  # from which slot on, file, name, which set

    def stage(self) -> None:
        """The next stage begins."""
        self.slot = ((self.slot >> ROUND_BITS) + 1) << ROUND_BITS

    def round(self, mail: Mapping[int, Mapping[int, Sequence[Message]]]) -> None:
        """Some mail is delivered."""
        self.slot += 1
        numbers, kinds, names, values = self.numbers, self.kinds, self.names, self.values
        for receiver, by_sender in mail.items():
            for sender, messages in by_sender.items():
                self.groups.extend((self.slot, receiver, sender, len(messages)))
                for kind, name, value in messages:
                    if name[1] == "slot":
                        name = (*name, type(name[3]).__name__)  # 1 and True are equal, and not the same
                    number = numbers.get(name)
                    if number is None:
                        number = numbers[name] = len(numbers)
                    kinds.append(kind)
                    names.append(number)
                    values.append(value)

    def announce(self, file: int, name: str, is_outside: bool) -> None:
        """A file assigns an attribute that was not known to be assigned."""
        self.announced.append((self.slot + 1, file, name, is_outside))
