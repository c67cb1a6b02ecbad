"""The targets of calls in Java code against javac's own attribution.

``CallSites.java`` lets the compiler of the JDK at hand parse and attribute the files; their code never runs.
A target agrees if the class that declares it, its name and its parameter types (as declared, by simple name)
are the same. What differs is classified:

* ``unresolved``: the graph knows of the call, not of its target;
* ``guessed``: only heuristic targets;
* ``no row``: the graph has no row at that place;
* ``made by the compiler``: ``values()`` of an enum and the like, which no source declares;
* ``other overload``: the right class and name, other parameters;
* ``other class``: the right name in another class;
* ``other name``: anything else.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph

PROGRAM = Path(__file__).with_name("CallSites.java")
UNRESOLVED = {"unresolved", "guessed", "no row", "made by the compiler"}

GUESS = "?"  # a heuristic row's target


class Target(NamedTuple):
    """A method or constructor."""

    owner: str  # binary name, or "" for a local or anonymous class
    name: str
    parameters: str


class Site(NamedTuple):
    """A call and what javac says it calls."""

    file: str
    offset: int  # bytes
    target: Target


def attribute(module: str, root: Path, paths: Iterable[str]) -> list[Site]:
    """What javac says about every call that is written in these files.

    Raises:
        UserError: there is no JDK, or it cannot read the files.
    """
    java = shutil.which("java")
    if java is None:
        raise UserError("no JDK found: put the java command of a JDK 17 on the PATH")
    paths = list(paths)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listing:
        listing.write("\n".join(paths))
        listing.flush()
        command = [java, "-Xss16m", str(PROGRAM), module, str(root), listing.name]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise UserError(f"javac could not attribute {len(paths)} files: {done.stderr.strip()[-300:]}")
    texts = {path: (root / path).read_text(encoding="utf-8", errors="replace") for path in paths}
    return list(_sites(done.stdout.splitlines(), texts))


def _sites(lines: Iterable[str], texts: dict[str, str]) -> Iterator[Site]:
    for line in lines:
        path, offset, kind, owner, name, parameters = line.split("\t")
        text, at = texts[path], int(offset)
        if kind == "anonymous":  # calls a constructor that the compiler makes
            continue
        if kind == "new" and not text.startswith(owner.rpartition(".")[2].rpartition("$")[2], at):
            continue  # an enum constant
        if kind == "call" and not text.startswith((name, "this", "super"), at):
            continue  # `super()` where nobody has written it
        owner = "java.lang.Object" if owner == "Array" else owner  # `array.clone()`
        known = "" if "?" in owner or owner.endswith("$") or "$$" in owner else owner
        yield Site(path, len(text[:at].encode()), Target(known, name, parameters))


def target_of(iri: str) -> Target | None:
    """What an entity's IRI says: package, class and signature; None for anything but a class or callable."""
    head, _, fragment = iri.partition("#")
    parts = [unquote(part) for part in head.split("/")]
    if "external" in parts:
        owner, _, name = unquote(fragment).rpartition(".")
        return Target(owner, name, "?")
    package = ".".join(part for part in parts[8:] if part)
    *classes, last = unquote(fragment).split("#")
    if not classes:
        return None
    owner = (package + "." if package else "") + "$".join(classes)
    known = "" if any(part[:1] == "$" or "(" in part for part in classes) else owner
    name, bracket, rest = last.partition("(")
    if not bracket:
        return Target(known, name.rstrip("."), "") if name else Target(known, "<init>", "")
    written = rest.rpartition(")")[0]
    return Target(known, name, ",".join(_simple(part) for part in written.split(",")))


def _simple(written: str) -> str:
    plain = written.removesuffix("...")
    return plain.rpartition(".")[2] + ("[]" if plain != written else "")


def verdict(wanted: Target, found: list[Target], is_known_call: bool) -> str:
    """How what the graph says compares with what javac says."""
    if not found:
        if wanted.name in ("values", "valueOf"):
            return "made by the compiler"
        return "unresolved" if is_known_call else "no row"
    outside = wanted.owner.replace("$", ".")  # an outside class is named as one writes it
    for target in found:
        if target.name == wanted.name and target.owner in (wanted.owner, outside, ""):
            if target.parameters in (wanted.parameters, "?"):
                return "agrees"
        made = f"{target.owner}.{target.name}" == outside  # of an outside class only the name is known
        if wanted.name == "<init>" and target.parameters == "?" and made:
            return "agrees"
    named = [target for target in found if target.name == wanted.name]
    if any(target.owner == wanted.owner for target in named):
        return "other overload"
    return "other class" if named else "other name"


def compare(kg: KnowledgeGraph, sites: list[Site], prefix: str) -> dict[str, Any]:
    """Agreement, coverage, and every difference by class."""
    wanted = {(prefix + site.file, site.offset) for site in sites}
    rows: dict[tuple[str, int], list[str | None]] = defaultdict(list)
    table = kg.occurrences.select(["file", "start", "role", "how", "entity"])
    for batch in table.to_batches():
        columns = (batch.column(name).to_pylist() for name in table.column_names)
        for file, start, role, how, entity in zip(*columns, strict=True):
            if role == "call" and (file, start) in wanted:
                rows[file, start].append(entity if how != "heuristic" else GUESS)
    verdicts: Counter[str] = Counter()
    examples: dict[str, list[str]] = defaultdict(list)
    for site in sites:
        here = rows.get((prefix + site.file, site.offset), [])
        sure = [iri for iri in here if iri not in (None, GUESS)]
        found = [target for iri in sure if (target := target_of(iri or "")) is not None]
        result = "guessed" if GUESS in here and not found else verdict(site.target, found, bool(here))
        verdicts[result] += 1
        if result != "agrees" and len(examples[result]) < 20:
            said = " ".join(f"{t.owner}.{t.name}({t.parameters})" for t in found)
            examples[result].append(f"{site.file}:{site.offset} {site.target} / {said}")
    covered = sum(n for name, n in verdicts.items() if name not in UNRESOLVED)
    return {
        "sites": len(sites),
        "agreement": round(verdicts["agrees"] / covered, 4) if covered else None,
        "coverage": round(covered / len(sites), 4) if sites else None,
        "verdicts": dict(sorted(verdicts.items())),
        "examples": dict(sorted(examples.items())),
    }


def sample(root: Path, paths: list[str], module: str, files: int, sites: int, seed: int) -> list[Site]:
    """Some call sites of some files, drawn with a seed."""
    draw = random.Random(seed)
    chosen = sorted(draw.sample(paths, min(files, len(paths))))
    found = attribute(module, root, chosen)
    return sorted(draw.sample(found, min(sites, len(found))))
