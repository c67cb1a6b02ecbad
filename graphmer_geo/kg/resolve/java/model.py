"""The linker's types: classes, members, scopes.

A type is a plain tuple ``(declaration, arguments, array dimensions)``; None is a type nobody knows.
Declarations are :class:`ClassInfo`, :class:`TypeVar` or :class:`Primitive` and compare by identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmer_geo.kg.languages.java import ops as o

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.files import FileScope

Type = tuple[Any, tuple[Any, ...], int]


class Primitive:
    """``int`` and its like; ``null`` has a type of its own."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


PRIMITIVES = {
    name: Primitive(name)
    for name in ("boolean", "byte", "short", "char", "int", "long", "float", "double", "void", "null")
}
PRIMITIVE_TYPES: dict[str, Type] = {name: (decl, (), 0) for name, decl in PRIMITIVES.items()}
BOOLEAN, INT, NULL = PRIMITIVE_TYPES["boolean"], PRIMITIVE_TYPES["int"], PRIMITIVE_TYPES["null"]
#: From narrow to wide.
NUMERIC = ("byte", "short", "char", "int", "long", "float", "double")
BOXES = {
    "boolean": "java.lang.Boolean",
    "byte": "java.lang.Byte",
    "short": "java.lang.Short",
    "char": "java.lang.Character",
    "int": "java.lang.Integer",
    "long": "java.lang.Long",
    "float": "java.lang.Float",
    "double": "java.lang.Double",
}
UNBOXED = {box: name for name, box in BOXES.items()}


class TypeVar:
    """A type parameter of a class or method."""

    __slots__ = ("_bounds", "decl", "iri", "name", "refs", "scope")

    def __init__(self, decl: o.TypeParameterDecl, iri: str) -> None:
        self.name = decl.name
        self.decl = decl
        self.iri = iri
        self.refs = decl.bounds
        self.scope: Scope | None = None
        self._bounds: tuple[Type | None, ...] | None = None

    @property
    def bounds(self) -> tuple[Type | None, ...]:
        """The upper bounds; ``java.lang.Object`` where none is written."""
        if self._bounds is None:
            self._bounds = ()  # a bound may mention the parameter itself
            scope = self.scope
            if scope is not None:
                world = scope.file.world
                self._bounds = tuple(world.resolve(ref, scope) for ref in self.refs)
                if not self.refs and world.object is not None:
                    self._bounds = ((world.object, (), 0),)
        return self._bounds


class FieldInfo:
    """A field, enum constant or record component."""

    __slots__ = ("_type", "decl", "iri", "is_static", "name", "owner")

    def __init__(self, owner: ClassInfo, decl: o.FieldDecl, iri: str) -> None:
        self.owner = owner
        self.decl = decl
        self.name = decl.name
        self.iri = iri
        self.is_static = decl.is_static
        self._type: Any = self

    @property
    def type(self) -> Type | None:
        """The declared type, as its own class sees it."""
        if self._type is self:
            if self.decl.type is None:
                self._type = (self.owner, (), 0)
            else:
                self._type = self.owner.file.world.resolve(self.decl.type, self.owner.body_scope)
        found: Type | None = self._type
        return found


class MethodInfo:
    """A method or constructor."""

    __slots__ = ("_parameters", "_returns", "_scope", "_type_vars", "arity", "decl", "iri", "name", "owner")

    def __init__(self, owner: ClassInfo, decl: o.MethodDecl, iri: str) -> None:
        self.owner = owner
        self.decl = decl
        self.name = decl.name
        self.iri = iri
        self.arity = len(decl.parameters)
        self._scope: Scope | None = None
        self._type_vars: tuple[TypeVar, ...] = ()
        self._parameters: tuple[Type | None, ...] | None = None
        self._returns: Any = self

    @property
    def scope(self) -> Scope:
        """Where the method's types are looked up: its type parameters, then its class."""
        if self._scope is None:
            outer = self.owner.body_scope
            if self.decl.type_parameters:
                facts = outer.file.facts
                self._type_vars = tuple(TypeVar(p, facts.iri(p.entity)) for p in self.decl.type_parameters)
                self._scope = Scope(outer.file, outer, types={v.name: v for v in self._type_vars})
                for var in self._type_vars:
                    var.scope = self._scope
            else:
                self._scope = outer
        return self._scope

    @property
    def type_vars(self) -> tuple[TypeVar, ...]:
        """The type parameters."""
        return self._type_vars if self.scope is not None else ()

    @property
    def parameters(self) -> tuple[Type | None, ...]:
        """Parameter types; a variable-arity parameter is an array."""
        if self._parameters is None:
            world, scope = self.owner.file.world, self.scope
            self._parameters = tuple(
                world.resolve(p.type, scope) if p.type is not None else None for p in self.decl.parameters
            )
        return self._parameters

    @property
    def returns(self) -> Type | None:
        """The declared result; None for constructors."""
        if self._returns is self:
            ref = self.decl.returns
            self._returns = self.owner.file.world.resolve(ref, self.scope) if ref is not None else None
        found: Type | None = self._returns
        return found


class ClassInfo:
    """A class, interface, enum, record or annotation type, of the corpus or known from outside.

    An *opaque* class is one of which only the name is known.
    """

    __slots__ = (
        "_ancestors",
        "_body_scope",
        "_header_scope",
        "_supers",
        "_this_type",
        "_type_vars",
        "decl",
        "external",
        "fields",
        "file",
        "iri",
        "kind",
        "member_cache",
        "methods",
        "name",
        "opaque",
        "outer",
        "outer_scope",
        "qualified",
        "types",
        "visibility",
    )

    def __init__(
        self, qualified: str, kind: str, iri: str, file: FileScope, decl: o.ClassDecl | None
    ) -> None:
        self.qualified = qualified
        self.name = qualified.rpartition(".")[2]
        self.kind = kind
        self.iri = iri
        self.file = file
        self.decl = decl
        self.external = False
        self.opaque = decl is None
        self.visibility = "public"
        self.outer: ClassInfo | None = None
        self.outer_scope: Scope | None = None  # for local classes: the block they stand in
        self.fields: dict[str, FieldInfo] = {}
        self.methods: dict[str, list[MethodInfo]] = {}
        self.types: dict[str, ClassInfo] = {}
        self.member_cache: dict[str, Any] = {}
        self._type_vars: tuple[TypeVar, ...] | None = None
        self._this_type: Type | None = None
        self._header_scope: Scope | None = None
        self._body_scope: Scope | None = None
        self._supers: tuple[Type, ...] | None = None
        self._ancestors: dict[ClassInfo, tuple[Any, ...]] | None = None

    @property
    def is_interface(self) -> bool:
        """Whether classes implement it instead of extending it."""
        return self.kind in ("Interface", "AnnotationType")

    @property
    def type_vars(self) -> tuple[TypeVar, ...]:
        """The type parameters."""
        if self._type_vars is None:
            facts = self.file.facts
            declared = self.decl.type_parameters if self.decl is not None else ()
            self._type_vars = tuple(TypeVar(p, facts.iri(p.entity)) for p in declared)
            for var in self._type_vars:
                var.scope = self.header_scope
        return self._type_vars

    @property
    def header_scope(self) -> Scope:
        """Where the class's own header is looked up: its type parameters, then what surrounds it."""
        if self._header_scope is None:
            around = self.outer_scope or (
                self.outer.body_scope if self.outer is not None else self.file.scope
            )
            self._header_scope = Scope(self.file, around, types={})
            self._header_scope.types = {var.name: var for var in self.type_vars}
        return self._header_scope

    @property
    def body_scope(self) -> Scope:
        """Where the members are looked up."""
        if self._body_scope is None:
            self._body_scope = Scope(self.file, self.header_scope, cls=self)
        return self._body_scope

    @property
    def this_type(self) -> Type:
        """The type of ``this`` inside the class."""
        if self._this_type is None:
            self._this_type = (self, tuple((var, (), 0) for var in self.type_vars), 0)
        return self._this_type

    @property
    def supers(self) -> tuple[Type, ...]:
        """Direct supertypes, the superclass first; those that cannot be found are left out."""
        if self._supers is None:
            self._supers = ()  # whoever asks while they are being found gets none
            self._supers = self.file.world.direct_supertypes(self)
        return self._supers

    @property
    def ancestors(self) -> dict[ClassInfo, tuple[Any, ...]]:
        """This class and everything above it, nearest first, superclasses before interfaces.

        With the type arguments that each receives, in terms of this class's own type parameters.
        """
        if self._ancestors is None:
            self._ancestors = _linearise(self)
        return self._ancestors

    def is_inherited_by(self, cls: ClassInfo) -> bool:
        """Whether this member type is a member of a class below its own, too (JLS 8.5)."""
        return self.visibility != "private" and self.is_visible_in(cls.file.package)

    def is_visible_in(self, package: str) -> bool:
        """Whether its visibility reaches a package; the library's list has no private classes."""
        return self.external or self.visibility in ("public", "protected") or self.file.package == package

    def inherits_opaque(self) -> Iterator[ClassInfo]:
        """Ancestors of which only the name is known."""
        return (ancestor for ancestor in self.ancestors if ancestor.opaque)


def _linearise(cls: ClassInfo) -> dict[ClassInfo, tuple[Any, ...]]:
    found: dict[ClassInfo, tuple[Any, ...]] = {cls: tuple((var, (), 0) for var in cls.type_vars)}
    interfaces: list[Type] = []
    current: ClassInfo | None = cls
    while current is not None:  # up the superclasses
        mapping = dict(zip(current.type_vars, found[current], strict=False))
        above: ClassInfo | None = None
        for decl, args, _ in current.supers:
            bound = tuple(substitute(arg, mapping) for arg in args)
            if decl.is_interface or (decl.opaque and above is not None) or current.is_interface:
                interfaces.append((decl, bound, 0))
            elif decl not in found:
                found[decl] = bound
                above = decl
        current = above
    at = 0
    while at < len(interfaces):
        decl, bound, _ = interfaces[at]
        at += 1
        if decl in found:
            continue
        found[decl] = bound
        mapping = dict(zip(decl.type_vars, bound, strict=False))
        for upper, args, _ in decl.supers:
            interfaces.append((upper, tuple(substitute(arg, mapping) for arg in args), 0))
    root = cls.file.world.object
    if root is not None and root in found:  # java.lang.Object comes last, also for interfaces
        del found[root]
    if root is not None:
        found[root] = ()
    return found


def substitute(type_: Type | None, mapping: dict[Any, Any]) -> Type | None:
    """A type with its type variables replaced; a variable that maps to None makes the type unknown."""
    if type_ is None or not mapping:
        return type_
    decl, args, dims = type_
    if isinstance(decl, TypeVar):
        if decl not in mapping:
            return type_
        found = mapping[decl]
        return None if found is None else (found[0], found[1], found[2] + dims)
    if not args:
        return type_
    return decl, tuple(substitute(arg, mapping) for arg in args), dims


class Variable(NamedTuple):
    """A local variable or parameter."""

    type: Type | None
    is_inferred: bool
    iri: str
    made: ClassInfo | None = None  # the class of every object it holds, where that shows


class Scope:
    """One level of nesting: a block, a class's body or header, a method's type parameters, or a file."""

    __slots__ = ("cls", "file", "parent", "types", "variables")

    def __init__(
        self,
        file: FileScope,
        parent: Scope | None,
        cls: ClassInfo | None = None,
        types: dict[str, Any] | None = None,
    ) -> None:
        self.file = file
        self.parent = parent
        self.cls = cls
        self.types = types
        self.variables: dict[str, Variable] | None = None

    def declare(self, name: str, variable: Variable) -> None:
        """Makes a variable visible in this scope."""
        if self.variables is None:
            self.variables = {}
        self.variables[name] = variable

    def enclosing_classes(self) -> Iterator[ClassInfo]:
        """From the innermost outwards."""
        scope: Scope | None = self
        while scope is not None:
            if scope.cls is not None:
                yield scope.cls
            scope = scope.parent

    def find_type(self, name: str) -> Any:
        """The class or type variable that a simple name means here, or None."""
        scope: Scope | None = self
        while scope is not None:
            if scope.types is not None:
                found = scope.types.get(name)
                if found is not None:
                    return found
            if scope.cls is not None:
                member = member_type(scope.cls, name)
                if member is not None:
                    return member
                if scope.cls.name == name:
                    return scope.cls
            scope = scope.parent
        return self.file.find_type(name)


def member_type(cls: ClassInfo, name: str) -> ClassInfo | None:
    """The member type of a class, declared or inherited."""
    found = cls.types.get(name)
    if found is not None or cls.opaque:
        return found
    key = "#" + name
    try:
        cached: ClassInfo | None = cls.member_cache[key]
        return cached
    except KeyError:
        found = cls.member_cache[key] = _inherited_type(cls, name)
        return found


def _inherited_type(cls: ClassInfo, name: str) -> ClassInfo | None:
    hidden: set[ClassInfo] = set()
    for ancestor in cls.ancestors:
        if ancestor in hidden:
            continue
        found = ancestor.types.get(name)
        if found is not None and found.is_inherited_by(cls):
            return found
        if found is not None:  # it is no member here, and hides what is above it all the same
            hidden.update(ancestor.ancestors)
        elif ancestor.external and not ancestor.opaque:
            found = ancestor.file.world.known(f"{ancestor.qualified}.{name}")
            if found is not None:
                return found
    return None
