"""From the operations of all files to the fix-point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphmer_geo.kg.languages.python.ir import Op
from graphmer_geo.kg.resolve.python.calls import Call
from graphmer_geo.kg.resolve.python.generics import Generics
from graphmer_geo.kg.resolve.python.objects import Kind
from graphmer_geo.kg.resolve.python.solver import Desk
from graphmer_geo.kg.resolve.python.world import World

Stage = Callable[[Desk], None]
Handler = Callable[["Flow", int, int, tuple[Any, ...]], None]
ROUNDS = 3  #: times that assumptions are added where the flow found nothing


class Flow(Generics):
    """Loads the operations and runs them.

    First only names, imports and attributes, until base classes are known; then calls and all the rest; then,
    where a receiver, an annotated variable or a decorated name is still empty, what its definition says.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.literal: set[int] = set()  # variables of literals

    def stages(self) -> list[Stage]:
        """What every file does after base classes are known; all finish one before any begins the next."""
        assume = [self.assume_decorated_unknown, self.assume_decorated, self.assume_types]
        return [self.load_operations, *assume * ROUNDS]

    def solve(self) -> None:
        """Reach the fix-point, of a corpus all of whose files are linked here."""
        self.stage(self.load_names)
        self.settle(self.own_bases())
        for start in self.stages():
            self.stage(start)

    def load_copies(self, desk: Desk) -> None:
        """Copies and attribute reads, before anything is held: nothing to propagate yet."""
        base = desk.variables
        all_edges, all_users, load, copy, attribute = self.edges, self.users, self.load, Op.COPY, Op.ATTR
        for op in self.world.syntax[desk.file].ops:
            code = op[0]
            if code == copy:
                if op[2]:
                    source, target = base + op[2], base + op[1]
                    edges = all_edges[source]
                    if edges is None:
                        all_edges[source] = [target]
                    else:
                        edges.append(target)
            elif code == attribute:
                source, user = base + op[2], (load, (base + op[1], op[3]))
                users = all_users[source]
                if users is None:
                    all_users[source] = [user]
                else:
                    users.append(user)

    def load_names(self, desk: Desk) -> None:
        """What definitions, literals and imports hold; everything else waits for the second stage."""
        self.load_copies(desk)
        file, base, functions, classes = desk.file, desk.variables, desk.functions, desk.classes
        put, copy, attribute = self.put, Op.COPY, Op.ATTR
        for op in self.world.syntax[desk.file].ops:
            code = op[0]
            if code == copy or code == attribute:
                continue
            if code == Op.FUNC:
                put(base + op[1], self.object(Kind.FUNCTION, functions + op[2]))
            elif code == Op.CLASS:
                put(base + op[1], self.object(Kind.CLASS, classes + op[2]))
            elif code == Op.CONST:
                put(base + op[1], self.object(Kind.VALUE, type(op[2]).__name__, op[2]))
                self.literal.add(base + op[1])
            elif code == Op.TYPE:
                put(base + op[1], self.object(Kind.FOREIGN, op[2]))
                self.literal.add(base + op[1])
            elif code == Op.GLOBAL:
                self.load_global(file, op[2], base + op[1])
            elif code == Op.IMPORT:
                self.load_import(file, op[2], base + op[1])
            else:
                if code == Op.BOX:
                    self.literal.add(base + op[1])
                desk.dynamic.append(op)

    # -- stage two ---------------------------------------------------------------------------------

    def load_operations(self, desk: Desk) -> None:
        """Everything else: bases are known now."""
        for obj, target, name in desk.postponed:
            self.load(obj, target, name)
        for info in self.world.syntax[desk.file].functions:
            for param in info.params:
                if param.default:
                    self.link(desk.variables + param.default, desk.variables + param.variable)
        for op in desk.dynamic:
            _DYNAMIC[op[0]](self, desk.variables, desk.entities, op)
        desk.dynamic.clear()

    def do_setattr(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """``base.name = value``."""
        if op[3]:
            self.use(base + op[1], self.store, base + op[3], op[2])
        else:
            self.use(base + op[1], self.store, 0, op[2])

    def do_item(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """``base[key]``."""
        key = base + op[3] if op[3] else 0
        self.use(base + op[2], self.item, base + op[1], key, entities + op[4])

    def do_setitem(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """``base[key] = value``."""
        key, source = base + op[2] if op[2] else 0, base + op[3] if op[3] else 0
        self.use(base + op[1], self.set_item, key, source, entities + op[4])

    def do_call(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """A call."""
        positional = tuple((base + v if v else 0, starred) for v, starred in op[3])
        named = tuple((name, base + v if v else 0) for name, v in op[4])
        self.use(
            base + op[2], self.call, self.make_call(base + op[1], positional, named, entities + op[5], op[6])
        )

    def do_box(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """A container display."""
        box = self.box(op[2], self.at.file, "display", op[1], op[4])
        for key, variable in op[3]:
            slot = self.slot(box, key)
            if variable:
                self.link(base + variable, slot)
        self.put(base + op[1], box)

    def do_iter(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """Iteration."""
        if op[2]:
            self.use(base + op[2], self.iterate, base + op[1], entities + op[3])

    def do_unpack(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """Unpacking into targets."""
        self.use(base + op[2], self.unpack, base + op[1], op[3], op[4], entities + op[5])

    def do_binary(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """An operator."""
        target, left, right = base + op[1], base + op[2] if op[2] else 0, base + op[3] if op[3] else 0
        if left:
            self.use(left, self.operate_left, target, right, op[4], entities + op[5])
        if right:
            self.use(right, self.operate_right, target, left, op[4], entities + op[5])

    def do_enter(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """A ``with`` item."""
        self.use(base + op[2], self.enter_context, base + op[1], entities + op[3])

    def do_super(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """``super()``."""
        if op[3]:
            self.use(base + op[3], self.super_of, base + op[1], self.at.classes + op[2])

    def super_of(self, receiver: int, target: int, klass: int) -> None:
        """The proxy for one receiver."""
        kind, first, _ = self.table[receiver]
        if kind in (Kind.INSTANCE, Kind.CLASS) and klass in self.order(first):
            self.put(target, self.object(Kind.SUPER, klass, receiver))

    def do_annotated(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """Remember an annotation for stage three."""
        self.at.annotations.append((base + op[1], base + op[2]))

    def do_raise(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """``raise C``."""
        self.use(base + op[1], self.raise_class, entities + op[2])

    def raise_class(self, obj: int, caller: int) -> None:
        """``raise C`` makes an instance of C."""
        if self.table[obj][0] == Kind.CLASS:
            self.call(obj, self.simple_call(0, (), caller))

    def do_slice(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """``base[low:high]``."""
        if op[2]:
            self.use(base + op[2], self.part, base + op[1], op[3], op[4])

    def do_decorate(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """``@decorator``."""
        result, decorated = base + op[1], base + op[3]
        call = self.simple_call(result, (decorated,), entities + op[4])
        self.at.decorations.append((result, base + op[2], decorated))
        self.use(base + op[2], self.decorate, call, decorated)

    def decorate(self, obj: int, call: Call, decorated: int) -> None:
        """A decorator from outside the corpus is taken to keep what the function does."""
        if self.table[obj][0] in (Kind.EXTERNAL, Kind.FOREIGN, Kind.METHOD):
            self.link(decorated, call.result)
        else:
            self.call(obj, call)

    def do_ask(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """A condition, an f-string, ``del``, ``await``."""
        self.use(base + op[1], self.ask, op[2], entities + op[3])

    def do_generic(self, base: int, entities: int, op: tuple[Any, ...]) -> None:
        """A type with arguments."""
        arguments = tuple(base + v if v else 0 for v in op[3])
        self.use(base + op[2], self.parametrise, base + op[1], arguments, op[4])

    # -- stage three -------------------------------------------------------------------------------

    def assume_decorated_unknown(self, desk: Desk) -> None:
        """Where nothing is known of an item's key, or of a decorator (``@wraps(f)``).

        These come first: what such a decorator decorates may be the result of another one.
        """
        self.close_items()
        for result, decorator, decorated in desk.decorations:
            if not self.held[result] and not self.held[decorator]:
                self.link(decorated, result)

    def assume_decorated(self, desk: Desk) -> None:
        """A decorator that gives nothing known is taken to keep what the function does."""
        for result, _, decorated in desk.decorations:
            if not self.held[result]:
                self.link(decorated, result)

    def assume_types(self, desk: Desk) -> None:
        """What definitions say of receivers, annotated variables and results."""
        self.assume_receivers(desk)
        for variable, types in desk.annotations:
            self.assume_type(variable, types)
        for info in self.world.syntax[desk.file].functions:
            if info.returns_type and not info.is_generator:
                self.assume_type(desk.variables + info.returned, desk.variables + info.returns_type)

    def assume_receivers(self, desk: Desk) -> None:
        """A method that nobody is seen to call is called on an instance of its own class."""
        syntax = self.world.syntax[desk.file]
        for info in syntax.functions:
            if info.klass < 0 or not info.params or self.held[desk.variables + info.params[0].variable]:
                continue
            if info.params[0].variable in syntax.receivers:
                is_class = info.binding == "class" or info.name == "__new__"
                kind = Kind.CLASS if is_class else Kind.INSTANCE
                own = self.object(kind, desk.classes + info.klass)
                self.put(desk.variables + info.params[0].variable, own)

    def assume_type(self, variable: int, types: int) -> None:
        """The annotation counts unless something more special is known."""
        if any(self.table[obj][0] == Kind.INSTANCE for obj in self.values(variable)):
            return
        for obj in self.values(types):
            self.instance_of(obj, variable)


_DYNAMIC: dict[int, Handler] = {
    Op.SETATTR: Flow.do_setattr,
    Op.ITEM: Flow.do_item,
    Op.SETITEM: Flow.do_setitem,
    Op.CALL: Flow.do_call,
    Op.BOX: Flow.do_box,
    Op.ITER: Flow.do_iter,
    Op.UNPACK: Flow.do_unpack,
    Op.BINARY: Flow.do_binary,
    Op.ENTER: Flow.do_enter,
    Op.SUPER: Flow.do_super,
    Op.ANNOTATED: Flow.do_annotated,
    Op.RAISE: Flow.do_raise,
    Op.SLICE: Flow.do_slice,
    Op.DECORATE: Flow.do_decorate,
    Op.ASK: Flow.do_ask,
    Op.GENERIC: Flow.do_generic,
}
