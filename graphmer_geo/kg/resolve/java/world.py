"""Every class there is: those of the corpus, and those known from outside by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphmer_geo.kg.facts import FileFacts, SourceFile, external_iri
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java import jdk
from graphmer_geo.kg.resolve.java.dispatch import Dispatch
from graphmer_geo.kg.resolve.java.entangled import entangled
from graphmer_geo.kg.resolve.java.files import FileScope
from graphmer_geo.kg.resolve.java.headers import IMPLICIT_SUPERS, Header, header_of
from graphmer_geo.kg.resolve.java.model import (
    PRIMITIVE_TYPES,
    UNBOXED,
    ClassInfo,
    Scope,
    Type,
    member_type,
)

_Place = tuple[FileScope, int]  # a file, and the index of a class in it
_NO_CLASSES: dict[str, _Place] = {}


class World:
    """Classes and packages by name.

    What it says depends on the declarations and imports of all files, never on which file is linked first.

    Args:
        headers: What the files declare.
        facts: All that those files say which are to be linked, by their index.
        around: Where to look for what these files do not declare.
    """

    def __init__(
        self, headers: Sequence[Header], facts: Mapping[int, FileFacts], around: World | None = None
    ) -> None:
        self.around = around
        self._packages: dict[str, dict[str, _Place]] = {}
        self._places: dict[str, _Place] = {}
        self.package_iris: dict[str, str] = {}
        #: qualified name -> IRI, as far as they were needed
        self.external_iris: dict[str, str] = around.external_iris if around else {}
        self._classes: dict[str, ClassInfo | None] = {}
        self._opaque: dict[str, ClassInfo] = around._opaque if around else {}  # by name only
        self.files = [FileScope(self, header, facts.get(index)) for index, header in enumerate(headers)]
        #: names that some file imports: such a class exists, also where nobody declares it
        self._imported = frozenset(name for file in self.files for name in file.single.values())
        for file in self.files:
            self._declare(file)
        source = SourceFile("java", "external", "-", "", "")
        self._nowhere = FileScope(self, header_of(FileFacts(source, [], o.JavaSyntax("", [], [], ()))))
        self._is_known_package: dict[str, bool] = {}
        self.object = self.known("java.lang.Object")
        self.dispatch = Dispatch(self)
        string = self.class_or_external("java.lang.String")
        self.string: Type | None = (string, (), 0) if string is not None else None
        for file, index in entangled(self.files):  # where a cycle of classes is entered matters
            _ = file.classes[index].ancestors

    def _declare(self, file: FileScope) -> None:
        package = self._packages.setdefault(file.package, {})
        if file.package not in self.package_iris:
            self.package_iris[file.package] = SourceFile(*file.header.source).iri("")
        for index, row in enumerate(file.header.classes):
            if not row.is_local:
                if row.outer < 0:
                    package.setdefault(row.name, (file, index))
                self._places.setdefault(row.qualified, (file, index))

    # -- by name --------------------------------------------------------------------------------

    def known(self, qualified: str) -> ClassInfo | None:
        """The class of a fully qualified name, if it is in the corpus, in the JDK's list, or imported."""
        try:
            return self._classes[qualified]
        except KeyError:
            place = self._places.get(qualified)
            if place is not None:
                found: ClassInfo | None = place[0].classes[place[1]]
                self._classes[qualified] = found
                return found
            found = self.around.known(qualified) if self.around else self._load(qualified)
            if found is None and qualified in self._imported:
                found = self._outside(qualified)
            self._classes[qualified] = found
            return found

    def class_or_external(self, qualified: str) -> ClassInfo | None:
        """As :meth:`known`; a class that nobody knows is taken from the name at its word."""
        return self.known(qualified) or self._outside(qualified)

    def _outside(self, qualified: str) -> ClassInfo:
        found = self._opaque.get(qualified)
        if found is None:
            found = ClassInfo(qualified, "Class", external_iri("java", qualified), self._nowhere, None)
            found.external = True
            self._opaque[qualified] = found
        return found

    def _load(self, qualified: str) -> ClassInfo | None:
        """Reads a class of the JDK; its nested classes come with it."""
        prefix, _, name = qualified.rpartition(".")
        if prefix[:1].islower() and prefix.rpartition(".")[2][:1].isupper():
            outer = self.known(prefix)
            return outer.types.get(name) if outer is not None else None
        facts = jdk.facts_of(qualified)
        if facts is None:
            return None
        top: ClassInfo | None = None
        for info in FileScope(self, header_of(facts), facts).classes:
            info.external = True
            info.iri = external_iri("java", info.qualified)
            if info.outer is None:
                top = info
        return top

    def in_package(self, package: str, name: str) -> ClassInfo | None:
        """The top-level class of this name in a package of the corpus."""
        place = self._packages.get(package, _NO_CLASSES).get(name)
        return place[0].classes[place[1]] if place is not None else None

    def package_iri(self, name: str) -> str | None:
        """The IRI of a package of the corpus."""
        return self.package_iris.get(name) or (self.around.package_iri(name) if self.around else None)

    def is_package(self, name: str) -> bool:
        """Whether a dotted name is a package, or the beginning of one."""
        found = self._is_known_package.get(name)
        if found is None:
            beginning = name + "."
            found = name in self._packages or any(each.startswith(beginning) for each in self._packages)
            rest = self.around.is_package if self.around else jdk.is_package
            found = self._is_known_package[name] = found or rest(name)
        return found

    # -- types --------------------------------------------------------------------------------

    def resolve_parts(self, parts: tuple[tuple[str, int], ...], scope: Scope) -> list[object]:
        """What each part of a dotted type name means: a class, a type variable, or None."""
        first = scope.find_type(parts[0][0])
        found: list[object] = [first]
        if len(parts) == 1:
            return found
        if first is None:
            for end in range(2, len(parts) + 1):
                dotted = ".".join(name for name, _ in parts[:end])
                cls = self.known(dotted)
                if cls is None and end == len(parts) and dotted[:1].islower() and parts[-1][0][:1].isupper():
                    cls = self._external_chain(parts)
                found.append(cls)
                if cls is not None:
                    break
        for name, _ in parts[len(found) :]:
            last = found[-1]
            inner = member_type(last, name) if isinstance(last, ClassInfo) else None
            if inner is None and isinstance(last, ClassInfo) and last.opaque:
                inner = self.class_or_external(f"{last.qualified}.{name}")
            found.append(inner)
        return found

    def _external_chain(self, parts: tuple[tuple[str, int], ...]) -> ClassInfo | None:
        """``org.lib.Thing``: lower-case packages, then a class."""
        return self.class_or_external(".".join(name for name, _ in parts))

    def resolve(self, ref: o.TypeRef, scope: Scope) -> Type | None:
        """The type that is written; None when its class cannot be found."""
        parts, args, dims, _ = ref
        if len(parts) == 1:
            primitive = PRIMITIVE_TYPES.get(parts[0][0])
            if primitive is not None:
                return (primitive[0], (), dims) if dims else primitive
            decl = scope.find_type(parts[0][0])
        else:
            decl = self.resolve_parts(parts, scope)[-1]
        if decl is None:
            return None
        if not args:
            return decl, (), dims
        return decl, tuple(self.resolve(arg, scope) if arg is not None else None for arg in args), dims

    def direct_supertypes(self, cls: ClassInfo) -> tuple[Type, ...]:
        """The superclass, then the interfaces; the superclass that nobody writes included."""
        decl = cls.decl
        if decl is None:
            return ()
        scope = cls.header_scope
        refs = [*((decl.base,) if decl.base is not None else ()), *decl.extends, *decl.implements]
        found: list[Type] = []
        for ref in refs:
            type_ = self.resolve(ref, scope)
            if type_ is None or not isinstance(type_[0], ClassInfo) or type_[0] is cls:
                continue
            if not (cls.external and type_[0].opaque):  # the library's own rarer packages: nothing to inherit
                found.append(type_)
        implicit = IMPLICIT_SUPERS.get(decl.kind)
        upper = self.known(implicit) if implicit is not None else None
        if upper is not None and upper is not cls:
            found.insert(0, (upper, ((cls, (), 0),) if decl.kind == "Enum" else (), 0))
        return tuple(found)

    def unboxed(self, type_: Type) -> Type:
        """The primitive of a box; any other type as it is."""
        name = UNBOXED.get(getattr(type_[0], "qualified", "")) if not type_[2] else None
        return PRIMITIVE_TYPES[name] if name is not None else type_
