"""The code that the benchmarks of the graph read, whole: standard library, PyPI packages, the JDK's sources.

Run: python -m benchmarks.corpora [NAME …]     fetch packages of datasets/pypi-20.yaml and say where they are

Fetching is that of :mod:`graphmer_geo.datasets`; what these benchmarks ask about is every file, so nothing is
cleaned here.
"""

from __future__ import annotations

import argparse
import platform
import sysconfig
from pathlib import Path

from graphmer_geo.datasets import load_recipe
from graphmer_geo.datasets.fetch import jdk_sources, package_folder, standard_library_files
from graphmer_geo.datasets.recipe import Package, PyPI, StandardLibrary
from graphmer_geo.errors import UserError
from graphmer_geo.kg.sources import Source

RECIPE = "pypi-20"


def pypi_packages(recipe: str | Path = RECIPE) -> list[Package]:
    """The packages of a recipe, in its order."""
    return [p for source in load_recipe(recipe).sources if isinstance(source, PyPI) for p in source.packages]


def pypi(names: list[str] | None = None, recipe: str | Path = RECIPE) -> list[Source]:
    """Sources of some packages (default: all), fetched when they are not in the cache.

    Raises:
        UserError: If a package is unknown, cannot be fetched, or is not the one that was pinned.
    """
    known = {p.name: p for p in pypi_packages(recipe)}
    unknown = sorted(set(names or ()) - known.keys())
    if unknown:
        raise UserError(f"unknown package {unknown[0]!r}; {recipe} has {', '.join(known)}")
    return [
        Source(package_folder(known[name]), package=name, version=known[name].version)
        for name in names or known
    ]


def stdlib(tests: bool = False) -> Source:
    """The running interpreter's standard library."""
    [source] = [s for s in load_recipe("stdlib").sources if isinstance(s, StandardLibrary)]
    files = standard_library_files(exclude=() if tests else source.exclude)
    version = ".".join(platform.python_version_tuple()[:2])
    return Source(sysconfig.get_path("stdlib"), package=source.package, version=version, include=files)


def jdk(path: Path, module: str = "java.base", include: list[str] | None = None) -> Source:
    """One module of a JDK's sources, from its ``src.zip`` or a folder with the unpacked modules.

    Raises:
        UserError: If there is neither.
    """
    folder, _ = jdk_sources(path)
    if not (folder / module).is_dir():
        raise UserError(f"{str(path)!r} holds no {module}/; give a JDK's src.zip or the folder it unpacks to")
    return Source(folder / module, package=module, version="17", include=include)


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
