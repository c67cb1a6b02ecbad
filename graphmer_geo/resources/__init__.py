"""Files that ship with the package: the ontology, its shapes and queries, and the data set recipes.

They live in ``ontology/`` and ``datasets/`` at the top of the repository. In a checkout this folder links to
them; in an installed wheel it holds copies. Everything reaches them through these functions, never by a
repository path.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from graphmer_geo.errors import UserError


def ontology_file(name: str = "graphmer.ttl") -> Traversable:
    """A file of ``ontology/``, for example ``graphmer.ttl`` or ``shapes/declaration.ttl``.

    Raises:
        UserError: If no such file ships with the package.
    """
    found = files(__name__).joinpath("ontology", *name.split("/"))
    if not found.is_file():
        raise UserError(f"no file {name!r} in the shipped ontology; reinstall graphmer-geo")
    return found


def datasets_path() -> Path:
    """The folder of data set recipes and small corpora, as a place on disk.

    Raises:
        UserError: If it did not ship with the package, or the package is not unpacked on disk.
    """
    path = Path(str(files(__name__).joinpath("datasets")))
    if not path.is_dir():
        raise UserError(f"the shipped folder {str(path)!r} is missing; reinstall graphmer-geo")
    return path.resolve()


def shape_files() -> list[Traversable]:
    """All SHACL files, sorted by name."""
    return _listing("ontology/shapes", ".ttl")


def query_files() -> list[Traversable]:
    """All named SPARQL queries, sorted by name."""
    return _listing("ontology/queries", ".rq")


def _listing(folder: str, ending: str) -> list[Traversable]:
    found = [f for f in files(__name__).joinpath(*folder.split("/")).iterdir() if f.name.endswith(ending)]
    return sorted(found, key=lambda f: f.name)
