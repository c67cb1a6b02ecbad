"""What decides what is extracted, besides the files: tools, options and code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as package_files

from graphmer_geo import __version__
from graphmer_geo.kg.languages import GRAMMARS
from graphmer_geo.kg.ontology import load_ontology


def tool_versions(languages: Iterable[str]) -> dict[str, str]:
    """Name and version of everything that decides what is extracted."""
    tools = {"graphmer-geo": __version__}
    for name in ["tree-sitter", *(GRAMMARS[n].replace("_", "-") for n in sorted(languages) if n in GRAMMARS)]:
        try:
            tools[name] = version(name)
        except PackageNotFoundError:
            tools[name] = "unknown"
    return tools


def code_digest() -> str:
    """Hash of this package's own code and ontology: a changed extractor makes an old graph stale."""
    digest = hashlib.sha256(load_ontology().text)
    folders = [package_files("graphmer_geo.kg")]
    while folders:
        for entry in sorted(folders.pop().iterdir(), key=lambda e: e.name):
            if entry.is_dir():
                folders.append(entry)
            elif entry.name.endswith(".py"):
                digest.update(entry.read_bytes())
    return digest.hexdigest()


def digest_of(value: object) -> str:
    """Hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
