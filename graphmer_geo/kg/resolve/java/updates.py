"""Which Java files link otherwise when the declarations of others change.

A file's links follow from its own text and from declarations. A declaration matters to a file that writes its
name; and through the declarations of other files, whose supertypes and member types name classes. So where a
member changes, files that write its name are linked again. Where classes come or go, or change their shape,
more may follow than names tell; where it may, all files are linked again, which is always right.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

from graphmer_geo.kg.resolve.java import jdk
from graphmer_geo.kg.resolve.java.entangled import entangled_names
from graphmer_geo.kg.resolve.java.headers import (
    IMPLICIT_SUPERS,
    ClassRow,
    Header,
    MethodRow,
    TypeText,
    names_of,
)
from graphmer_geo.kg.words import words_of

MAX_NAMES = 200  #: to look for in every file; more of them are in most files anyway
_INTERFACES = ("Interface", "AnnotationType")

#: A class of a distribution: its package, version, and qualified name.
_Place = tuple[str, str, str]


class _Anything(Exception):
    """More may follow than names tell."""


class HeaderUpdates:
    """What follows from a change of some headers."""

    def header(self, shared: Any) -> str:
        """As JSON."""
        return json.dumps(shared)

    def recall(self, header: str) -> Header:
        """From JSON."""
        source, package, imports, classes = json.loads(header)
        return Header(source, package, imports, [_class_row(row) for row in classes])

    def affected(self, before: Mapping[str, str], after: Mapping[str, str]) -> Callable[[bytes], bool] | None:
        """Files that write a name of which a declaration has changed; None if that is not all."""
        changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        if not changed:
            return lambda text: False
        try:
            names = _Change(self, before, after, changed).names()
        except _Anything:
            return None
        if len(names) > MAX_NAMES or not all(name.isascii() for name in names):
            return None
        return partial(_writes, {name.encode() for name in names})


def _writes(names: Set[bytes], text: bytes) -> bool:
    """Whether a text has one of these names as a word."""
    return bool(words_of(names, text))


class _Change:
    def __init__(
        self,
        updates: HeaderUpdates,
        before: Mapping[str, str],
        after: Mapping[str, str],
        changed: Sequence[str],
    ) -> None:
        recalled = {text: updates.recall(text) for text in {*before.values(), *after.values()}}
        self.all_before = [recalled[text] for text in before.values()]
        self.all_after = [recalled[text] for text in after.values()]
        self.before = [recalled[before[key]] for key in changed if key in before]
        self.after = [recalled[after[key]] for key in changed if key in after]
        self.pairs = [
            (recalled[before[k]], recalled[after[k]]) for k in changed if k in before and k in after
        ]
        self.members: set[str] = set()  # names of members of which one has changed
        self.types: set[str] = set()  # names of classes that have come or gone

    def names(self) -> set[str]:
        """Names of declarations that have changed, if whoever is affected writes one of them."""
        self._surroundings()
        self._classes()
        self._imports()
        if self.types:
            mentioned = {
                name for header in (*self.all_before, *self.all_after) for name in _mentioned(header)
            }
            if self.types & mentioned:
                raise _Anything
        return self.members | self.types

    def _surroundings(self) -> None:
        """Distributions, packages, and classes whose supertypes depend on where one begins."""
        for question in (_projects, _packages, _order_of_entangled):
            if question(self.all_before) != question(self.all_after):
                raise _Anything

    def _classes(self) -> None:
        old, new = _by_place(self.before), _by_place(self.after)
        for place in {**old, **new}:
            one, other = old.get(place), new.get(place)
            if one is None or other is None:
                row = one or other
                assert row is not None
                if row.name == "" or _supers(row) or place[2].rpartition(".")[0] in jdk.packages():
                    raise _Anything
                self.types.add(row.name)
                self.members |= {f[1] for f in row.fields} | {m.name for m in row.methods}
            elif _shape(one) != _shape(other):
                raise _Anything
            else:
                self._members(one, other)
        if _locals(self.before) != _locals(self.after):
            raise _Anything

    def _members(self, one: ClassRow, other: ClassRow) -> None:
        names = set(_differing(one.fields, other.fields)) | set(_differing(one.methods, other.methods))
        if names and (one.kind in _INTERFACES or one.qualified == "java.lang.Object"):
            raise _Anything  # lambdas and method references ask for methods that nobody writes
        if "<init>" in names:  # written with the name of the class, or as `super` in one that writes it
            names.remove("<init>")
            names.add(one.name)
            if _is_closed(one) != _is_closed(other):
                raise _Anything
        self.members |= names

    def _imports(self) -> None:
        """That somebody imports a class says that it exists."""
        was, now = _imported(self.all_before), _imported(self.all_after)
        declared = {row.qualified for header in self.all_before for row in header.classes}
        declared &= {row.qualified for header in self.all_after for row in header.classes}
        for name in sorted(was ^ now):
            if name not in declared and not jdk.is_class(name):
                self.types.add(name.rpartition(".")[2])
        for one, other in self.pairs:
            different = {tuple(i) for i in one.imports} ^ {tuple(i) for i in other.imports}
            written = {*_written_types(one), *_written_types(other)}
            if any(not _is_single(i) or str(i[0]).rpartition(".")[2] in written for i in different):
                raise _Anything


def _class_row(row: Sequence[Any]) -> ClassRow:
    found = ClassRow(*row)
    return found._replace(methods=[MethodRow(*method) for method in found.methods])


def _imported(headers: Sequence[Header]) -> set[str]:
    return {item[0] for header in headers for item in header.imports if _is_single(item)}


def _is_single(item: Sequence[Any]) -> bool:
    return not (item[1] or item[2])


def _projects(headers: Sequence[Header]) -> object:
    """Which class of a name is whose, where several distributions have one."""
    owners: defaultdict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for header in headers:
        for row in header.classes:
            if row.outer < 0 and not row.is_local:
                owners[header.package, row.name].add(_project(header))
    several = {name: projects for name, projects in owners.items() if len(projects) > 1}
    return {_project(header) for header in headers}, several


def _project(header: Header) -> tuple[str, str]:
    return header.source[1], header.source[2]


def _packages(headers: Sequence[Header]) -> object:
    """The packages, and the first distribution of each."""
    first: dict[str, tuple[str, str]] = {}
    for header in headers:
        first.setdefault(header.package, _project(header))
    return first


def _order_of_entangled(headers: Sequence[Header]) -> object:
    names = entangled_names(headers)
    return [(h.source[3], row.qualified) for h in headers for row in h.classes if row.name in names]


def _by_place(headers: Sequence[Header]) -> dict[_Place, ClassRow]:
    return {
        (*_project(header), row.qualified): row
        for header in headers
        for row in header.classes
        if not row.is_local
    }


def _locals(headers: Sequence[Header]) -> list[str]:
    return sorted(
        json.dumps(row._replace(outer=0)) for header in headers for row in header.classes if row.is_local
    )


def _supers(row: ClassRow) -> bool:
    return bool(row.extends or row.implements or row.base is not None or row.kind in IMPLICIT_SUPERS)


def _shape(row: ClassRow) -> str:
    """All but its members; what is around it is in its qualified name."""
    return json.dumps(row._replace(fields=(), methods=(), outer=min(row.outer, 0)))


def _differing(before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """Names of members that are not all there on both sides, in the same order."""
    groups: list[dict[str, list[Any]]] = [{}, {}]
    for group, members in zip(groups, (before, after), strict=True):
        for member in members:
            group.setdefault(member[1], []).append(member)
    for name in groups[0].keys() | groups[1].keys():
        if groups[0].get(name) != groups[1].get(name):
            yield name


def _is_closed(row: ClassRow) -> bool:
    """Whether no class below can be made: it has constructors, and all are private."""
    constructors = [method for method in row.methods if method.name == "<init>"]
    return bool(constructors) and all(method.visibility == "private" for method in constructors)


def _mentioned(header: Header) -> Iterator[str]:
    """Names of types in a header, imports included."""
    yield from _written_types(header)
    for dotted, is_static, _ in header.imports:
        if is_static:
            yield from dotted.split(".")


def _written_types(header: Header) -> Iterator[str]:
    for row in header.classes:
        parameters = [*row.type_parameters, *(p for m in row.methods for p in m.type_parameters)]
        texts = [
            *row.extends, *row.implements, row.base, *(f[2] for f in row.fields),
            *(t for m in row.methods for t in (m.returns, *m.parameters)),
            *(bound for _, _, bounds in parameters for bound in bounds),
        ]  # fmt: skip
        for text in texts:
            yield from _names_in(text)


def _names_in(text: TypeText | None) -> Iterator[str]:
    if text is None:
        return
    yield from names_of(text)
    for arg in (text[1] or ()) if not isinstance(text, str) else ():
        yield from _names_in(arg)
