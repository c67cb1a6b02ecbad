"""Whose classes a file sees: its own distribution's first, and of every other one the newest version.

Where all distributions declare different classes, and each is there in one version, all files share one
world. A project that is not the newest, or declares a class that an earlier one declares too, has a world of
its own inside the shared one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphmer_geo.kg.facts import FileFacts
from graphmer_geo.kg.resolve.java.files import FileScope
from graphmer_geo.kg.resolve.java.world import World

#: A distribution and its version.
Project = tuple[str, str]

_DIGITS = re.compile(r"(\d+)")


class Worlds:
    """The world of each file.

    Args:
        facts: All files of the corpus.
    """

    def __init__(self, facts: Sequence[FileFacts]) -> None:
        self._facts = facts
        newest: dict[str, str] = {}
        for each in facts:
            package, version = _project_of(each)
            newest[package] = max(newest.get(package, version), version, key=_natural)
        self._apart: dict[Project, list[int]] = {}  # files of projects with a world of their own
        shared: list[int] = []
        owners: dict[tuple[str, str], Project] = {}
        for index, each in enumerate(facts):
            project = _project_of(each)
            if newest[project[0]] != project[1]:
                self._apart[project] = []
                continue
            shared.append(index)
            for decl in each.syntax.classes:
                if decl.outer < 0 and not decl.is_local:
                    if owners.setdefault((each.syntax.package, decl.name), project) != project:
                        self._apart[project] = []
        for index, each in enumerate(facts):
            if _project_of(each) in self._apart:
                self._apart[_project_of(each)].append(index)
        self._shared = World([facts[index] for index in shared])
        self._scopes = dict(zip(shared, self._shared.files, strict=True))
        self._built: set[Project] = set()

    def scope(self, index: int) -> FileScope:
        """The scope of the file at an index, in the world that it sees."""
        project = _project_of(self._facts[index])
        if project in self._apart and project not in self._built:
            own = self._apart[project]
            world = World([self._facts[each] for each in own], self._shared)
            self._scopes.update(zip(own, world.files, strict=True))
            self._built.add(project)
        return self._scopes[index]


def _project_of(facts: FileFacts) -> Project:
    return facts.source.package, facts.source.version


def _natural(version: str) -> list[tuple[int, int, str]]:
    """Sorts 1.10 after 1.9."""
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in _DIGITS.split(version) if p]
