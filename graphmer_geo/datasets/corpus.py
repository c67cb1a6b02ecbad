"""A recipe on this machine: fetched, cleaned, and the same code as last time."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphmer_geo.data.config import DataConfig
from graphmer_geo.datasets.cache import cache_folder
from graphmer_geo.datasets.cleaning import CleanProject, clean
from graphmer_geo.datasets.fetch import Progress, fetch
from graphmer_geo.datasets.recipe import Recipe, load_recipe
from graphmer_geo.errors import UserError
from graphmer_geo.kg import Source


@dataclass(frozen=True)
class Corpus:
    """The code of a dataset, ready to become a graph."""

    recipe: Recipe
    projects: tuple[CleanProject, ...]

    @property
    def name(self) -> str:
        """Of the recipe."""
        return self.recipe.name

    @property
    def sources(self) -> list[Source]:
        """For :func:`graphmer_geo.kg.build_kg`."""
        return [
            Source(clean.project.folder, clean.project.name, clean.project.version, clean.project.include)
            for clean in self.projects
        ]

    @property
    def removed(self) -> dict[str, int]:
        """Rule of :mod:`graphmer_geo.datasets.cleaning` -> number of files left out."""
        counted: Counter[str] = Counter()
        for project in self.projects:
            counted.update(project.removed)
        return dict(sorted(counted.items()))

    def split_of(self, project: str) -> str | None:
        """The split of a project; None where projects are split by their packages."""
        split = self.recipe.split
        if split.by != "project":
            return None
        return "validation" if project in split.validation else "test" if project in split.test else "train"

    def to_dict(self) -> dict[str, Any]:
        """What was read, as JSON values."""
        return {
            "name": self.name,
            "removed": self.removed,
            "projects": [
                {
                    "name": clean.project.name,
                    "version": clean.project.version,
                    "license": clean.project.license,
                    "split": self.split_of(clean.project.name),
                    "archive_sha256": clean.project.sha256,
                    "code_sha256": clean.sha256,
                    "folder": str(clean.project.folder),
                    "files": len(clean.project.include or ()),
                    "removed": clean.removed,
                }
                for clean in self.projects
            ],
        }

    def data_config(self, **settings: Any) -> DataConfig:
        """Settings of :func:`graphmer_geo.data.prepare` that split as the recipe says."""
        return self.recipe.split.config(**settings)


def fetch_corpus(
    name: str | Path | Recipe, *, jdk: str | Path | None = None, progress: Progress | None = None
) -> Corpus:
    """Fetch and clean the code of a recipe.

    The hash of every project's code is noted in the cache. Code that was not downloaded (a standard library,
    a JDK) or was edited in the cache is thus noticed when it changes under the same version.

    Args:
        name: Of a shipped recipe, a recipe file, or a recipe.
        jdk: Where a JDK's sources are, see :func:`graphmer_geo.datasets.fetch.fetch`.
        progress: Called with a stage, and how much of how much is done.

    Raises:
        UserError: Something cannot be fetched, or is not what it was.
    """
    recipe = name if isinstance(name, Recipe) else load_recipe(name)
    projects = tuple(clean(fetch(recipe, jdk=jdk, progress=progress), recipe.split))
    _note(recipe.name, {f"{p.project.name} {p.project.version}": p.sha256 for p in projects})
    return Corpus(recipe, projects)


def _note(name: str, hashes: Mapping[str, str]) -> None:
    """Compare hashes with those of earlier runs, and add new ones."""
    file = cache_folder() / "datasets" / f"{name}.json"
    known: dict[str, str] = {}
    if file.is_file():
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise UserError(f"{str(file)!r} is damaged ({error}); delete it") from None
    for project, digest in hashes.items():
        if known.get(project, digest) != digest:
            raise UserError(
                f"the code of {project} has changed: its SHA-256 is {digest}, it was {known[project]}. "
                f"Results would not compare; put the old code back, or delete {str(file)!r} and what was "
                "made from it"
            )
    if not hashes.keys() <= known.keys():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.part-{os.getpid()}")
        part.write_text(json.dumps({**known, **hashes}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        part.replace(file)
