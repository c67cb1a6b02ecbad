"""JCG's Python cases: call edges between short names; recall only.

How its names map to ours: ``<global>`` is the body of any module; ``File.name`` a function or method called
``name`` declared in ``File.py`` (``File.name:12`` on that line, ``File.Class.name`` in that class),
``File.<anonymous:12>`` a lambda on that line; ``Native.print`` our ``builtins.print``. A native function that
calls back (``Native.map`` → ``foo``) is, in our graph, its caller calling ``foo`` too.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from benchmarks.truth.case import Case, Entity, Facts, Outcome

_ANONYMOUS = re.compile(r"<anonymous:(\d+)>$")
_NATIVE = "Native."


class Names:
    """Compares JCG's names with entities."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def means(self, name: str, entity: Entity) -> bool:
        """Whether JCG's ``name`` stands for ``entity``."""
        if name == "<global>":
            return entity.kind == "Module"
        if name.startswith(_NATIVE):
            return (
                entity.kind == "ExternalSymbol"
                and entity.qualified_name == f"builtins.{name[len(_NATIVE) :]}"
            )
        file, _, rest = name.partition(".")
        if PurePosixPath(entity.file).stem != file:
            return False
        anonymous = _ANONYMOUS.search(rest)
        if anonymous:
            return entity.kind == "Lambda" and self.line(entity) == int(anonymous[1])
        path, _, line = rest.partition(":")
        return f".{entity.qualified_name}".endswith(f".{path}") and (
            not line or self.line(entity) == int(line)
        )

    def line(self, entity: Entity) -> int:
        """The line that names the entity."""
        return self.facts.position(entity.file, entity.name_start)[0]


def score(case: Case, facts: Facts) -> list[Outcome]:
    """Every listed edge, and every listed target with any caller."""
    names = Names(facts)
    calls = list(facts.pairs("calls", "instantiates"))
    missing = [f"{a} -> {b}" for a, b in case["edges"] if not _has(a, b, calls, names)]
    missing += [
        f"? -> {b}"
        for b in case["indirect_targets"]
        if not any(names.means(b, target) for _, target in calls)
    ]
    expected = len(case["edges"]) + len(case["indirect_targets"])
    return [Outcome(case["id"], case["category"], "calls", expected, tuple(missing))]


def _has(caller: str, callee: str, calls: list[tuple[Entity, Entity]], names: Names) -> bool:
    if caller.startswith(_NATIVE):
        starts = {a.iri for a, b in calls if names.means(caller, b)}
        return any(a.iri in starts and names.means(callee, b) for a, b in calls)
    return any(names.means(caller, a) and names.means(callee, b) for a, b in calls)
