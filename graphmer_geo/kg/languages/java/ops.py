"""What the Java extractor tells the Java linker: declarations, and method bodies as flat lists of operations.

A body is a list of tuples in evaluation order; an operation names earlier ones by their index in the list. So
the linker computes static types in one forward loop, without recursion over expressions, and the facts stay
cheap to pickle. Only lambdas hold a list of their own: the types of their parameters are known after the call
that takes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: A type as written: ``(parts, args, dims, extra)``. ``parts``: the dotted name as ``(name, start byte)``
#: pairs; ``args``: type arguments of the last part (``None`` for an unbounded wildcard), or None if there
#: are none; ``dims``: array dimensions; ``extra``: type arguments of earlier parts.
TypeRef = tuple[tuple[tuple[str, int], ...], "tuple[Any, ...] | None", int, tuple[Any, ...]]
Op = tuple[Any, ...]
Ops = list[Op]

# Operations with a value. `obj`, `args`, … are indices of earlier operations; -1: none.
LITERAL = 0  # (type name or "null")
NAME = 1  # (name, start, access, is prefix of a longer name)
FIELD = 2  # (obj, name, start, access, is prefix)
THIS = 3  # ()
SUPER = 4  # ()
OUTER_THIS = 5  # (obj)               `Outer.this`
OUTER_SUPER = 6  # (obj)              `Outer.super`
CALL = 7  # (obj, name, start, args, has no receiver)
NEW = 8  # (type, args, outer, class index of the anonymous body or -1)
NEW_ARRAY = 9  # (type, extra dimensions)
INDEX = 10  # (array)
CAST = 11  # (type, value)
CHOICE = 12  # (alternatives)         conditional expressions
BINARY = 13  # (operator, operands)
SAME = 14  # (value)                  unary operators, parentheses
ASSIGN = 15  # (target, value)
TEST = 16  # ()                       anything boolean
CLASS_LITERAL = 17  # (type)
LAMBDA = (
    18  # (entity, ((name, start, type or None, entity), …), operations, value of an expression body or -1)
)
METHOD_REF = 19  # (obj, name, start)
TYPE = 20  # (type)                   a type used as an expression's qualifier
SWITCH_END = 21  # (values)
UNKNOWN = 22  # ()

# Operations without a value.
PUSH = 30  # ()                       a block begins
POP = 31  # ()
LOCAL = 32  # (name, start, type or None, value, flavour)
CATCH = 33  # (types, name, start)
THROW = 34  # (value, start, end, text)
RETURN = 35  # (value)
SWITCH = 36  # (selector)
CASE = 37  # (name, start)            a label that is a plain name
CONSTRUCT = 38  # ("this" or "super", start, args)
LOCAL_CLASS = 39  # (class index)
ANNOTATION = 40  # (type, operations)  on a local variable

# How a name is accessed.
READ, WRITE, UPDATE = 0, 1, 2
# Flavours of LOCAL.
PLAIN, FOR_EACH, PATTERN = 0, 1, 2


@dataclass(slots=True)
class TypeParameterDecl:
    """A type parameter of a class or method."""

    entity: int
    name: str
    bounds: tuple[TypeRef, ...]


@dataclass(slots=True)
class AnnotationUse:
    """An annotation on a declaration."""

    entity: int  # the annotated declaration
    type: TypeRef
    ops: Ops  # the arguments


@dataclass(slots=True)
class ParameterDecl:
    """A parameter of a method or constructor."""

    entity: int
    name: str
    type: TypeRef | None


@dataclass(slots=True)
class FieldDecl:
    """A field, record component or enum constant."""

    entity: int
    name: str
    type: TypeRef | None  # None: an enum constant
    is_static: bool
    is_private: bool
    writes_type: bool = True  # False from the second declarator on: `int a, b`
    initializer: int = -1  # the Initializer entity that runs `ops`
    ops: Ops | None = None
    value: int = -1  # index of the initial value in `ops`


@dataclass(slots=True)
class MethodDecl:
    """A method or constructor."""

    entity: int
    name: str  # ``<init>`` for constructors
    type_parameters: tuple[TypeParameterDecl, ...]
    returns: TypeRef | None  # None: void or a constructor
    parameters: tuple[ParameterDecl, ...]
    is_varargs: bool
    is_static: bool
    is_private: bool
    is_abstract: bool
    throws: tuple[TypeRef, ...]
    ops: Ops | None
    implicit_parameters: bool = False  # a record's canonical constructor: types are written at the components


@dataclass(slots=True)
class ClassDecl:
    """A type declaration of any kind."""

    entity: int
    name: str
    kind: str
    outer: int  # index of the class around it, -1 for a top-level one
    is_static: bool  # has no enclosing instance
    is_local: bool  # local or anonymous: known only in the block that declares it
    type_parameters: tuple[TypeParameterDecl, ...] = ()
    extends: tuple[TypeRef, ...] = ()
    implements: tuple[TypeRef, ...] = ()
    base: TypeRef | None = None  # of an anonymous class: a class or an interface
    permits: tuple[TypeRef, ...] = ()
    fields: list[FieldDecl] = field(default_factory=list)
    methods: list[MethodDecl] = field(default_factory=list)
    initializers: list[tuple[int, Ops]] = field(default_factory=list)
    constants: list[tuple[int, str, int, Ops, tuple[int, ...], int]] = field(default_factory=list)
    #: enum constants with arguments or a body: (Initializer, name, start, operations, arguments, class index)
    annotations: list[AnnotationUse] = field(default_factory=list)
    components: list[str] = field(default_factory=list)  # of a record


@dataclass(slots=True)
class ImportDecl:
    """An import declaration."""

    parts: tuple[tuple[str, int], ...]
    is_static: bool
    is_star: bool


@dataclass(slots=True)
class JavaSyntax:
    """The linker's view of one file."""

    package: str
    imports: list[ImportDecl]
    classes: list[ClassDecl]  # outer classes before inner ones
    newlines: Any  # array of the offsets of all line ends
    package_annotations: list[AnnotationUse] = field(default_factory=list)
