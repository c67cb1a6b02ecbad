"""JCG's Java cases: which methods a call at a line may run, and which methods a method reaches.

How its names map to ours:

* a class is a JVM descriptor there (``Lpkg/Outer$Inner;``) and a qualified name here;
* ``<init>`` is our constructor; a class that declares none is named itself by ``gm:instantiates``;
* a *direct* edge is a row of the occurrence table: on that line, with that name, evidence for ``gm:calls``;
* an *indirect* edge is a path of ``gm:calls``. Making an object runs the initialisers of its class, and a
  method's parameters and result are compared where the truth states them and the method is of the corpus.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from benchmarks.truth.case import Case, Entity, Facts, Outcome

#: Features of the language; everything else in the suite is reflection, or the virtual machine's own calls.
LANGUAGE_FEATURES = frozenset(
    {
        "NonVirtualCalls",
        "VirtualCalls",
        "Types",
        "Java8InterfaceMethods",
        "Java8Invokedynamics",
        "StaticInitializers",
        "Library",
    }
)
_TYPES = frozenset({"Class", "Interface", "Enum", "Record", "AnnotationType"})


def descriptor(entity: Entity, facts: Facts) -> str:
    """The JVM descriptor of a type."""
    names = [entity.name]
    parent = facts.entities.get(entity.parent)
    while parent is not None and parent.kind in _TYPES:
        names.append(parent.name)
        parent = facts.entities.get(parent.parent)
    inner = ".".join(reversed(names))
    package = entity.qualified_name.removesuffix(inner).rstrip(".")
    return f"L{(package + '.').replace('.', '/') if package else ''}{inner.replace('.', '$')};"


def external_descriptor(qualified: str) -> str:
    """The JVM descriptor of a type outside the corpus: packages are written in lower case."""
    parts = qualified.split(".")
    first = next((at for at, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    return f"L{'/'.join([*parts[:first], '$'.join(parts[first:])])};"


class _Case:
    """One case's graph, by JVM names."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.types = {descriptor(e, facts): e for e in facts.entities.values() if e.kind in _TYPES}
        self.calls: dict[str, set[str]] = defaultdict(set)
        self.initialisers: dict[str, list[str]] = defaultdict(list)
        for entity in facts.entities.values():
            if entity.kind == "Initializer":
                self.initialisers[entity.parent].append(entity.iri)
        for subject, relation, target in facts.triples:
            if relation == "calls":
                self.calls[subject].add(target)
            elif relation == "instantiates":
                self.calls[subject].update((target, *self.initialisers[target]))

    def owner(self, iri: str) -> tuple[str, str]:
        """(descriptor of the class, name) of a callable."""
        entity = self.facts.entities.get(iri)
        if entity is None:
            return "", ""
        if entity.kind == "ExternalSymbol":
            owner, _, name = entity.qualified_name.rpartition(".")
            return external_descriptor(owner), name
        if entity.kind in _TYPES:  # an object of a class without a written constructor
            return descriptor(entity, self.facts), "<init>"
        parent = self.facts.entities.get(entity.parent)
        name = "<init>" if entity.kind == "Constructor" else entity.name
        return (descriptor(parent, self.facts) if parent is not None else ""), name

    def direct(self, edge: dict[str, Any]) -> set[str]:
        """Classes whose method the call on that line runs."""
        caller = self.types.get(edge["caller_class"])
        found: set[str] = set()
        for row in self.facts.rows:
            if caller is None or row.file != caller.file or row.line != edge["line"] or row.entity is None:
                continue
            if row.role == "call" and row.relation in ("calls", "instantiates"):
                owner, name = self.owner(row.entity)
                if name == edge["target_name"]:
                    found.add(owner)
        return found

    def reached(self, edge: dict[str, Any]) -> set[tuple[str, str]]:
        """Everything that the caller reaches."""
        start = [
            e.iri for e in self.facts.entities.values()
            if self.owner(e.iri) == (edge["caller_class"], edge["caller_name"])
        ]  # fmt: skip
        seen = set(start)
        while start:
            for target in sorted(self.calls[start.pop()] - seen):
                seen.add(target)
                start.append(target)
        return {self.owner(iri) for iri in seen}


def score(case: Case, facts: Facts) -> list[Outcome]:
    """Direct and indirect edges apart; a prohibited class among the targets is a wrong edge."""
    view = _Case(facts)
    group = "language" if case["feature"] in LANGUAGE_FEATURES else "reflective"
    outcomes = []
    for kind in ("direct", "indirect"):
        edges = [edge for edge in case["expected"] if edge["kind"] == kind]
        missing, wrong, expected, forbidden = [], [], 0, 0
        for edge in edges:
            name = edge["target_name"]
            found = view.direct(edge) if kind == "direct" else {o for o, n in view.reached(edge) if n == name}
            place = f"{edge['caller_class']}.{edge['caller_name']}:{edge['line']} -> "
            expected += len(edge["resolved"])
            forbidden += len(edge["prohibited"])
            missing += [f"{place}{owner}.{name}" for owner in edge["resolved"] if owner not in found]
            wrong += [f"{place}{owner}.{name}" for owner in edge["prohibited"] if owner in found]
        if edges:
            part = f"{group} {kind}"
            outcomes.append(
                Outcome(case["id"], case["feature"], part, expected, tuple(missing), forbidden, tuple(wrong))
            )
    return outcomes
