"""Classes whose supertypes may depend on themselves.

Finding the supertypes of a class may need those of the classes around it, of those whose members its file
imports, and of those whose members it names. In sane code that comes to an end; where it comes back, what is
found depends on where one begins. So these classes are looked at first, and in one order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from graphmer_geo.kg.resolve.java.headers import ClassRow, Header, TypeText, names_of, super_names

if TYPE_CHECKING:
    from graphmer_geo.kg.resolve.java.files import FileScope


def entangled(files: Sequence[FileScope]) -> Iterator[tuple[FileScope, int]]:
    """Every class, but local ones, that may lie on such a cycle, as far as simple names tell."""
    names = entangled_names([file.header for file in files])
    for file in files if names else ():
        for index, row in enumerate(file.header.classes):
            if row.name in names and not row.is_local:
                yield file, index


def entangled_names(headers: Sequence[Header]) -> set[str]:
    """Their simple names."""
    needs: dict[str, set[str]] = {}
    for header in headers:
        static = {part for name, is_static, _ in header.imports if is_static for part in name.split(".")}
        for row in header.classes:
            if not row.is_local:
                needs.setdefault(row.name, set()).update(static, _needed_by(row, header))
    return _on_cycles(needs)


def _needed_by(row: ClassRow, header: Header) -> Iterator[str]:
    if row.outer >= 0:
        yield header.classes[row.outer].name
    yield from super_names(row)
    for text in (*row.extends, *row.implements):
        yield from _qualifiers(text)


def _qualifiers(text: TypeText) -> Iterator[str]:
    yield from names_of(text)[:-1]
    for arg in (text[1] or ()) if not isinstance(text, str) else ():
        if arg is not None:
            yield from _qualifiers(arg)


def _on_cycles(needs: dict[str, set[str]]) -> set[str]:
    """The names that are left when those that need none, or that none needs, go again and again."""
    left = {name: {other for other in others if other in needs} for name, others in needs.items()}
    for _ in range(2):
        left = _peeled(left)
        reverse: dict[str, set[str]] = {name: set() for name in left}
        for name, others in left.items():
            for other in others:
                reverse[other].add(name)
        left = reverse
    return set(left)


def _peeled(needs: dict[str, set[str]]) -> dict[str, set[str]]:
    users: dict[str, list[str]] = {name: [] for name in needs}
    for name, others in needs.items():
        for other in others:
            users[other].append(name)
    open_needs = Counter({name: len(others) for name, others in needs.items()})
    done = [name for name, count in open_needs.items() if not count]
    gone = set(done)
    while done:
        for user in users[done.pop()]:
            open_needs[user] -= 1
            if not open_needs[user]:
                gone.add(user)
                done.append(user)
    return {name: others - gone for name, others in needs.items() if name not in gone}
