"""Files exchange objects in rounds, so the result does not depend on which file is worked on first, or where.

A file sees a variable of another one through an *inlet*, a variable of its own that mirrors it, and gives it
objects through an *outlet*. In each round every file that got messages takes them, in the order of the files
that sent them, and goes on to its own fix-point; what it sends meanwhile is delivered in the next round. So
what a file does is a function of the messages that it gets, round by round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from graphmer_geo.kg.resolve.python.log import Log
from graphmer_geo.kg.resolve.python.solver import Desk, Message, Name, Solver
from graphmer_geo.kg.resolve.python.world import World


class Mail:
    """Kinds of messages; the comment says who gets the name and the value."""

    SUBSCRIBE: Final = 0  # owner of the variable: tell me what it holds
    HOLDS: Final = 1  # subscriber: the variable holds this object
    PUT: Final = 2  # owner of the variable: put this object into it
    TOUCH: Final = 3  # owner of a container: there is such an element
    MERGE: Final = 4  # owner of a container: its elements go to another container


class Rounds(Solver):
    """Adds variables of other files."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        #: in which order files are worked on; any gives the same result
        self.turn: Callable[[Iterable[int]], Iterable[int]] = sorted
        self.mail: dict[int, dict[int, list[Message]]] = {}  # receiver -> sender -> messages
        self.assigned = set(world.assigned)  # names of attributes that are assigned somewhere,
        self.outside = set(world.outside)  # and not only on an instance in a method of its class
        self.announced: dict[str, None] = {}  # more such names, for the next round
        self.waiting: dict[str, dict[int, None]] = {}  # attribute name -> files that wait for it
        self.log: Log | None = None  #: notes what files send each other

    # -- within a file -----------------------------------------------------------------------------

    def source(self, file: int, local: int) -> int:
        """A variable of a file, to read from."""
        if not local:
            return 0
        return self.at.variables + local if file == self.at.file else self.inlet((file, local))

    def target(self, file: int, local: int) -> int:
        """A variable of a file, to put something into."""
        if not local:
            return 0
        return self.at.variables + local if file == self.at.file else self.outlet((file, local))

    def inlet(self, name: Name) -> int:
        """The mirror of a variable of another file."""
        variable = self.at.inlets.get(name)
        if variable is None:
            variable = self.at.inlets[name] = self.new()
            self.send(name[0], (Mail.SUBSCRIBE, name, 0))
        return variable

    def outlet(self, name: Name) -> int:
        """A variable of this file; what is put into it goes to a variable of another file."""
        variable = self.at.outlets.get(name)
        if variable is None:
            variable = self.at.outlets[name] = self.new()
            self.users[variable] = [(self.put_there, (name,))]
            if name[1] == "slot":
                self.send(name[0], (Mail.TOUCH, name, 0))
        return variable

    def put_there(self, obj: int, name: Name) -> None:
        """An object leaves for a variable of another file."""
        self.send(name[0], (Mail.PUT, name, obj))

    def tell(self, obj: int, subscriber: int, name: Name) -> None:
        """Another file mirrors a variable of this one."""
        self.send(subscriber, (Mail.HOLDS, name, obj))

    def send(self, receiver: int, message: Message) -> None:
        """A message to a file, for the next round."""
        outbox = self.at.outbox
        messages = outbox.get(receiver)
        if messages is None:
            outbox[receiver] = [message]
        else:
            messages.append(message)

    def deliver(self, sender: int, message: Message) -> None:
        """A message arrives at the file that is worked on."""
        kind, name, value = message
        if kind == Mail.HOLDS:
            self.put(self.at.inlets[name], value)
        elif kind == Mail.PUT:
            self.put(self.resolve(name), value)
        elif kind == Mail.SUBSCRIBE:
            self.use(self.resolve(name), self.tell, sender, name)
        elif kind == Mail.TOUCH:
            self.resolve(name)
        else:
            self.merge(name[2], value)

    def resolve(self, name: Name) -> int:
        """The variable of this file that another one has named."""
        if len(name) == 2:
            variable: int = self.at.variables + name[1]
            return variable
        return self.named(name)

    def named(self, name: Name) -> int:
        """The variable of this file with a name that is no number."""
        raise NotImplementedError

    def merge(self, box: int, into: int) -> None:
        """The elements of a container of this file go to another container."""
        raise NotImplementedError

    def announce(self, name: str, is_outside: bool) -> None:
        """An attribute name is assigned: tell those that wait for it."""
        self.announced[name] = None
        if self.log is not None:
            self.log.announce(self.at.file, name, is_outside)

    def recall(self, name: str) -> None:
        """An attribute name that this file waits for is assigned somewhere."""
        raise NotImplementedError

    # -- all files ---------------------------------------------------------------------------------

    def begin(self, start: Callable[[Desk], None]) -> None:
        """Every file does something, before any of them gets mail."""
        if self.log is not None:
            self.log.stage()
        for file in self.turn(self.desks):
            self.at = self.desks[file]
            start(self.at)
            self.finish()

    def stage(self, start: Callable[[Desk], None]) -> None:
        """Every file does something, then they exchange objects until there is nothing to exchange."""
        self.begin(start)
        while self.mail or self.announced:
            self.round()

    def round(self) -> None:
        """Deliver what was sent in the round before; all of it is for files that are linked here."""
        mail, self.mail = self.mail, {}
        if self.log is not None:
            self.log.round(mail)
        names, self.announced = sorted(self.announced), {}
        self.assigned.update(names)
        self.outside.update(names)
        recalled: dict[int, list[str]] = {}
        for name in names:
            for file in self.waiting.pop(name, ()):
                recalled.setdefault(file, []).append(name)
        for file in self.turn(mail.keys() | recalled.keys()):
            self.at = self.desks[file]
            for name in recalled.get(file, ()):
                self.recall(name)
            for sender, messages in sorted(mail.get(file, {}).items()):
                for message in messages:
                    self.deliver(sender, message)
            self.finish()

    def finish(self) -> None:
        """Go on with a file until it has nothing to do, and post what it sends."""
        self.run()
        for receiver, messages in self.at.outbox.items():
            self.mail.setdefault(receiver, {})[self.at.file] = messages
        self.at.outbox = {}
