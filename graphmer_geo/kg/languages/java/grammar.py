"""The tree-sitter grammar of Java, and reading text and type names from its nodes."""

from __future__ import annotations

import re
from functools import lru_cache

from tree_sitter import Node, Parser

from graphmer_geo.kg.languages import get_parser
from graphmer_geo.kg.languages.java.ops import TypeRef

#: Everything that may stand before a package declaration, then its name.
_PACKAGE = re.compile(
    rb"\A\xef?\xbb?\xbf?(?>\s+|//[^\n]*|/\*.*?\*/|@[\w.]+\s*(?:\([^)]*\))?)*+package\s+([\w.\s]+);", re.DOTALL
)

PRIMITIVES = frozenset({"boolean", "byte", "short", "int", "long", "char", "float", "double", "void"})
_PRIMITIVE_NODES = frozenset({"integral_type", "floating_point_type", "boolean_type", "void_type"})
TYPE_NODES = _PRIMITIVE_NODES | {
    "type_identifier",
    "scoped_type_identifier",
    "generic_type",
    "array_type",
    "annotated_type",
    "wildcard",
}


@lru_cache(maxsize=1)
def parser() -> Parser:
    """One parser a process: building one loads the grammar."""
    return get_parser("java")


def package_of(source: bytes) -> str:
    """The declared package, or an empty string."""
    match = _PACKAGE.match(source)
    return b"".join(match[1].split()).decode("utf-8", "replace") if match else ""


class Text:
    """Slices of a source by byte offsets; plain string slices where the file is ASCII."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._ascii = source.decode("ascii") if source.isascii() else None

    def of(self, node: Node) -> str:
        """The text of a node."""
        return self.slice(node.start_byte, node.end_byte)

    def slice(self, start: int, end: int) -> str:
        """The text between two byte offsets."""
        if self._ascii is not None:
            return self._ascii[start:end]
        return self.source[start:end].decode("utf-8", "replace")


def name_of(node: Node) -> Node | None:
    """The name of a declaration or reference; None also where the parser has only supplied one."""
    name = node.child_by_field_name("name")
    return name if name is not None and name.end_byte > name.start_byte else None


def dimensions(node: Node | None) -> int:
    """How many pairs of brackets a ``dimensions`` node has."""
    return 0 if node is None else sum(1 for child in node.children if child.type == "[")


def type_ref(node: Node, text: Text, depth: int = 0) -> TypeRef | None:
    """A type as written; None for an unbounded wildcard, ``? super X`` counts as X."""
    kind = node.type
    if node.is_missing:
        return None
    if kind == "type_identifier" or kind in _PRIMITIVE_NODES or kind == "identifier":
        return ((text.of(node), node.start_byte),), None, 0, ()
    if depth > 60:
        return None
    if kind == "generic_type":
        return _generic(node, text, depth)
    if kind == "array_type":
        element = node.child_by_field_name("element")
        inner = type_ref(element, text, depth + 1) if element is not None else None
        if inner is None:
            return None
        return inner[0], inner[1], inner[2] + dimensions(node.child_by_field_name("dimensions")), inner[3]
    if kind in ("scoped_type_identifier", "scoped_identifier", "field_access"):
        return _scoped(node, text, depth)
    if kind in ("wildcard", "annotated_type", "parenthesized_expression", "type_pattern"):
        for child in reversed(node.named_children):
            if child.type in TYPE_NODES:
                return type_ref(child, text, depth + 1)
    return None


def _generic(node: Node, text: Text, depth: int) -> TypeRef | None:
    base: TypeRef | None = None
    args: tuple[TypeRef | None, ...] = ()
    for child in node.named_children:
        if child.type == "type_arguments":
            args = tuple(type_ref(c, text, depth + 1) for c in child.named_children if c.type in TYPE_NODES)
        elif child.type in TYPE_NODES:
            base = type_ref(child, text, depth + 1)
    return None if base is None else (base[0], args, base[2], base[3] + (base[1] or ()))


def _scoped(node: Node, text: Text, depth: int) -> TypeRef | None:
    parts: list[tuple[str, int]] = []
    extra: tuple[TypeRef | None, ...] = ()
    for child in node.named_children:
        kind = child.type
        if child.is_missing:
            return None
        if kind in ("identifier", "type_identifier"):
            parts.append((text.of(child), child.start_byte))
        elif kind in TYPE_NODES or kind in ("scoped_identifier", "field_access"):
            inner = type_ref(child, text, depth + 1)
            if inner is None:
                return None
            parts.extend(inner[0])
            extra += inner[3] + (inner[1] or ())
    return (tuple(parts), None, 0, extra) if parts else None


def erased_text(ref: TypeRef | None, varargs: bool = False) -> str:
    """A type as it stands in a descriptor: as written, without type arguments."""
    if ref is None:
        return "?"
    return ".".join(name for name, _ in ref[0]) + "[]" * ref[2] + ("..." if varargs else "")
