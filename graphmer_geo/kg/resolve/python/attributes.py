"""Attribute access: modules, classes, instances, ``super()``, properties, things outside the corpus."""

from __future__ import annotations

from graphmer_geo.kg.resolve.python.classes import ClassTable
from graphmer_geo.kg.resolve.python.mro import Entry
from graphmer_geo.kg.resolve.python.objects import Kind, box_type, external_member, looks_like_class
from graphmer_geo.kg.resolve.python.typeshed import attribute_types
from graphmer_geo.kg.resolve.python.world import World


class Attributes(ClassTable):
    """Adds reading and writing of attributes."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.own_fields: dict[tuple[int, str], int] = {}  # attributes of functions and the like

    # -- modules -----------------------------------------------------------------------------------

    def module_object(self, module: str) -> int:
        """The object for a dotted module name."""
        index = self.world.modules.get(module)
        if index is not None:
            return self.object(Kind.MODULE, index)
        if module in self.world.packages:
            return self.object(Kind.NAMESPACE, module)
        return self.object(Kind.EXTERNAL, module)

    def load_module(self, module: str, name: str, target: int) -> None:
        """``module.name`` flows to ``target``."""
        world = self.world
        index = world.modules.get(module)
        whole = f"{module}.{name}" if module else name
        held = world.holder(index, name) if index is not None else None
        if held is not None:
            self.link(self.source(*held), target)
        if whole in world.modules or whole in world.packages:
            if held is None or not world.declarations(*held):
                self.put(target, self.module_object(whole))
        elif index is None and module not in world.packages:
            self.put(target, self.object(Kind.EXTERNAL, whole))

    def load_import(self, file: int, index: int, target: int) -> None:
        """What an import binds flows to ``target``."""
        binding = self.world.syntax[file].imports[index]
        module = self.world.locate(file, binding.module)
        source = self.world.headers[file].source
        if binding.name is not None:
            whole = f"{module}.{binding.name}"
            if module == source.module and whole in self.world.modules:  # `from . import a` in the package
                self.put(target, self.module_object(whole))
            self.load_module(module, binding.name, target)
        else:
            self.put(target, self.module_object(module.partition(".")[0] if binding.root else module))

    def load_global(self, file: int, name: str, target: int) -> None:
        """A name from a star import, or built in, flows to ``target``."""
        held = self.world.holder(file, name)
        if held is not None:
            self.link(self.source(*held), target)
        for found in self.world.unbound(file, name):
            if found.entity < 0:
                self.put(target, self.object(Kind.EXTERNAL, found.external))

    # -- reading -----------------------------------------------------------------------------------

    def load(self, obj: int, target: int, name: str) -> None:
        """``obj.name`` flows to ``target``."""
        kind, first, second = self.table[obj]
        if kind == Kind.MODULE:
            self.load_module(self.world.headers[first].source.module, name, target)
        elif kind == Kind.NAMESPACE:
            self.load_module(first, name, target)
        elif kind == Kind.EXTERNAL or kind == Kind.FOREIGN:
            if kind == Kind.EXTERNAL and self.settled and not looks_like_class(first):
                return  # a value that travelled (`sys.prefix`): its members are not members of its name
            found = external_member(first, name)
            if found is not None:
                self.put(target, self.object(Kind.EXTERNAL, found))
                for given in attribute_types(found):
                    self.put(target, self.object(Kind.FOREIGN, given))
        elif kind == Kind.INSTANCE:
            self.load_instance(obj, first, target, name)
        elif kind == Kind.CLASS:
            self.load_class(obj, first, target, name)
        elif kind == Kind.SUPER:
            self.load_super(first, second, target, name)
        elif kind == Kind.BOX:
            found = external_member(box_type(first), name)
            if found is not None:
                self.put(target, self.object(Kind.METHOD, found, obj))
        elif kind == Kind.VALUE:
            found = external_member(f"builtins.{first}", name)
            if found is not None:
                self.put(target, self.object(Kind.EXTERNAL, found))
        elif kind == Kind.BOUND and name == "__func__":
            self.put(target, self.object(Kind.FUNCTION, first))
        elif kind in (Kind.FUNCTION, Kind.BOUND):
            file = self.world.function_file[first]
            own = file == self.at.file
            source = self.own_field(first, name) if own else self.inlet((file, "own", first, name))
            self.link(source, target)

    def own_field(self, function: int, name: str) -> int:
        """The variable of an attribute of a function of this file."""
        key = (function, name)
        if key not in self.own_fields:
            self.own_fields[key] = self.new()
        return self.own_fields[key]

    def load_instance(self, obj: int, klass: int, target: int, name: str) -> None:
        """``instance.name``, looked up once in each file."""
        key = (obj, name)
        member = self.at.members.get(key)
        if member is None:
            member = self.at.members[key] = self.new()
            self.look_up(obj, klass, member, name)
        self.link(member, target)

    def look_up(self, obj: int, klass: int, target: int, name: str) -> None:
        """An instance's own field, or a member of its class."""
        if name == "__class__":
            self.put(target, self.object(Kind.CLASS, klass))
            return
        order = self.order(klass)
        self.read_fields(order, name, target)
        found = self.find(order, name)
        for variable in self.added(order, name):
            self.use(variable, self.bind_member, target, obj)
        if isinstance(found, tuple):
            self.use(self.member(found), self.bind_member, target, obj)
        elif self.has_field(order, name):
            return
        elif isinstance(found, str):
            whole = external_member(found, name)
            if whole is not None:
                self.put(target, self.object(Kind.EXTERNAL, whole))
        else:
            self.load_through(obj, "__getattr__", target)

    def load_through(self, obj: int, method: str, target: int) -> None:
        """What a method of an instance's class that answers attribute access gives, if it has one."""
        found = self.find(self.order(self.table[obj][1]), method)
        if isinstance(found, tuple):
            self.use(self.member(found), self.answer, obj, target)

    def answer(self, member: int, receiver: int, target: int) -> None:
        """``__getattr__`` or ``__get__`` runs."""
        kind, first, _ = self.table[member]
        if kind == Kind.FUNCTION:
            self.call_property(first, receiver, target)

    def load_class(self, obj: int, klass: int, target: int, name: str) -> None:
        """``Class.name``, looked up along its order."""
        if not self.settled and name not in self.world.classes[klass].attributes:
            self.at.postponed.append((obj, target, name))
            return
        order: list[Entry] = self.order(klass) if self.settled else [klass]
        for variable in self.added(order, name):
            self.use(variable, self.bind_class_member, target, obj)
        found = self.find(order, name)
        if isinstance(found, tuple):
            self.use(self.member(found), self.bind_class_member, target, obj)
        elif isinstance(found, str):
            whole = external_member(found, name)
            if whole is not None:
                self.put(target, self.object(Kind.EXTERNAL, whole))

    def load_super(self, klass: int, receiver: int, target: int, name: str) -> None:
        """``super().name``, looked up behind ``klass`` in the order of the receiver."""
        rest = self.after(receiver, klass)
        found = self.find(rest, name)
        kind = self.table[receiver][0]
        bind = self.bind_class_member if kind == Kind.CLASS else self.bind_member
        for variable in self.added(rest, name):
            self.use(variable, bind, target, receiver)
        if isinstance(found, tuple):
            self.use(self.member(found), bind, target, receiver)
        elif isinstance(found, str):
            whole = external_member(found, name)
            if whole is not None:
                self.put(target, self.object(Kind.EXTERNAL, whole))
        elif not any(entry is None or isinstance(entry, str) for entry in rest):
            whole = external_member("builtins.object", name)
            if whole is not None:
                self.put(target, self.object(Kind.EXTERNAL, whole))

    def bind_member(self, member: int, target: int, receiver: int) -> None:
        """What an instance gives for a member of its class."""
        kind, first, _ = self.table[member]
        if kind == Kind.FUNCTION:
            how = self.info(first)[0].binding
            if how == "property":
                self.call_property(first, receiver, target)
            elif how == "static":
                self.put(target, member)
            elif how == "class":
                self.put(target, self.object(Kind.BOUND, first, self.class_of(receiver)))
            else:
                self.put(target, self.object(Kind.BOUND, first, receiver))
        elif kind == Kind.PROPERTY:
            self.call_property(first, receiver, target)
        elif kind == Kind.INSTANCE and isinstance(self.find(self.order(first), "__get__"), tuple):
            self.load_through(member, "__get__", target)
        else:
            self.put(target, member)

    def bind_class_member(self, member: int, target: int, klass: int) -> None:
        """What a class gives for a member of its own."""
        kind, first, _ = self.table[member]
        if kind == Kind.FUNCTION and self.info(first)[0].binding == "class":
            self.put(target, self.object(Kind.BOUND, first, klass))
        else:
            self.put(target, member)

    def class_of(self, obj: int) -> int:
        """The class of an instance; anything else as it is."""
        kind, first, _ = self.table[obj]
        return self.object(Kind.CLASS, first) if kind == Kind.INSTANCE else obj

    def call_property(self, function: int, receiver: int, target: int) -> None:
        """Reading a property calls its getter."""
        info, file = self.info(function)
        if info.params:
            self.put(self.target(file, info.params[0].variable), receiver)
        self.link(self.source(file, info.returned), target)

    # -- writing -----------------------------------------------------------------------------------

    def store(self, obj: int, source: int, name: str) -> None:
        """``obj.name = source``."""
        kind, first, _ = self.table[obj]
        if kind == Kind.INSTANCE:
            if name not in self.assigned:
                self.announce(name, False)
            self.link(source, self.field_target("field", first, name))
            found = self.find(self.order(first), name)
            if isinstance(found, tuple):
                self.use(self.member(found), self.store_property, obj, source)
        elif kind == Kind.CLASS:
            local = self.world.classes[first].attributes.get(name)
            if local:
                self.link(source, self.target(self.world.class_file[first], local))
            else:
                if name not in self.outside:
                    self.announce(name, True)
                self.link(source, self.field_target("added", first, name))
        elif kind == Kind.MODULE:
            held = self.world.holder(first, name)
            if held is not None:
                self.link(source, self.target(*held))
        elif kind == Kind.FUNCTION:
            file = self.world.function_file[first]
            own = file == self.at.file
            self.link(source, self.own_field(first, name) if own else self.outlet((file, "own", first, name)))

    def store_property(self, member: int, receiver: int, source: int) -> None:
        """A property setter gets the value."""
        kind, first, _ = self.table[member]
        if kind == Kind.FUNCTION:
            info, file = self.info(first)
            if info.binding == "property" and len(info.params) > 1:
                self.put(self.target(file, info.params[0].variable), receiver)
                self.link(source, self.target(file, info.params[1].variable))
