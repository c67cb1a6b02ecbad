"""The code that the benchmarks of the graph read: standard library, PyPI packages, the JDK's sources.

Run: python benchmarks/corpora.py [NAME …]     fetch PyPI packages into the cache and say where they are

Nothing fetched is ever imported or run: packages come as wheels, which pip only downloads.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from graphmer_geo.errors import UserError
from graphmer_geo.kg.sources import Source

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "datasets" / "pypi-20.yaml"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "graphmer-geo" / "corpora"

#: Test suites of the standard library and what tools put beside it.
NOT_LIBRARY = {"test", "tests", "idle_test", "site-packages", "__pycache__"}


@dataclass(frozen=True)
class Package:
    """One pinned PyPI package."""

    name: str
    version: str
    license: str
    style: str
    sha256: str


def pypi_packages(recipe: Path = RECIPE) -> list[Package]:
    """The packages of a recipe, in its order."""
    return [Package(**entry) for entry in yaml.safe_load(recipe.read_text(encoding="utf-8"))["packages"]]


def pypi(names: list[str] | None = None, recipe: Path = RECIPE) -> list[Source]:
    """Sources of some packages (default: all), fetched when they are not in the cache.

    Raises:
        UserError: If a package is unknown, cannot be fetched, or is not the one that was pinned.
    """
    known = {p.name: p for p in pypi_packages(recipe)}
    unknown = sorted(set(names or ()) - known.keys())
    if unknown:
        raise UserError(f"unknown package {unknown[0]!r}; {recipe.name} has {', '.join(known)}")
    return [
        Source(_unpacked(known[name]), package=name, version=known[name].version) for name in names or known
    ]


def _unpacked(package: Package) -> Path:
    folder = CACHE / f"{package.name}-{package.version}"
    if not folder.is_dir():
        wheel = _wheel(package)
        part = folder.with_name(folder.name + ".part")
        with zipfile.ZipFile(wheel) as archive:  # extractall keeps every member inside the folder
            archive.extractall(part)
        part.rename(folder)
    return folder


def _wheel(package: Package) -> Path:
    wheels = CACHE / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    pattern = f"{package.name.replace('-', '_')}-{package.version}-*.whl"
    if not list(wheels.glob(pattern)):
        command = [
            sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
            "--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none",
            f"--dest={wheels}", f"{package.name}=={package.version}",
        ]  # fmt: skip
        if subprocess.run(command, check=False).returncode:
            raise UserError(f"cannot fetch {package.name}=={package.version}; is PyPI reachable?")
    wheel = next(iter(wheels.glob(pattern)))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != package.sha256:
        raise UserError(
            f"{wheel} has SHA-256 {found}, the recipe says {package.sha256}; delete it and try again, "
            "and do not use it if that does not help"
        )
    return wheel


def stdlib(tests: bool = False) -> Source:
    """The running interpreter's standard library."""
    folder = Path(sysconfig.get_path("stdlib"))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    left_out = {"site-packages", "__pycache__"} if tests else NOT_LIBRARY
    files = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*.py"))
        if not left_out & set(path.relative_to(folder).parts)
    ]
    return Source(folder, package="python-stdlib", version=version, include=files)


def jdk(path: Path, module: str = "java.base", include: list[str] | None = None) -> Source:
    """One module of a JDK's sources, from its ``src.zip`` or a folder with the unpacked modules.

    Raises:
        UserError: If there is neither.
    """
    if path.is_file():
        folder = CACHE / f"jdk-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
        if not (folder / module).is_dir():
            with zipfile.ZipFile(path) as archive:
                wanted = [n for n in archive.namelist() if n.startswith(f"{module}/")]
                archive.extractall(folder, members=wanted)
        path = folder
    if not (path / module).is_dir():
        raise UserError(f"{str(path)!r} holds no {module}/; give a JDK's src.zip or the folder it unpacks to")
    return Source(path / module, package=module, version="17", include=include)


def main() -> None:
    """Fetch packages."""
    parser = argparse.ArgumentParser(description="Fetch the PyPI packages of datasets/pypi-20.yaml.")
    parser.add_argument("names", nargs="*", help="packages (default: all)")
    try:
        for source in pypi(parser.parse_args().names or None):
            print(source.path)  # what the command is for
    except UserError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
