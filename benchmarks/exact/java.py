"""The Java half: the sources of a module against its compiled classes.

Left out on both sides: what the compiler adds without a word in the source (synthetic and bridge members,
static initializers, the outer instance among a constructor's parameters, the supertypes that every class,
enum, record or annotation type has). Implicit members of the class files are left out where the graph has
none: a constructor whose first instruction lies on the line where its class begins, ``values`` and
``valueOf`` of enums, and the accessors, ``equals``, ``hashCode`` and ``toString`` of records.

Array dimensions of fields and results are not compared, as the graph has none. Types are erased. Local and
anonymous classes are numbered by the compiler: they are told by the class around them, their name and their
supertypes. Their constructors, which take captured variables, are not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.exact import classfile as c
from benchmarks.exact.java_graph import IMPLIED, LOCAL, TYPES, Graph
from benchmarks.exact.tally import Facts, Tally, facts
from graphmer_geo.kg import build_kg
from graphmer_geo.kg.sources import Source


def compare(
    sources: Path, compiled: Iterable[c.ClassFile], include: Sequence[str] = (), listed: int = 200
) -> tuple[Tally, dict[str, Any]]:
    """Compare a folder of sources with its compiled classes.

    Returns:
        the counts, and what could not be compared.
    """
    source = Source(sources, package=sources.name, version="0", include=list(include) or None)
    kg = build_kg([source], languages=["java"])
    graph = Graph(kg)
    classes = {each.name: each for each in compiled}
    pairing = _Pairing(graph, classes)
    truth = _Truth(classes, pairing)
    wanted, found = truth.facts(), pairing.only_built(graph.facts())
    truth.drop_implicit(wanted, found)
    tally = Tally(listed)
    tally.add(wanted, found)
    return tally, {
        "files": len(kg.manifest.files),
        "classes": len(classes),
        "not ok": [f"{r.path}: {'; '.join(r.problems)}"[:300] for r in kg.manifest.files if r.status != "ok"],
        "sources without a class in this build": sorted(pairing.absent),
        "classes without a source": sorted(pairing.foreign),
    }


class _Pairing:
    """Which sources and classes belong together: sources are of other platforms, classes generated."""

    def __init__(self, graph: Graph, classes: dict[str, c.ClassFile]) -> None:
        self.graph, self.classes = graph, classes
        types = [iri for iri, kind in graph.kinds.items() if kind in TYPES and iri in graph.parent]
        tops = [iri for iri in types if graph.kinds[graph.parent[iri]] == "Package"]
        #: binary name -> lines from the first modifier to the name
        self.headers = {
            graph.identity(i): range(graph.lines[i], graph.name_lines.get(i, 0) + 1) for i in types
        }
        built = {graph.files[i] for i in tops if graph.identity(i) in classes}
        self.absent = {graph.identity(i) for i in tops if graph.files[i] not in built}
        self.tops = {graph.identity(i) for i in tops} - self.absent
        paths = {self._place(i) for i in tops}
        self.foreign = {n for n, each in classes.items() if "$" not in n and _place(each) not in paths}

    def _place(self, iri: str) -> str:
        return self.graph.identity(iri).rpartition(".")[0] + "/" + self.graph.files[iri].rpartition("/")[2]

    def top(self, name: str) -> str:
        """The top-level class around a class."""
        package, dot, rest = name.partition("<")[0].rpartition(".")
        return package + dot + rest.partition("$")[0]

    def only_built(self, found: Facts) -> Facts:
        """Without what belongs to sources that have no class."""
        kept = facts()
        for kind, counter in found.items():
            kept[kind] = Counter({k: n for k, n in counter.items() if self.top(str(k[0])) not in self.absent})
        return kept


def _place(each: c.ClassFile) -> str:
    return each.name.rpartition(".")[0] + "/" + each.source


class _Truth:
    """What class files say."""

    def __init__(self, classes: dict[str, c.ClassFile], pairing: _Pairing) -> None:
        self.classes, self.pairing = classes, pairing
        self._identities: dict[str, str] = {}
        self._implicit: list[tuple[str, str]] = []

    def is_local(self, each: c.ClassFile) -> bool:
        outer = self.classes.get(each.outer or "")
        return each.is_local or (outer is not None and self.is_local(outer))

    def identity(self, name: str) -> str:
        """As :meth:`Graph.identity`."""
        found = self._identities.get(name)
        each = self.classes.get(name)
        if found is None and each is not None and each.outer is not None:
            found = f"{self.identity(each.outer)}${each.simple_name or ''}"
            if each.is_local:
                above = {self.identity(n) for n in (each.superclass or "", *each.interfaces)} - IMPLIED
                found += f"<{','.join(sorted(above))}>"
        return self._identities.setdefault(name, found or name)

    def facts(self) -> Facts:
        found = facts()
        foreign = self.pairing.foreign
        for each in self.classes.values():
            top = self.pairing.top(each.name)
            if each.is_synthetic or top in foreign or top not in self.pairing.tops:
                continue
            self._class(found, each)
        return found

    def _class(self, found: Facts, each: c.ClassFile) -> None:
        name, local = self.identity(each.name), self.is_local(each)
        suffix = LOCAL if local else ""
        kind = _kind(each)
        found[kind.lower() + suffix][name,] += 1
        if not local:
            _flags(found, each.flags, each.outer is not None, name)
            if kind in ("Class", "Enum", "Record"):
                for above in {each.superclass or ""} - IMPLIED - {""}:
                    found["superclass"][name, self.identity(above)] += 1
            for above in set(each.interfaces) - IMPLIED:
                found["interface above"][name, self.identity(above)] += 1
        for member in each.fields:
            if not member.flags & c.SYNTHETIC:
                label = "enum constant" if member.flags & c.ENUM else "field"
                written = self.identity(c.types_in(member.descriptor)[0].rstrip("[]"))
                found[label + suffix][name, member.name, written] += 1
                if not local:
                    _flags(found, member.flags, True, name, member.name, written)
        for member in each.methods:
            if not member.flags & (c.SYNTHETIC | c.BRIDGE) and member.name != "<clinit>":
                self._method(found, each, member, name, suffix)

    def _method(self, found: Facts, each: c.ClassFile, member: c.Member, name: str, suffix: str) -> None:
        *types, result = c.types_in(member.descriptor)
        is_constructor = member.name == "<init>"
        if is_constructor and suffix:
            return
        if is_constructor:
            types = types[_unwritten(each) :]
        written = [self._named(each_type) for each_type in types]
        key = (name, f"{member.name}({','.join(written)})")
        if self._may_be_implicit(each, member, name, bool(types)):
            self._implicit.append(key)
        found[("constructor" if is_constructor else "method") + suffix][key] += 1
        if not is_constructor:
            found["result" + suffix][*key, self._named(result).rstrip("[]")] += 1
        for exception in member.exceptions:
            found["declared exception" + suffix][*key, self.identity(exception)] += 1
        if not suffix:
            _flags(found, member.flags, True, *key)

    def _named(self, written: str) -> str:
        base = written.rstrip("[]")
        return self.identity(base) + written[len(base) :]

    def _may_be_implicit(self, each: c.ClassFile, member: c.Member, name: str, has_parameters: bool) -> bool:
        kind = _kind(each)
        if member.name == "<init>":
            return not has_parameters and member.line in self.pairing.headers.get(name, ())
        if kind == "Enum":
            return member.name in ("values", "valueOf") and bool(member.flags & c.STATIC)
        accessors = {f.name for f in each.fields if not f.flags & c.STATIC}
        return kind == "Record" and member.name in {*accessors, "equals", "hashCode", "toString"}

    def drop_implicit(self, wanted: Facts, found: Facts) -> None:
        """Take out the implicit members that the graph does not have."""
        said = {key for kind in ("constructor", "method") for key in found[kind]}
        gone = {key for key in self._implicit if key not in said}
        for kind in ("constructor", "method", "result", "visibility", "static"):
            wanted[kind] = Counter({k: n for k, n in wanted[kind].items() if k[:2] not in gone})


def _kind(each: c.ClassFile) -> str:
    if each.flags & c.ANNOTATION:
        return "AnnotationType"
    if each.flags & c.INTERFACE:
        return "Interface"
    if each.flags & c.ENUM and each.superclass == "java.lang.Enum":
        return "Enum"
    return "Record" if each.superclass == "java.lang.Record" else "Class"


def _unwritten(each: c.ClassFile) -> int:
    """Leading parameters of its constructors that no source has."""
    if each.flags & c.ENUM:
        return 2  # name and ordinal
    return int(each.outer is not None and not each.flags & c.STATIC)


def _flags(found: Facts, flags: int, is_member: bool, *key: Hashable) -> None:
    words = {c.PUBLIC: "public", c.PROTECTED: "protected", c.PRIVATE: "private"}
    visibility = next((word for flag, word in words.items() if flags & flag), "package-private")
    found["visibility"][*key, visibility] += 1
    found["static"][*key, bool(is_member and flags & c.STATIC)] += 1
