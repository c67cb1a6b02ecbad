"""Corpora by recipe: a YAML file names code, its licence and its source; nothing large is shipped."""

from __future__ import annotations

import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from graphmer_geo.errors import UserError
from graphmer_geo.kg import Source
from graphmer_geo.resources import datasets_path

_KEYS = {
    "stdlib": {"kind", "package", "license", "modules", "exclude"},
    "shipped": {"kind", "package", "license", "path"},
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named corpus, resolved on this machine."""

    name: str
    sources: tuple[Source, ...]


def load_recipe(name: str) -> Recipe:
    """Read ``datasets/<name>.yaml`` and resolve its sources on this machine.

    Raises:
        UserError: no such recipe, an unknown key or kind, or a standard library without the named modules.
    """
    root = datasets_path()
    file = root / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(p.stem for p in root.glob("*.yaml")))
        raise UserError(f"no dataset recipe named {name!r}; known recipes: {known}")
    recipe = yaml.safe_load(file.read_text(encoding="utf-8"))
    unknown = set(recipe) - {"name", "sources"}
    if unknown:
        raise UserError(f"{file.name}: unknown keys {sorted(unknown)}; a recipe has name and sources")
    return Recipe(recipe["name"], tuple(_source(entry, root, file.name) for entry in recipe["sources"]))


def _source(entry: dict[str, Any], root: Path, file: str) -> Source:
    kind = entry.get("kind")
    if kind not in _KEYS:
        raise UserError(f"{file}: unknown source kind {kind!r}; use one of {', '.join(sorted(_KEYS))}")
    unknown = set(entry) - _KEYS[kind]
    if unknown:
        raise UserError(
            f"{file}: unknown keys {sorted(unknown)} in a {kind} source; known: {sorted(_KEYS[kind])}"
        )
    if kind == "shipped":
        return Source(root / entry["path"], package=entry["package"])
    return _stdlib(entry)


def _stdlib(entry: dict[str, Any]) -> Source:
    stdlib = Path(sysconfig.get_path("stdlib"))
    excluded = set(entry["exclude"])
    files: list[str] = []
    for module in entry["modules"].split():
        folder = stdlib / module
        found = sorted(folder.rglob("*.py")) if folder.is_dir() else [stdlib / f"{module}.py"]
        relative = [p.relative_to(stdlib) for p in found if p.is_file()]
        kept = [p.as_posix() for p in relative if not excluded & set(p.parts)]
        if not kept:
            raise UserError(
                f"module {module!r} is not in {stdlib}; install a complete Python standard library"
            )
        files += kept
    return Source(stdlib, package=entry["package"], version=platform.python_version(), include=tuple(files))
