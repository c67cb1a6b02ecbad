"""The targets of calls in Python code against jedi's ``goto``.

jedi parses; it is given the package's own folder as its only search path, and never runs the code under
analysis. A call agrees if one of our targets is one of jedi's: the same line of the same file in the package,
the same qualified name outside. What differs is classified:

* ``unresolved``: the graph has no target (jedi has one);
* ``jedi stops at a variable``: its answer is a parameter, an assignment or an import, ours what it holds;
* ``other name outside``: the same last name, re-exported under another path (``posixpath.join`` and
  ``os.path.join``), or an inherited member under the class that declares it;
* ``other class``: the same name in another class or function of the package;
* ``other``: anything else.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from graphmer_geo.kg import KnowledgeGraph, Source, build_kg

VARIABLES = ("param", "statement", "module", "property", "instance", "import")
EXAMPLES = 10  #: of each class of difference


class Place(NamedTuple):
    """A definition: a line of a file of the package, or a qualified name outside."""

    file: str
    line: int
    name: str  # qualified outside, plain inside


class Call(NamedTuple):
    """A written call and what the graph says it calls."""

    file: str
    start: int
    end: int
    targets: frozenset[Place]


def calls(kg: KnowledgeGraph, prefix: str, sources: dict[str, bytes]) -> list[Call]:
    """Every call that is written in the package's files."""
    entities = {e["iri"]: e for e in kg.entities().to_pylist()}
    found: dict[tuple[str, int, int], set[Place]] = defaultdict(set)
    for row in kg.occurrences.to_pylist():
        if row["role"] == "call" and row["relation"] in ("calls", "instantiates"):
            targets = found[(row["file"].removeprefix(prefix), row["start"], row["end"])]
            entity = entities.get(row["entity"])
            if entity is None:
                continue
            if not entity["file"]:
                targets.add(Place("", 0, entity["qualified_name"]))
                continue
            file = entity["file"].removeprefix(prefix)
            place = entity["start"] if entity["name_start"] is None else entity["name_start"]
            line = sources[file].count(b"\n", 0, place) + 1
            targets.add(Place(file, line, entity["name"]))
    return [Call(*place, frozenset(targets)) for place, targets in sorted(found.items())]


def verdict(ours: Iterable[Place], theirs: Iterable[tuple[Place, str]]) -> str:
    """How the answers compare; jedi's come with the type of name it found."""
    ours, theirs = set(ours), list(theirs)
    places = {place for place, _ in theirs}
    if any(a == b or (a.file and a[:2] == b[:2]) for a in ours for b in places):
        return "agrees"
    if not ours:
        return "unresolved"
    if all(kind in VARIABLES for _, kind in theirs):
        return "jedi stops at a variable"
    names = {place.name.rpartition(".")[2] for place in places}
    same = {place for place in ours if place.name.rpartition(".")[2] in names}
    if any(not place.file for place in same) and any(not place.file for place in places):
        return "other name outside"
    return "other class" if same else "other"


def compare(packages: Iterable[Source], sites: int, seed: int) -> dict[str, Any]:
    """Agreement and coverage on a seeded sample of the calls of these packages, equally many of each."""
    packages = list(packages)
    verdicts: Counter[str] = Counter()
    examples: dict[str, list[str]] = defaultdict(list)
    total = covered = 0
    for source in packages:
        root = Path(source.path)
        kg = build_kg([source], languages=["python"])
        prefix = f"python/{source.package}/{source.version}/"
        files = {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*.py"))}
        every = calls(kg, prefix, files)
        total += len(every)
        covered += sum(bool(call.targets) for call in every)
        chosen = random.Random(seed).sample(every, min(len(every), sites // len(packages)))
        for call, theirs in answers(root, files, sorted(chosen)):
            kind = verdict(call.targets, theirs) if theirs else "jedi has no answer"
            verdicts[kind] += 1
            if kind != "agrees" and len(examples[kind]) < EXAMPLES:
                line = files[call.file].count(b"\n", 0, call.start) + 1
                name = files[call.file][call.start : call.end].decode("utf-8", "replace")
                shown = sorted({p.name for p in call.targets}), sorted({p.name for p, _ in theirs})
                examples[kind].append(
                    f"{source.package}/{call.file}:{line} {name}: {shown[0]}, jedi {shown[1]}"
                )
    answered = sum(verdicts.values()) - verdicts["jedi has no answer"]
    return {
        "packages": {str(s.package): str(s.version) for s in packages},
        "calls": total,
        "coverage": round(covered / total, 4) if total else None,
        "sampled": sum(verdicts.values()),
        "jedi answers": answered,
        "agreement": round(verdicts["agrees"] / answered, 4) if answered else None,
        "verdicts": dict(verdicts.most_common()),
        "examples": dict(sorted(examples.items())),
    }


def answers(
    root: Path, files: dict[str, bytes], chosen: Iterable[Call]
) -> Iterator[tuple[Call, list[tuple[Place, str]]]]:
    """What jedi says about each call."""
    import jedi

    project = jedi.Project(root, sys_path=[str(root)], smart_sys_path=False)
    script, current = None, ""
    for call in chosen:
        data = files[call.file]
        if call.file != current:
            current = call.file
            text = data.decode("utf-8", "replace")
            script = jedi.Script(text, path=root / call.file, project=project)
        assert script is not None
        line_start = data.rfind(b"\n", 0, call.start) + 1
        column = len(data[line_start : call.start].decode("utf-8", "replace"))
        line = data.count(b"\n", 0, call.start) + 1
        try:
            names = script.goto(line, column, follow_imports=True)
        except (RecursionError, AttributeError, ValueError, KeyError, TypeError):  # jedi's own failures
            names = []
        yield call, [(place_of(name, root), name.type) for name in names]


def place_of(name: Any, root: Path) -> Place:
    """The place of one of jedi's names."""
    path = name.module_path
    if path is not None and path.is_relative_to(root):
        return Place(path.relative_to(root).as_posix(), name.line or 0, name.name)
    return Place("", 0, name.full_name or name.name)
