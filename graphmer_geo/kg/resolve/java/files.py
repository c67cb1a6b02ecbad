"""What a file's imports and package make visible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmer_geo.kg.facts import FileFacts
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.model import ClassInfo, Scope, member_type

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.world import World


class FileScope:
    """The outermost scope of a file."""

    def __init__(self, world: World, facts: FileFacts) -> None:
        self.world = world
        self.facts = facts
        self.syntax: o.JavaSyntax = facts.syntax
        self.package = self.syntax.package
        self.scope = Scope(self, None)
        self.classes: list[ClassInfo] = []
        self.single: dict[str, str] = {}
        self.stars: list[str] = []
        self.static_single: dict[str, list[str]] = {}
        self.static_stars: list[str] = []
        self._types: dict[str, ClassInfo | None] = {}
        for item in self.syntax.imports:
            names = [name for name, _ in item.parts]
            dotted = ".".join(names)
            if item.is_static and item.is_star:
                self.static_stars.append(dotted)
            elif item.is_static:
                self.static_single.setdefault(names[-1], []).append(".".join(names[:-1]))
            elif item.is_star:
                self.stars.append(dotted)
            else:
                self.single.setdefault(names[-1], dotted)
        self._iris = facts.iris()

    def iri(self, entity: int) -> str:
        """The IRI of an entity of this file."""
        return self._iris[entity]

    def find_type(self, name: str) -> ClassInfo | None:
        """The type that a simple name means at the top of this file, or None."""
        try:
            return self._types[name]
        except KeyError:
            self._types[name] = None  # static imports may ask again while they are being looked through
            found = self._types[name] = self._find_type(name)
            return found

    def _find_type(self, name: str) -> ClassInfo | None:
        world = self.world
        imported = self.single.get(name)
        if imported is not None:
            return world.class_or_external(imported)
        for owner in self.static_single.get(name, ()):
            cls = world.class_or_external(owner)
            found = member_type(cls, name) if cls is not None else None
            if found is not None:
                return found
        package = world.packages.get(self.package)
        if package is not None and name in package:
            return package[name]
        if self.package:
            found = world.known(f"{self.package}.{name}")
            if found is not None:
                return found
        for prefix in self.stars:
            found = world.known(f"{prefix}.{name}")
            if found is not None and found.is_visible_in(self.package):
                return found
        for owner in self.static_stars:
            cls = world.known(owner)
            found = member_type(cls, name) if cls is not None else None
            if found is not None:
                return found
        return world.known(f"java.lang.{name}")

    def static_members(self, name: str) -> list[ClassInfo]:
        """The classes from which static imports may bring a member of this name."""
        found: list[ClassInfo] = []
        for owner in self.static_single.get(name, ()):
            cls = self.world.class_or_external(owner)
            if cls is not None:
                found.append(cls)
        for owner in self.static_stars:
            cls = self.world.class_or_external(owner)
            if cls is not None and not cls.opaque:
                found.append(cls)
        return found


def declared_classes(file: FileScope) -> dict[int, Any]:
    """Creates the :class:`ClassInfo` of every class of a file, by index."""
    facts = file.facts
    infos: dict[int, ClassInfo] = {}
    for index, decl in enumerate(file.syntax.classes):
        entity = facts.entities[decl.entity]
        info = ClassInfo(entity.qualified_name, decl.kind, file.iri(decl.entity), file, decl)
        info.name = decl.name
        info.visibility = entity.literals.get("visibility", info.visibility)
        if decl.outer >= 0:
            outer = infos[decl.outer]
            info.outer = outer
            if not decl.is_local:
                outer.types.setdefault(decl.name, info)
        infos[index] = info
        file.classes.append(info)
    return infos
