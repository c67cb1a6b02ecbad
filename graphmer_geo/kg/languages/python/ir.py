"""What the extractor hands to the linker: a small assignment language over numbered variables.

Every expression that can carry a function, class, module, instance or container becomes a *variable* (an int
local to the file; 0 is "nothing known"). Statements become operations on variables. Local names are renamed
apart at each assignment (SSA: one variable per reaching definition), so the linker needs no control flow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple


class Op:
    """Operation codes, plain numbers; the comment gives the operands that follow the code in its tuple."""

    COPY: Final = 0  # dst, src
    FUNC: Final = 1  # dst, function index
    CLASS: Final = 2  # dst, class index
    CONST: Final = 3  # dst, value (str, int or bool)
    TYPE: Final = 4  # dst, qualified name of an external class: an instance of it
    GLOBAL: Final = 5  # dst, name: not bound in this file (star import or built-in)
    IMPORT: Final = 6  # dst, import index
    ATTR: Final = 7  # dst, base, name
    SETATTR: Final = 8  # base, name, src
    ITEM: Final = 9  # dst, base, key variable, caller
    SETITEM: Final = 10  # base, key variable, src, caller
    CALL: Final = 11  # dst, function, ((variable, starred)...), ((keyword, variable)...), caller, by name
    BOX: Final = 12  # dst, container type, ((key or None, variable)...)
    ITER: Final = 13  # dst, iterable, caller
    UNPACK: Final = 14  # dst, source, index, stop (None: one element), caller
    BINARY: Final = 15  # dst, left, right, operator, caller
    ENTER: Final = 16  # dst, context manager, caller
    SUPER: Final = 17  # dst, class index, receiver
    ANNOTATED: Final = 18  # dst, type variable
    RAISE: Final = 19  # value, caller
    SLICE: Final = 20  # dst, base, low, high
    DECORATE: Final = 21  # dst, decorator, decorated, caller
    GENERIC: Final = 23  # dst, type variable, variables of its arguments, whether they end in ``...``
    ASK: Final = 22  # value, names of methods of which the first that there is runs, caller


class Binding(NamedTuple):
    """One import: what it names and where it is written."""

    module: str  # absolute dotted module
    name: str | None  # None: the module itself
    root: bool  # ``import a.b.c`` without ``as``: binds ``a``


class Param(NamedTuple):
    """A formal parameter as the linker sees it."""

    name: str
    kind: str
    variable: int
    default: int
    entity: int


@dataclass(slots=True)
class FunctionInfo:
    """A function, method or lambda."""

    entity: int
    name: str
    klass: int  # index of the class whose body declares it, -1 otherwise
    binding: str = "function"  # function, static, class, property
    params: list[Param] = field(default_factory=list)
    returned: int = 0
    yielded: int = 0
    is_generator: bool = False
    passed: tuple[int, ...] = ()  # parameters returned as they are, by index
    returns_type: int = 0


@dataclass(slots=True)
class ClassInfo:
    """A class: bases are variables; attributes map names to the variable that holds them after the body."""

    entity: int
    bases: tuple[int, ...]
    metaclass: int
    attributes: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)  # name -> Field entity
    methods: dict[str, int] = field(default_factory=dict)  # name -> function index, last definition


class Site(NamedTuple):
    """A written reference. ``base`` is 0 for a plain name."""

    start: int
    end: int
    line: int
    role: str
    subject: int
    name: str
    variable: int
    base: int
    inner: bool  # prefix of a longer dotted expression


class ImportSite(NamedTuple):
    """A name in an import statement."""

    start: int
    end: int
    line: int
    binding: int
    name: str


class Local(NamedTuple):
    """Where a local variable is first assigned."""

    owner: int  # entity of the function
    start: int
    end: int
    line: int
    name: str


#: What a variable stands for, by declaration: entity index (>= 0) or ``-1 - import index``.
Declarations = tuple[int, ...]


@dataclass(slots=True)
class PythonSyntax:
    """The summary of one Python file."""

    variables: int = 1
    ops: list[tuple[Any, ...]] = field(default_factory=list)
    functions: list[FunctionInfo] = field(default_factory=list)
    classes: list[ClassInfo] = field(default_factory=list)
    imports: list[Binding] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    exports: dict[str, int] = field(default_factory=dict)
    all_names: list[str] | None = None
    sites: list[Site] = field(default_factory=list)
    import_sites: list[ImportSite] = field(default_factory=list)
    declarations: dict[int, Declarations] = field(default_factory=dict)
    globals_read: dict[int, str] = field(default_factory=dict)  # variable -> name not bound in the file
    receivers: dict[int, int] = field(default_factory=dict)  # variable of `self`/`cls` -> class index
    assigned: list[tuple[int, int]] = field(default_factory=list)  # (module variable or field, value)
    locals: list[Local] = field(default_factory=list)
    name_lines: dict[int, int] = field(default_factory=dict)  # entity -> line of its name, if not the first
    is_package: bool = False
    namespace: str = ""  # directory of the file as a dotted name, for imports relative to a script
