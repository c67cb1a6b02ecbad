"""Whose classes a file sees: its own distribution's first, and one version of every other.

Where all distributions declare different classes, and each is there in one version, all files share one
world.
"""

from __future__ import annotations

import re
from collections import defaultdict
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
        self._newest: dict[str, str] = {}
        for each in facts:
            package, version = _project_of(each)
            self._newest[package] = max(self._newest.get(package, version), version, key=_natural)
        self._contested = self._find_contested()
        self._scopes: dict[Project | None, dict[int, FileScope]] = {}

    def scope(self, index: int) -> FileScope:
        """The scope of the file at an index, in the world that it sees."""
        project = _project_of(self._facts[index])
        key = project if project in self._contested else None
        scopes = self._scopes.get(key)
        if scopes is None:
            seen = self._seen(key)
            world = World([self._facts[each] for each in seen])
            scopes = self._scopes[key] = dict(zip(seen, world.files, strict=True))
        return scopes[index]

    def _find_contested(self) -> set[Project]:
        """The older versions of projects, and projects that declare a class that another one declares too."""
        owners: dict[tuple[str, str], set[Project]] = defaultdict(set)
        for each in self._facts:
            project = _project_of(each)
            for decl in each.syntax.classes:
                if decl.outer < 0 and not decl.is_local:
                    owners[each.syntax.package, decl.name].add(project)
        found = {project for projects in owners.values() if len(projects) > 1 for project in projects}
        return found | {p for p in map(_project_of, self._facts) if p[1] != self._newest[p[0]]}

    def _seen(self, project: Project | None) -> list[int]:
        """The files of a project, then those of the newest versions of all others."""
        own: list[int] = []
        others: list[int] = []
        for index, each in enumerate(self._facts):
            package, version = _project_of(each)
            if (package, version) == project:
                own.append(index)
            elif version == self._newest[package] and (project is None or package != project[0]):
                others.append(index)
        return own + others


def _project_of(facts: FileFacts) -> Project:
    return facts.source.package, facts.source.version


def _natural(version: str) -> list[tuple[int, int, str]]:
    """Sorts 1.10 after 1.9."""
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in _DIGITS.split(version) if p]
