"""All files of a KG under one numbering, and static resolution of imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from graphmer_geo.kg.facts import FileFacts, descriptor_fragment
from graphmer_geo.kg.languages.python.ir import (
    Binding,
    ClassInfo,
    Declarations,
    FunctionInfo,
    PythonSyntax,
)
from graphmer_geo.kg.resolve.python.headers import Header
from graphmer_geo.kg.resolve.python.objects import BUILTIN_NAMES

MAX_CHAIN = 200  #: re-exports followed


class Target(NamedTuple):
    """A resolved declaration: an entity (global number), or an external name."""

    entity: int  # -1: external
    external: str


#: (file, name) -> what it stands for, of those that a search has met; None while it looks further
Path = dict[tuple[int, str], tuple[Target, ...] | None]


T_co = TypeVar("T_co", covariant=True)


class Table(Protocol[T_co]):
    """Things by their number."""

    def __getitem__(self, number: int, /) -> T_co: ...


class World:
    """Numbers entities, functions and classes of all files, and the variables of those linked here."""

    headers: Table[Header]
    functions: Table[FunctionInfo]
    classes: Table[ClassInfo]
    kinds: Table[str]
    iris: Table[str]
    function_file: Table[int]
    class_file: Table[int]

    def __init__(self, headers: Sequence[Header], mine: Mapping[int, FileFacts]) -> None:
        self.headers = headers
        self.size = len(headers)  #: how many files there are
        self.mine = mine
        self.syntax: dict[int, PythonSyntax] = {file: facts.syntax for file, facts in mine.items()}
        self.modules: dict[str, int] = {}
        self.packages: set[str] = set()  # every dotted prefix of a module
        self.variable_base: dict[int, int] = {}  # of the files that are linked here
        self.entity_base: list[int] = []
        self.function_base: list[int] = []
        self.class_base: list[int] = []
        self.assigned: set[str] = set()  # names of attributes that are assigned somewhere,
        self.outside: set[str] = set()  # and not only on an instance in a method of its class
        functions: list[FunctionInfo] = []
        function_file: list[int] = []
        classes: list[ClassInfo] = []
        class_file: list[int] = []
        entities = 0
        for index, header in enumerate(headers):
            self.note_module(index, header.source.module)
            self.assigned.update(header.assigned)
            self.outside.update(header.outside)
            self.entity_base.append(entities)
            self.function_base.append(len(functions))
            self.class_base.append(len(classes))
            functions += header.functions
            classes += header.classes
            function_file += [index] * len(header.functions)
            class_file += [index] * len(header.classes)
            entities += header.entities
        self.functions, self.function_file = functions, function_file
        self.classes, self.class_file = classes, class_file
        self._all_classes = classes
        self.number_variables()
        self._name_entities(headers, entities)
        self._entity_function = {
            self.entity_base[f] + info.entity: g
            for g, (info, f) in enumerate(zip(functions, function_file, strict=True))
        }
        self._entity_class = {
            self.entity_base[f] + info.entity: g
            for g, (info, f) in enumerate(zip(classes, class_file, strict=True))
        }
        self.begin()

    def note_module(self, index: int, module: str) -> None:
        """Which file a module is, and which packages there are."""
        self.modules.setdefault(module, index)
        parts = module.split(".")
        self.packages.update(".".join(parts[:i]) for i in range(1, len(parts)))

    def number_variables(self) -> None:
        """Number the variables of the files that are linked here."""
        self.variables = 0
        for index, syntax in self.syntax.items():
            self.variable_base[index] = self.variables
            self.variables += syntax.variables

    def begin(self) -> None:
        """Nothing has been looked up yet."""
        self._exported: dict[tuple[int, str], tuple[Target, ...]] = {}
        self._cut = False  # a cycle was met on the way
        self._stars: dict[tuple[int, str], tuple[int, int] | None] = {}

    def _name_entities(self, headers: Sequence[Header], entities: int) -> None:
        kinds, iris = [""] * entities, [""] * entities
        for index, header in enumerate(headers):
            base = self.entity_base[index]
            kinds[base : base + header.entities], iris[base : base + header.entities] = self.names(
                header, self.mine.get(index)
            )
        self.kinds, self.iris = kinds, iris

    @staticmethod
    def names(header: Header, facts: FileFacts | None) -> tuple[list[str], list[str]]:
        """The kinds and IRIs of a file's entities; of those that others may refer to, without its facts."""
        if facts is not None:
            return [entity.kind for entity in facts.entities], facts.iris()
        kinds, iris = [""] * header.entities, [""] * header.entities
        head = header.source.iri("")
        for entity, kind, descriptor in header.visible:
            kinds[entity] = kind
            iris[entity] = head + descriptor_fragment(descriptor)
        return kinds, iris

    def function_of(self, entity: int) -> int | None:
        """The function that an entity is, if it is one."""
        return self._entity_function.get(entity)

    def class_of(self, entity: int) -> int | None:
        """The class that an entity is, if it is one."""
        return self._entity_class.get(entity)

    def function_entity(self, function: int) -> int:
        """The entity of a function, as a global number."""
        return self.entity_base[self.function_file[function]] + self.functions[function].entity

    def class_entity(self, klass: int) -> int:
        """The entity of a class, as a global number."""
        return self.entity_base[self.class_file[klass]] + self.classes[klass].entity

    def used(self, names: frozenset[str]) -> frozenset[str]:
        """Those of some names that a class of the corpus may have as an attribute."""
        return frozenset(name for info in self._all_classes for name in names & info.attributes.keys())

    def metaclasses(self, klass: int) -> Iterator[int]:
        """What the class says is its metaclass, if the corpus has it."""
        for target in self.declarations(self.class_file[klass], self.classes[klass].metaclass):
            found = self.class_of(target.entity)
            if found is not None:
                yield found

    # -- modules -----------------------------------------------------------------------------------

    def locate(self, file: int, module: str) -> str:
        """The name under which an imported module is known here.

        A script's own folder is on ``sys.path``: if the name is nowhere in the corpus but stands beside a
        file that is not in a package, it is that one.
        """
        if module in self.modules or module in self.packages:
            return module
        folder = self.headers[file].namespace
        if folder and folder not in self.modules:
            beside = f"{folder}.{module}"
            if beside in self.modules or beside in self.packages:
                return beside
        return module

    def holder(self, file: int, name: str) -> tuple[int, int] | None:
        """``(file, local variable)`` of a module's attribute, through star imports; None if it has none."""
        variable = self.headers[file].exports.get(name)
        if variable is not None:
            return file, variable
        if not self.headers[file].stars:
            return None
        key = (file, name)
        if key not in self._stars:
            self._stars[key] = self._through_stars(file, name)
        return self._stars[key]

    def _through_stars(self, file: int, name: str) -> tuple[int, int] | None:
        """The first match, depth first, each file once."""
        stack, seen = [file], set()
        while stack:
            source = stack.pop()
            if source in seen:
                continue
            seen.add(source)
            header = self.headers[source]
            public = header.all_names
            if source != file and (name.startswith("_") if public is None else name not in public):
                continue
            variable = header.exports.get(name)
            if variable is not None:
                return source, variable
            found = (self.modules.get(self.locate(source, module)) for module in header.stars)
            stack += [index for index in found if index is not None]  # the last one counts
        return None

    # -- declarations ------------------------------------------------------------------------------

    def declarations(self, file: int, variable: int) -> tuple[Target, ...]:
        """The declarations that a local variable stands for, imports followed to the end."""
        return self._declarations(file, variable, {})

    def _declared(self, file: int) -> Mapping[int, Declarations]:
        syntax = self.syntax.get(file)
        return syntax.declarations if syntax is not None else self.headers[file].declarations

    def _declarations(self, file: int, variable: int, path: Path) -> tuple[Target, ...]:
        found: list[Target] = []
        base = self.entity_base[file]
        for code in self._declared(file).get(variable, ()):
            if code >= 0:
                found.append(Target(base + code, ""))
            else:
                found += self._imported(file, self.headers[file].imports[-1 - code], path)
        return tuple(dict.fromkeys(found))

    def imported(self, file: int, binding: Binding) -> tuple[Target, ...]:
        """What an import names; empty if the module is in the corpus and has no such name."""
        return self._imported(file, binding, {})

    def _imported(self, file: int, binding: Binding, path: Path) -> tuple[Target, ...]:
        module = self.locate(file, binding.module)
        if binding.name is None:
            return self.module_target(module.partition(".")[0] if binding.root else module)
        return self._member(module, binding.name, path)

    def module_target(self, module: str) -> tuple[Target, ...]:
        """The declaration of a module; none for a namespace package."""
        index = self.modules.get(module)
        if index is not None:
            return (Target(self.entity_base[index], ""),)
        return () if module in self.packages else (Target(-1, module),)

    def member(self, module: str, name: str) -> tuple[Target, ...]:
        """Static resolution of ``module.name``."""
        return self._member(module, name, {})

    def _member(self, module: str, name: str, path: Path) -> tuple[Target, ...]:
        """The same, on the way from somewhere else: what is on the path already adds nothing.

        What a cycle cuts off depends on where one enters it, so then only the start's result is kept.
        """
        index = self.modules.get(module)
        whole = f"{module}.{name}" if module else name
        if index is None:
            return self.module_target(whole)
        key = (index, name)
        if key in self._exported:
            return self._exported[key]
        if key in path or len(path) >= MAX_CHAIN:
            met = path.get(key)
            self._cut |= met is None
            return met or ()
        if not path:
            self._cut = False
        path[key] = None
        held = self.holder(index, name)
        found = self._declarations(*held, path) if held is not None else ()
        if not found and (whole in self.modules or whole in self.packages):
            found = self.module_target(whole)
        path[key] = found
        if not self._cut or next(iter(path)) == key:
            self._exported[key] = found
        return found

    def unbound(self, file: int, name: str) -> tuple[Target, ...]:
        """A name that the file does not bind: from a star import, or built in."""
        held = self.holder(file, name)
        if held is not None:
            return self.declarations(*held)
        if name in BUILTIN_NAMES:
            return (Target(-1, f"builtins.{name}"),)
        outside = self._outside_star(file)
        return (Target(-1, f"{outside}.{name}"),) if outside else ()

    def is_supposed(self, file: int, name: str | None) -> bool:
        """Whether an unbound name is taken for one of a star import from outside, for lack of any other."""
        return (
            name is not None
            and bool(self._outside_star(file))
            and name not in BUILTIN_NAMES
            and self.holder(file, name) is None
        )

    def _outside_star(self, file: int) -> str:
        """The module of the file's only star import, if that is not in the corpus."""
        stars = self.headers[file].stars
        return stars[0] if len(stars) == 1 and self.locate(file, stars[0]) not in self.modules else ""
