"""Linking of some files of a corpus, while other processes link the others.

All processes go through the rounds in lock-step. The one that has the first file sees from what the others
report when nobody has mail any more, and then calls the next stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphmer_geo.kg.languages.base import Message
from graphmer_geo.kg.resolve.python.ask import ask
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.mro import Entry
from graphmer_geo.kg.resolve.python.wire import Wire

_NAMES, _BASES = 0, 1  # the first two stages; the others are those of the flow, and the last one asks


class Split:
    """Drives the linking of some files."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.wire = Wire(flow.objects)
        self.stages = flow.stages()
        self.last = len(self.stages) + 2
        self.stage = -1
        self.lead = min(flow.desks, default=-1)  #: the first file of this process stands for the process
        self.leads: list[int] = []
        self.bases: dict[int, list[Entry]] = {}
        self.reports: dict[int, tuple[int, int]] = {}  # lead -> files, and mail that it has sent

    def exchange(self, inbox: Sequence[Message]) -> list[Message]:
        """One round."""
        if self.stage > self.last or not self.flow.desks:
            return []
        called = self.stage < 0
        self.reports = {}
        for message in inbox:
            called |= self._receive(message)
        outbox: list[Message] = []
        if called:
            self.stage += 1
            self.reports = {}  # of the stage before
            if self.stage > self.last:
                return []
            self._begin(outbox)
        else:
            self.flow.round()
        self._post(outbox)
        if self.lead == 0:
            self._call(outbox)
        return outbox

    def _receive(self, message: Message) -> bool:
        """Take in a message; whether it calls the next stage."""
        what, *content = message.payload
        if what == "mail":
            mail = [self.wire.read(each) for each in content[0]]
            self.flow.mail.setdefault(message.receiver, {})[message.sender] = mail
        elif what == "names":
            self.flow.announced.update(dict.fromkeys(content[0]))
        elif what == "bases":
            self.bases |= content[0]
        elif what == "report" and content[0] == self.stage:
            self.reports[message.sender] = content[1], content[2]
        elif what == "call":
            self.leads = content[0]
            return True
        return False

    def _begin(self, outbox: list[Message]) -> None:
        """Begin a stage."""
        if self.stage == _NAMES:
            self.flow.begin(self.flow.load_names)
        elif self.stage == _BASES:
            self.bases |= self.flow.own_bases()
            outbox += self._to_all("bases", dict(self.bases))
        elif self.stage < self.last:
            self.flow.settle(self.bases)
            self.flow.begin(self.stages[self.stage - 2])
        else:
            self.flow.log = None
            ask(self.flow, self.flow.desks)

    def _to_all(self, *payload: Any) -> list[Message]:
        return [Message(self.lead, lead, payload) for lead in self.leads if lead != self.lead]

    def _post(self, outbox: list[Message]) -> None:
        """Send what is for files of other processes, and report how much there is for whomever."""
        mail = self.flow.mail
        for receiver in sorted(mail.keys() - self.flow.desks.keys()):
            for sender, messages in sorted(mail.pop(receiver).items()):
                payload = "mail", [self.wire.write(each) for each in messages]
                outbox.append(Message(sender, receiver, payload))
        if self.flow.announced:
            outbox += self._to_all("names", list(self.flow.announced))
        pending = len(outbox) + len(mail) + len(self.flow.announced)
        outbox.append(Message(self.lead, 0, ("report", self.stage, len(self.flow.desks), pending)))

    def _call(self, outbox: list[Message]) -> None:
        """Call the next stage if nobody had any mail in the round before."""
        is_complete = sum(files for files, _ in self.reports.values()) == self.flow.world.size
        if is_complete and not any(pending for _, pending in self.reports.values()):
            leads = sorted(self.reports)
            outbox += [Message(0, lead, ("call", leads)) for lead in leads]
