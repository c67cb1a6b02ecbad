"""What a file's imports and package make visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmer_geo.kg.facts import FileFacts
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.headers import Header, facts_of
from graphmer_geo.kg.resolve.java.model import ClassInfo, FieldInfo, MethodInfo, Scope, member_type

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.world import World


class FileScope:
    """The outermost scope of a file."""

    def __init__(self, world: World, header: Header, facts: FileFacts | None = None) -> None:
        self.world = world
        self.header = header
        self._facts = facts
        self.package = header.package
        self.scope = Scope(self, None)
        self._classes: list[ClassInfo] | None = None
        self.single: dict[str, str] = {}
        self.stars: list[str] = []
        self.static_single: dict[str, list[str]] = {}
        self.static_stars: list[str] = []
        self._types: dict[str, ClassInfo | None] = {}
        for dotted, is_static, is_star in header.imports:
            owner, _, name = dotted.rpartition(".")
            if is_static and is_star:
                self.static_stars.append(dotted)
            elif is_static:
                self.static_single.setdefault(name, []).append(owner)
            elif is_star:
                self.stars.append(dotted)
            else:
                self.single.setdefault(name, dotted)

    @property
    def facts(self) -> FileFacts:
        """All that the file says, if it is one to link; else what its header says."""
        if self._facts is None:
            self._facts = facts_of(self.header)
        return self._facts

    @property
    def syntax(self) -> o.JavaSyntax:
        """The declarations; with code, if it is a file to link."""
        found: o.JavaSyntax = self.facts.syntax
        return found

    @property
    def classes(self) -> list[ClassInfo]:
        """All classes, local ones too, outer before inner ones; made when they are first asked for."""
        if self._classes is None:
            self._classes = _declared_classes(self)
        return self._classes

    def iri(self, entity: int) -> str:
        """The IRI of an entity of this file."""
        return self.facts.iri(entity)

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
            inner = member_type(cls, name) if cls is not None else None
            if inner is not None:
                return inner
        found = world.in_package(self.package, name)
        if found is not None:
            return found
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


def _declared_classes(file: FileScope) -> list[ClassInfo]:
    facts = file.facts
    infos: list[ClassInfo] = []
    for decl in facts.syntax.classes:
        entity = facts.entities[decl.entity]
        info = ClassInfo(entity.qualified_name, decl.kind, file.iri(decl.entity), file, decl)
        info.name = decl.name
        info.visibility = entity.literals.get("visibility", info.visibility)
        if decl.outer >= 0:
            outer = infos[decl.outer]
            info.outer = outer
            if not decl.is_local:
                outer.types.setdefault(decl.name, info)
        for each in decl.fields:
            info.fields.setdefault(each.name, FieldInfo(info, each, file.iri(each.entity)))
        for method in decl.methods:
            info.methods.setdefault(method.name, []).append(MethodInfo(info, method, file.iri(method.entity)))
        infos.append(info)
    return infos
