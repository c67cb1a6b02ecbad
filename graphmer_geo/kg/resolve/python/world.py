"""All files of a KG under one numbering, and static resolution of imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from graphmer_geo.kg.facts import FileFacts
from graphmer_geo.kg.languages.python.ir import Binding, ClassInfo, FunctionInfo, PythonSyntax
from graphmer_geo.kg.resolve.python.objects import BUILTIN_NAMES

MAX_CHAIN = 40  #: re-exports followed


class Target(NamedTuple):
    """A resolved declaration: an entity (global number), or an external name."""

    entity: int  # -1: external
    external: str


class World:
    """Numbers entities, variables, functions and classes of all files consecutively."""

    def __init__(self, files: Sequence[FileFacts]) -> None:
        self.files = files
        self.syntax: list[PythonSyntax] = [f.syntax for f in files]
        self.modules: dict[str, int] = {}
        self.packages: set[str] = set()  # every dotted prefix of a module
        self.variable_base: list[int] = []
        self.entity_base: list[int] = []
        self.function_base: list[int] = []
        self.class_base: list[int] = []
        self.functions: list[FunctionInfo] = []
        self.function_file: list[int] = []
        self.classes: list[ClassInfo] = []
        self.class_file: list[int] = []
        variables = entities = 0
        for index, facts in enumerate(files):
            syntax: PythonSyntax = facts.syntax
            self.modules.setdefault(facts.source.module, index)
            parts = facts.source.module.split(".")
            self.packages.update(".".join(parts[:i]) for i in range(1, len(parts)))
            self.variable_base.append(variables)
            self.entity_base.append(entities)
            self.function_base.append(len(self.functions))
            self.class_base.append(len(self.classes))
            self.functions += syntax.functions
            self.classes += syntax.classes
            self.function_file += [index] * len(syntax.functions)
            self.class_file += [index] * len(syntax.classes)
            variables += syntax.variables
            entities += len(facts.entities)
        self.variables = variables
        self.entities = entities
        self.entity_function = {
            self.entity_base[f] + info.entity: g
            for g, (info, f) in enumerate(zip(self.functions, self.function_file, strict=True))
        }
        self.entity_class = {
            self.entity_base[f] + info.entity: g
            for g, (info, f) in enumerate(zip(self.classes, self.class_file, strict=True))
        }
        self._exported: dict[tuple[int, str], tuple[Target, ...]] = {}
        self._stars: dict[tuple[int, str], tuple[int, int] | None] = {}

    def function_entity(self, function: int) -> int:
        """The entity of a function, as a global number."""
        return self.entity_base[self.function_file[function]] + self.functions[function].entity

    def class_entity(self, klass: int) -> int:
        """The entity of a class, as a global number."""
        return self.entity_base[self.class_file[klass]] + self.classes[klass].entity

    # -- modules -----------------------------------------------------------------------------------

    def locate(self, file: int, module: str) -> str:
        """The name under which an imported module is known here.

        A script's own folder is on ``sys.path``: if the name is nowhere in the corpus but stands beside a
        file that is not in a package, it is that one.
        """
        if module in self.modules or module in self.packages:
            return module
        folder = self.syntax[file].namespace
        if folder and folder not in self.modules:
            beside = f"{folder}.{module}"
            if beside in self.modules or beside in self.packages:
                return beside
        return module

    def holder(self, file: int, name: str) -> tuple[int, int] | None:
        """``(file, local variable)`` of a module's attribute, through star imports; None if it has none."""
        variable = self.syntax[file].exports.get(name)
        if variable is not None:
            return file, variable
        if not self.syntax[file].stars:
            return None
        key = (file, name)
        if key not in self._stars:
            self._stars[key] = None  # a cycle finds nothing
            self._stars[key] = self._through_stars(file, name)
        return self._stars[key]

    def _through_stars(self, file: int, name: str) -> tuple[int, int] | None:
        for module in reversed(self.syntax[file].stars):
            source = self.modules.get(self.locate(file, module))
            if source is None or source == file:
                continue
            public = self.syntax[source].all_names
            if (name in public) if public is not None else not name.startswith("_"):
                found = self.holder(source, name)
                if found is not None:
                    return found
        return None

    # -- declarations ------------------------------------------------------------------------------

    def declarations(self, file: int, variable: int, depth: int = 0) -> tuple[Target, ...]:
        """The declarations that a local variable stands for, imports followed to the end."""
        found: list[Target] = []
        base = self.entity_base[file]
        for code in self.syntax[file].declarations.get(variable, ()):
            if code >= 0:
                found.append(Target(base + code, ""))
            elif depth < MAX_CHAIN:
                found += self.imported(file, self.syntax[file].imports[-1 - code], depth + 1)
        return tuple(dict.fromkeys(found))

    def imported(self, file: int, binding: Binding, depth: int = 0) -> tuple[Target, ...]:
        """What an import names; empty if the module is in the corpus and has no such name."""
        module = self.locate(file, binding.module)
        if binding.name is None:
            return self.module_target(module.partition(".")[0] if binding.root else module)
        return self.member(module, binding.name, depth)

    def module_target(self, module: str) -> tuple[Target, ...]:
        """The declaration of a module; none for a namespace package."""
        index = self.modules.get(module)
        if index is not None:
            return (Target(self.entity_base[index], ""),)
        return () if module in self.packages else (Target(-1, module),)

    def member(self, module: str, name: str, depth: int = 0) -> tuple[Target, ...]:
        """Static resolution of ``module.name``."""
        index = self.modules.get(module)
        whole = f"{module}.{name}" if module else name
        if index is None:
            return self.module_target(whole)
        key = (index, name)
        if key not in self._exported:
            self._exported[key] = ()  # a cycle finds nothing
            held = self.holder(index, name)
            found = self.declarations(*held, depth) if held is not None else ()
            if not found and (whole in self.modules or whole in self.packages):
                found = self.module_target(whole)
            self._exported[key] = found
        return self._exported[key]

    def unbound(self, file: int, name: str) -> tuple[Target, ...]:
        """A name that the file does not bind: from a star import, or built in."""
        held = self.holder(file, name)
        if held is not None:
            return self.declarations(*held)
        if name in BUILTIN_NAMES:
            return (Target(-1, f"builtins.{name}"),)
        unknown = [m for m in self.syntax[file].stars if self.locate(file, m) not in self.modules]
        return (
            (Target(-1, f"{unknown[0]}.{name}"),)
            if len(unknown) == 1 and len(self.syntax[file].stars) == 1
            else ()
        )
