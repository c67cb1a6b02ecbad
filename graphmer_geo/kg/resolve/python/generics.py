"""Types with arguments: what ``list[X]`` holds, what ``type[X]`` is."""

from __future__ import annotations

from graphmer_geo.kg.resolve.python.models import Models
from graphmer_geo.kg.resolve.python.objects import Kind

#: kind of container -> classes of that kind, each with the name that it has in `typing`
_CLASSES = {
    "list": {"builtins.list": "List", "collections.deque": "Deque"},
    "set": {"builtins.set": "Set", "builtins.frozenset": "FrozenSet", "collections.abc.Set": "AbstractSet"},
    "dict": {
        "builtins.dict": "Dict",
        "collections.defaultdict": "DefaultDict",
        "collections.OrderedDict": "OrderedDict",
    },
    "tuple": {"builtins.tuple": "Tuple"},
    "type": {"builtins.type": "Type"},
}
#: kind of container -> names that `collections.abc` and `typing` have for what behaves like one
_PROTOCOLS = {
    "list": "Sequence MutableSequence Iterable Iterator Generator Collection Reversible Container KeysView "
    "ValuesView AsyncIterable AsyncIterator AsyncGenerator",
    "set": "MutableSet",
    "dict": "Mapping MutableMapping",
}
#: qualified name of a type -> the kind of container that it is, and the class that an instance is of
KNOWN = {
    written: (kind, name)
    for kind, names in _CLASSES.items()
    for name, alias in names.items()
    for written in (name, f"typing.{alias}")
} | {
    f"{module}.{name}": (kind, f"{module}.{name}")
    for kind, names in _PROTOCOLS.items()
    for name in names.split()
    for module in ("collections.abc", "typing")
}


class Generics(Models):
    """Adds types with arguments: objects that say which container an instance of them is."""

    def parametrise(self, head: int, target: int, arguments: tuple[int, ...], is_open: bool) -> None:
        """``head[arguments]`` flows to ``target``; ``is_open``: the last argument is ``...``."""
        kind, first, _ = self.table[head]
        known = KNOWN.get(first) if kind == Kind.EXTERNAL else None
        if known is None:
            self.put(target, head)
            return
        container, name = known
        length = len(arguments) if container == "tuple" and not is_open else -1
        box = self.box(container, self.at.file, f"typed:{name}", target - self.at.variables, length)
        if container == "tuple" and not is_open:
            for place, argument in enumerate(arguments):
                self.use(argument, self.instance_of, self.slot(box, place))
        elif container == "dict":
            self.use(arguments[0], self.instance_of, self.keys(box))
            for argument in arguments[1:2]:
                self.use(argument, self.instance_of, self.slot(box, None))
        elif container == "type":
            self.link(arguments[0], self.slot(box, None))
        else:
            self.use(arguments[0], self.instance_of, self.slot(box, None))
        self.put(target, self.object(Kind.TYPED, box))

    def instance_of(self, obj: int, target: int) -> None:
        """An instance of what ``obj`` may be in ``target``; that of ``type[X]`` is X itself."""
        kind, first, _ = self.table[obj]
        if kind != Kind.TYPED:
            super().instance_of(obj, target)
        elif self.table[first][1][0] == "type":
            self.link(self.slot_source(first, None), target)
        else:
            self.put(target, first)
