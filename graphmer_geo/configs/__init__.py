"""Configurations that come with the package, found by name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from graphmer_geo.errors import UserError


def shipped_configs() -> list[str]:
    """File names, sorted."""
    folder = resources.files(__name__)
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))


def config_path(name: str) -> Path:
    """A file, or the shipped configuration of that name; a file wins.

    Raises:
        UserError: there is neither.
    """
    if Path(name).is_file():
        return Path(name)
    for candidate in (name, f"{name}.yaml"):
        if candidate in shipped_configs():
            return Path(str(resources.files(__name__) / candidate))
    raise UserError(f"no configuration {name!r}: give a YAML file or one of {', '.join(shipped_configs())}")
