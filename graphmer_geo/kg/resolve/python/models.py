"""What built-in functions and containers do with the functions and objects they are given."""

from __future__ import annotations

from graphmer_geo.kg.resolve.python.calls import Call
from graphmer_geo.kg.resolve.python.containers import Containers
from graphmer_geo.kg.resolve.python.objects import Kind, looks_like_class

_STRING = "builtins.str"
#: results of well-known functions: instances of these classes
RETURNS = {
    **dict.fromkeys(
        [
            f"{_STRING}.{m}"
            for m in (
                "capitalize casefold center expandtabs format format_map join ljust lower lstrip removeprefix"
                " removesuffix replace rjust rstrip strip swapcase title translate upper zfill"
            ).split()
        ],
        _STRING,
    ),
    **dict.fromkeys(
        [f"builtins.{f}" for f in ("ascii", "bin", "chr", "format", "hex", "input", "oct", "repr")], _STRING
    ),
    **dict.fromkeys(
        [f"os.path.{f}" for f in ("join", "dirname", "basename", "abspath", "realpath", "normpath")], _STRING
    ),
    "os.getcwd": _STRING,
    f"{_STRING}.encode": "builtins.bytes",
    "builtins.bytes.decode": _STRING,
    "builtins.open": "io.TextIOWrapper",
}
_STRING_LISTS = {f"{_STRING}.{m}" for m in ("split", "rsplit", "splitlines", "partition", "rpartition")}
_PASS_FIRST = {
    "builtins.staticmethod",
    "builtins.classmethod",
    "copy.copy",
    "copy.deepcopy",
}
_PASS_FIRST |= {
    "asyncio.run",
    "asyncio.create_task",
    "asyncio.ensure_future",
    "functools.lru_cache",
    "functools.cache",
}
_COPIES = {
    "builtins.list": "list",
    "builtins.tuple": "tuple",
    "builtins.set": "set",
    "builtins.frozenset": "set",
}
_COPIES |= {"builtins.sorted": "list", "builtins.reversed": "generator", "builtins.filter": "generator"}
_COPIES |= {"collections.deque": "list"}


class Models(Containers):
    """Adds external calls."""

    def call_external(self, name: str, call: Call) -> None:
        """Apply the model of an external function; without one, only classes have a result."""
        arguments = [variable for variable, starred in call.positional if not starred]
        first = arguments[0] if arguments else 0
        handler = _HANDLERS.get(name)
        if name in _ASKS:
            self.use(first, self.ask, _ASKS[name], call.caller)
        elif name == "builtins.print":
            for argument in arguments:
                self.use(argument, self.ask, _ASKS["builtins.str"], call.caller)
        for key, variable in call.named:
            if key == "key" and name in ("builtins.sorted", "builtins.min", "builtins.max"):
                element = self.element(first, call)
                self.use(variable, self.callback, self.simple_call(0, (element,), call.caller))
        if handler is not None:
            handler(self, call, arguments)
        elif name in _COPIES:
            self.fill(call, _COPIES[name], self.element(first, call))
            if name == "builtins.filter":
                self.each_callback(call, arguments, 0)
        elif name in _PASS_FIRST:
            self.link(first, call.result)
        elif name in RETURNS:
            self.put(call.result, self.object(Kind.FOREIGN, RETURNS[name]))
        elif name in _STRING_LISTS:
            element = self.new()
            self.put(element, self.object(Kind.FOREIGN, _STRING))
            self.fill(call, "list", element)
        elif looks_like_class(name):
            self.put(call.result, self.object(Kind.FOREIGN, name))
        else:
            self.give(name, call.result)

    # -- helpers -----------------------------------------------------------------------------------

    def each_callback(self, call: Call, arguments: list[int], result: int) -> None:
        """Every function among the arguments is called with elements of the others."""
        elements = [self.element(argument, call) for argument in arguments]
        for index, argument in enumerate(arguments):
            given = tuple(e for i, e in enumerate(elements) if i != index)
            self.use(argument, self.callback, self.simple_call(result, given, call.caller))

    # -- built-in functions ------------------------------------------------------------------------

    def model_partial(self, call: Call, arguments: list[int]) -> None:
        """``functools.partial``."""
        for argument in arguments[:1]:
            self.use(argument, self.preset, call)

    def model_default_dict(self, call: Call, arguments: list[int]) -> None:
        """``collections.defaultdict``: unknown keys hold what the factory gives."""
        box = self.box("dict", self.at.file, "call", call.number, -1)
        for factory in arguments[:1]:
            self.use(factory, self.callback, self.simple_call(self.slot(box, None), (), call.caller))
        self.put(call.result, box)

    def model_globals(self, call: Call, arguments: list[int]) -> None:
        """``globals()``."""
        box = self.box("dict", self.at.file, "globals", 0, -1)
        for name, local in self.world.syntax[self.at.file].exports.items():
            self.link(self.at.variables + local if local else 0, self.slot(box, name))
        self.put(call.result, box)

    def model_map(self, call: Call, arguments: list[int]) -> None:
        """``map``."""
        result = self.new()
        self.each_callback(call, arguments, result)
        self.fill(call, "generator", result)

    def model_reduce(self, call: Call, arguments: list[int]) -> None:
        """``functools.reduce``."""
        if arguments:
            elements = tuple(self.element(a, call) for a in arguments[1:2]) * 2
            self.use(arguments[0], self.callback, self.simple_call(call.result, elements, call.caller))

    def extreme(self, call: Call, arguments: list[int]) -> None:
        """``min`` and ``max``."""
        for argument in arguments:
            if len(arguments) == 1:
                self.use(argument, self.iterate, call.result, call.caller)
            else:
                self.link(argument, call.result)

    def model_iter(self, call: Call, arguments: list[int]) -> None:
        """``iter``."""
        for argument in arguments[:1]:
            self.use(argument, self.iter_of, call)

    def iter_of(self, obj: int, call: Call) -> None:
        """The iterator of one object."""
        if self.table[obj][0] == Kind.INSTANCE:
            self.method(obj, "__iter__", (), call.result, call.caller)
        else:
            self.put(call.result, obj)

    def model_next(self, call: Call, arguments: list[int]) -> None:
        """``next``."""
        for argument in arguments[:1]:
            self.use(argument, self.advance, call.result, call.caller)

    def model_enumerate(self, call: Call, arguments: list[int]) -> None:
        """``enumerate``."""
        pair = self.box("tuple", self.at.file, "pair", call.number, 2)
        for argument in arguments[:1]:
            self.link(self.element(argument, call), self.slot(pair, 1))
        element = self.new()
        self.put(element, pair)
        self.fill(call, "generator", element)

    def model_zip(self, call: Call, arguments: list[int]) -> None:
        """``zip``."""
        group = self.box("tuple", self.at.file, "pair", call.number, len(arguments))
        for index, argument in enumerate(arguments):
            self.link(self.element(argument, call), self.slot(group, index))
        element = self.new()
        self.put(element, group)
        self.fill(call, "generator", element)

    def consume(self, call: Call, arguments: list[int]) -> None:
        """``any`` and ``all``."""
        for argument in arguments[:1]:
            self.element(argument, call)
        self.put(call.result, self.object(Kind.FOREIGN, "builtins.bool"))

    def consume_sum(self, call: Call, arguments: list[int]) -> None:
        """``sum``: taken to be of the elements' type."""
        for argument in arguments[:1]:
            self.link(self.element(argument, call), call.result)

    def model_dict(self, call: Call, arguments: list[int]) -> None:
        """``dict``."""
        box = self.box("dict", self.at.file, "call", call.number, -1)
        for key, variable in call.named:
            if key:
                self.link(variable, self.slot(box, key))
        for argument in arguments[:1]:
            self.use(argument, self.extend_box, box, call.caller)
        self.put(call.result, box)

    def model_getattr(self, call: Call, arguments: list[int]) -> None:
        """``getattr``."""
        if len(arguments) > 1:
            self.use(arguments[1], self.getattr_named, arguments[0], call.result)
        for default in arguments[2:3]:
            self.link(default, call.result)

    def getattr_named(self, name: int, base: int, result: int) -> None:
        """``getattr`` with a known name."""
        kind, first, value = self.table[name]
        if kind == Kind.VALUE and first == "str":
            self.at.asked[value] = None
            self.use(base, self.load, result, value)

    def model_setattr(self, call: Call, arguments: list[int]) -> None:
        """``setattr``."""
        if len(arguments) > 2:
            self.use(arguments[1], self.setattr_named, arguments[0], arguments[2])

    def setattr_named(self, name: int, base: int, source: int) -> None:
        """``setattr`` with a known name."""
        kind, first, value = self.table[name]
        if kind == Kind.VALUE and first == "str":
            self.at.asked[value] = None
            self.use(base, self.store, source, value)

    def model_property(self, call: Call, arguments: list[int]) -> None:
        """``property(getter)``."""
        getters = arguments[:1] or [variable for key, variable in call.named if key == "fget"]
        for getter in getters:
            self.use(getter, self.property_of, call.result)

    def property_of(self, obj: int, result: int) -> None:
        """The property that a getter makes."""
        kind, first, _ = self.table[obj]
        if kind == Kind.FUNCTION:
            self.put(result, self.object(Kind.PROPERTY, first))

    def model_type(self, call: Call, arguments: list[int]) -> None:
        """``type(x)``."""
        if len(arguments) == 1:
            self.use(arguments[0], self.type_of, call.result)

    def type_of(self, obj: int, result: int) -> None:
        """The class of one object."""
        kind, first, _ = self.table[obj]
        if kind == Kind.INSTANCE:
            self.put(result, self.object(Kind.CLASS, first))
        elif kind == Kind.FOREIGN:
            self.put(result, self.object(Kind.EXTERNAL, first))

    def import_module(self, call: Call, arguments: list[int]) -> None:
        """``__import__`` and ``importlib.import_module``."""
        for argument in arguments[:1]:
            self.use(argument, self.import_named, call)

    def import_named(self, obj: int, call: Call) -> None:
        """The module of a known name."""
        kind, first, value = self.table[obj]
        if kind == Kind.VALUE and first == "str" and value and not value.startswith("."):
            self.put(call.result, self.module_object(self.world.locate(self.at.file, value)))

    def cast(self, call: Call, arguments: list[int]) -> None:
        """``typing.cast``."""
        if len(arguments) > 1:
            self.use(arguments[0], self.instance_of, call.result)
            self.link(arguments[1], call.result)

    def instance_of(self, obj: int, target: int) -> None:
        """An instance of the class ``obj`` may be in ``target``."""
        kind, first, _ = self.table[obj]
        if kind == Kind.CLASS:
            self.put(target, self.object(Kind.INSTANCE, first))
        elif kind == Kind.EXTERNAL and looks_like_class(first) and first not in _NO_TYPES:
            self.put(target, self.object(Kind.FOREIGN, first))


_NO_TYPES = frozenset(
    f"{module}.{n}"
    for module in ("typing", "typing_extensions")
    for n in "Any Callable TypeVar Union Optional Generic Protocol Self Never NoReturn Literal".split()
)
#: built-in functions that ask an object for its answer
_ASKS: dict[str, tuple[str, ...]] = {
    f"builtins.{f}": (f"__{f}__",)
    for f in "len hash repr int float complex abs round reversed bytes dir".split()
}
_ASKS |= {f"builtins.{f}": ("__index__",) for f in ("bin", "hex", "oct")}
_ASKS |= {"builtins.str": ("__str__", "__repr__"), "builtins.bool": ("__bool__", "__len__")}
_ASKS |= {"builtins.format": ("__format__", "__str__", "__repr__"), "builtins.ascii": ("__repr__",)}
_HANDLERS = {
    "functools.partial": Models.model_partial,
    "functools.partialmethod": Models.model_partial,
    "collections.defaultdict": Models.model_default_dict,
    "builtins.globals": Models.model_globals,
    "builtins.map": Models.model_map,
    "functools.reduce": Models.model_reduce,
    "builtins.min": Models.extreme,
    "builtins.max": Models.extreme,
    "builtins.iter": Models.model_iter,
    "builtins.next": Models.model_next,
    "builtins.enumerate": Models.model_enumerate,
    "builtins.zip": Models.model_zip,
    "builtins.sum": Models.consume_sum,
    "builtins.any": Models.consume,
    "builtins.all": Models.consume,
    "builtins.dict": Models.model_dict,
    "collections.OrderedDict": Models.model_dict,
    "builtins.getattr": Models.model_getattr,
    "builtins.setattr": Models.model_setattr,
    "builtins.property": Models.model_property,
    "builtins.type": Models.model_type,
    "builtins.__import__": Models.import_module,
    "importlib.import_module": Models.import_module,
    "typing.cast": Models.cast,
}
