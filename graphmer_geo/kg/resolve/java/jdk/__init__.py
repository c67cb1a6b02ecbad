"""What is known of the Java class library: the signatures of its most used packages.

One text file a package, in Java's own syntax without bodies, so that the extractor of the corpus reads them
too; :mod:`.generate` writes them with ``javap``. Only the classes that a corpus names are ever parsed.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files

from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.languages.java.declarations import Extractor

_NAME = re.compile(r"^(?:[a-z]+ )*(?:class|interface|enum) (\w+)")


@lru_cache(maxsize=1)
def packages() -> frozenset[str]:
    """The packages that are known."""
    names = (each.name for each in files(__package__).iterdir())
    return frozenset(name.removesuffix(".txt") for name in names if name.endswith(".txt"))


def is_package(name: str) -> bool:
    """Whether a name is a known package, or the beginning of one."""
    return any(each == name or each.startswith(name + ".") for each in packages())


@cache
def _declarations(package: str) -> dict[str, str]:
    """The top-level types of a package: their declarations by name."""
    if package not in packages():
        return {}
    text = (files(__package__) / f"{package}.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for block in text.split("\n\n"):
        match = _NAME.match(block)
        if match is not None:
            found[match[1]] = block
    return found


def is_class(qualified: str) -> bool:
    """Whether a name is that of a known class, nested ones included."""
    top = qualified
    while top:
        facts = facts_of(top)
        if facts is not None:
            return any(entity.qualified_name == qualified for entity in facts.entities)
        top = top.rpartition(".")[0]
    return False


@lru_cache(maxsize=4096)
def facts_of(qualified: str) -> FileFacts | None:
    """The declarations of a top-level class of the library; None if it is not known."""
    package, _, name = qualified.rpartition(".")
    block = _declarations(package).get(name)
    if block is None:
        return None
    source = f"package {package};\n{block}".encode()
    return Extractor(SourceFile("java", "jdk", "17", f"{name}.java", package), source).run()
