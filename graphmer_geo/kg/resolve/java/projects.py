"""Whose classes a file sees: its own distribution's first, and of every other one the newest version.

Where all distributions declare different classes, and each is there in one version, all files share one
world. A project that is not the newest, or declares a class that an earlier one declares too, has a world of
its own inside the shared one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from graphmer_geo.kg.facts import FileFacts
from graphmer_geo.kg.resolve.java.files import FileScope
from graphmer_geo.kg.resolve.java.headers import Header
from graphmer_geo.kg.resolve.java.world import World

#: A distribution and its version.
Project = tuple[str, str]

_DIGITS = re.compile(r"(\d+)")


class Worlds:
    """The world of each file.

    Args:
        headers: What all files of the corpus declare.
        facts: All that those files say which are to be linked, by their index.
    """

    def __init__(self, headers: Sequence[Header], facts: Mapping[int, FileFacts]) -> None:
        self._headers = headers
        self._facts = facts
        newest: dict[str, str] = {}
        for each in headers:
            package, version = _project_of(each)
            newest[package] = max(newest.get(package, version), version, key=_natural)
        self._apart: dict[Project, list[int]] = {}  # files of projects with a world of their own
        shared: list[int] = []
        owners: dict[tuple[str, str], Project] = {}
        for index, each in enumerate(headers):
            project = _project_of(each)
            if newest[project[0]] != project[1]:
                self._apart[project] = []
                continue
            shared.append(index)
            for row in each.classes:
                if row.outer < 0 and not row.is_local:
                    if owners.setdefault((each.package, row.name), project) != project:
                        self._apart[project] = []
        for index, each in enumerate(headers):
            if _project_of(each) in self._apart:
                self._apart[_project_of(each)].append(index)
        self._shared = self._world(shared)
        self._scopes = dict(zip(shared, self._shared.files, strict=True))
        self._built: set[Project] = set()

    def scope(self, index: int) -> FileScope:
        """The scope of the file at an index, in the world that it sees."""
        project = _project_of(self._headers[index])
        if project in self._apart and project not in self._built:
            own = self._apart[project]
            world = self._world(own, self._shared)
            self._scopes.update(zip(own, world.files, strict=True))
            self._built.add(project)
        return self._scopes[index]

    def _world(self, files: Sequence[int], around: World | None = None) -> World:
        facts = {at: self._facts[index] for at, index in enumerate(files) if index in self._facts}
        return World([self._headers[index] for index in files], facts, around)


def _project_of(header: Header) -> Project:
    _, package, version, _, _ = header.source
    return package, version


def _natural(version: str) -> list[tuple[int, int, str]]:
    """Sorts 1.10 after 1.9."""
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in _DIGITS.split(version) if p]
