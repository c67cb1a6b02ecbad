"""From a recipe to folders of code: ``graphmer data fetch``.

Nothing fetched is ever imported or run: packages come as wheels, which pip only downloads. What is in the
cache is not fetched again, so a second run needs no network and one that was interrupted goes on. A file
takes its place in the cache when its hash is right, a folder when it is complete.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphmer_geo.datasets.archives import unpack
from graphmer_geo.datasets.cache import cache_folder
from graphmer_geo.datasets.recipe import JDK, Package, PyPI, Recipe, Shipped, Source, StandardLibrary
from graphmer_geo.errors import UserError
from graphmer_geo.resources import datasets_path

#: Options of pip that leave nothing to build or run.
PURE_WHEELS = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")

#: What is unpacked: sources, and what says whose they are.
_ENDINGS = (".py", ".pyi", ".java")
_LEGAL = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "METADATA", "PKG-INFO")

Progress = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True)
class Project:
    """The code of one project on this machine.

    Attributes:
        name: Of the distribution, as in IRIs and splits.
        version: Its version.
        license: SPDX expression.
        sha256: Of the archive it came from; empty if it was found on this machine.
        folder: Where it lies.
        include: Files to read, relative to ``folder``; None for all.
    """

    name: str
    version: str | None
    license: str
    sha256: str
    folder: Path
    include: tuple[str, ...] | None = None


def fetch(
    recipe: Recipe, *, jdk: str | Path | None = None, progress: Progress | None = None
) -> list[Project]:
    """All projects of a recipe, fetched when they are not in the cache.

    Args:
        recipe: What to fetch.
        jdk: A JDK's ``src.zip``, its folder, or the folder its sources are unpacked in (default:
            ``$JAVA_HOME``).
        progress: Called with a stage, and how much of how much is done.

    Raises:
        UserError: Something cannot be fetched or found, or is not what was pinned.
    """
    projects: list[Project] = []
    for source in recipe.sources:
        projects += _fetched(source, jdk, progress or _silent)
    names = [project.name for project in projects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"recipe {recipe.name!r} names {twice[0]!r} twice; name each project once")
    if unknown := sorted({*recipe.split.validation, *recipe.split.test} - set(names)):
        if recipe.split.by == "project":
            raise UserError(f"recipe {recipe.name!r} splits {unknown[0]!r}, which it does not fetch")
    return projects


def _silent(stage: str, done: int, total: int) -> None:
    """No progress."""


def _fetched(source: Source, jdk: str | Path | None, progress: Progress) -> Iterator[Project]:
    if isinstance(source, PyPI):
        for done, package in enumerate(source.packages):
            progress("packages", done, len(source.packages))
            yield Project(
                package.name, package.version, package.license, package.sha256, package_folder(package)
            )
    elif isinstance(source, StandardLibrary):
        yield _standard_library(source)
    elif isinstance(source, Shipped):
        yield Project(source.package, None, source.license, "", datasets_path() / source.path)
    else:
        yield from _jdk_modules(source, jdk)


# Packages
# ----------------------------------------------------------------------------------------------------


def package_folder(package: Package) -> Path:
    """The unpacked wheel of a package; its name carries the hash, so another wheel is another folder."""
    folder = cache_folder() / "corpora" / f"{package.name}-{package.version}-{package.sha256[:12]}"
    if not folder.is_dir():
        unpack(_wheel(package), folder, _worth_reading)
    return folder


def _worth_reading(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(_ENDINGS) or name.upper().startswith(_LEGAL)


def _wheel(package: Package) -> Path:
    if (wheel := known_wheel(package.name, package.version)) is not None:
        _check(wheel, package, "delete it and try again")
        return wheel
    with tempfile.TemporaryDirectory(dir=wheels_folder(), prefix=".part-") as folder:
        wheel = download(f"{package.name}=={package.version}", Path(folder))
        _check(wheel, package, "the index has another file than the one that was pinned: do not use it")
        return keep(wheel)


def wheels_folder() -> Path:
    """Where complete wheels are kept."""
    folder = cache_folder() / "corpora" / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def known_wheel(name: str, version: str) -> Path | None:
    """The wheel of a package if it has been fetched."""
    for wheel in sorted(wheels_folder().glob("*.whl")):
        project, found, *_ = wheel.name.split("-")
        if re.sub(r"[-_.]+", "-", project).lower() == name and found == version:
            return wheel
    return None


def download(requirement: str, folder: Path) -> Path:
    """The wheel of a requirement, by pip, in ``folder``.

    Raises:
        UserError: pip finds no such wheel, or does not reach the index.
    """
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
        *PURE_WHEELS, f"--dest={folder}", requirement,
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise UserError(
            f"cannot fetch {requirement} ({reason}); is the package index reachable? "
            "What was fetched before is kept: the same command goes on from here"
        )
    return wheels[0]


def keep(wheel: Path) -> Path:
    """Move a complete wheel to the others, in one step."""
    place = wheels_folder() / wheel.name
    os.replace(wheel, place)
    return place


def _check(file: Path, package: Package, remedy: str) -> None:
    found = sha256_of(file)
    if found != package.sha256:
        raise UserError(f"{str(file)!r} has SHA-256 {found}, the recipe says {package.sha256}; {remedy}")


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# Code that is on this machine
# ------------------------------------------------------------------------------------


def _standard_library(source: StandardLibrary) -> Project:
    files = standard_library_files(source.modules, source.exclude)
    folder = Path(sysconfig.get_path("stdlib"))
    return Project(source.package, platform.python_version(), source.license, "", folder, files)


def standard_library_files(modules: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[str, ...]:
    """Files of the running interpreter's standard library.

    Args:
        modules: Top-level names (default: all).
        exclude: Folders to leave out at any depth, beside what tools put there.

    Raises:
        UserError: A module is not there.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    excluded = {"site-packages", "dist-packages", "__pycache__", *exclude}
    files: list[str] = []
    for root in [folder / name for name in modules] or [folder]:
        found = sorted(root.rglob("*.py")) if root.is_dir() else [root.with_name(root.name + ".py")]
        relative = [path.relative_to(folder) for path in found if path.is_file()]
        kept = [path.as_posix() for path in relative if not excluded & set(path.parts)]
        if not kept:
            raise UserError(
                f"module {root.name!r} is not in {folder}; install a complete Python standard library"
            )
        files += kept
    return tuple(files)


def _jdk_modules(source: JDK, given: str | Path | None) -> Iterator[Project]:
    place, digest = jdk_sources(given)
    for module in source.modules:
        folder = place / module
        if not folder.is_dir():
            raise UserError(
                f"the JDK sources in {str(place)!r} have no module {module!r}; "
                f"give a JDK {source.version} with --jdk"
            )
        yield Project(module, source.version, source.license, digest, folder)


def jdk_sources(given: str | Path | None) -> tuple[Path, str]:
    """The folder of the modules, and the hash of the archive it came from, if it was one."""
    home = given or os.environ.get("JAVA_HOME")
    if not home:
        raise UserError(
            "this dataset reads a JDK's sources: set JAVA_HOME or give its src.zip with --jdk"
        )
    path = Path(home)
    for candidate in (path, path / "lib" / "src.zip", path / "src.zip"):
        if candidate.is_file():
            return _jdk_archive(candidate)
    if not (path / "java.base").is_dir():
        raise UserError(
            f"{str(path)!r} holds neither src.zip nor java.base/; give a JDK's src.zip, its folder (install "
            "its sources, such as openjdk-17-source), or the folder src.zip was unpacked in"
        )
    return path, ""


def _jdk_archive(archive: Path) -> tuple[Path, str]:
    digest = sha256_of(archive)
    folder = cache_folder() / "corpora" / f"jdk-{digest[:12]}"
    if not folder.is_dir():
        unpack(archive, folder, lambda path: path.endswith(".java"))
    return folder, digest
