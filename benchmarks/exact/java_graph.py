"""What a knowledge graph says of Java declarations, in the names that the virtual machine has for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from urllib.parse import unquote

import pyoxigraph as ox

from benchmarks.exact.tally import Facts, facts
from graphmer_geo.kg import KnowledgeGraph
from graphmer_geo.kg import vocabulary as v

TYPES = frozenset({"Class", "Interface", "Enum", "Record", "AnnotationType"})
LOCAL = " in bodies"  #: after the kind of a fact about a local or anonymous class
#: What every class has above it though nobody writes it.
IMPLIED = frozenset(
    {"java.lang.Object", "java.lang.Enum", "java.lang.Record", "java.lang.annotation.Annotation"}
)


class Graph:
    """The declarations of a graph, by IRI."""

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self.kinds = {s: o.removeprefix(v.GM) for s, o in self._pairs(v.RDF_TYPE)}
        self.parent = {o: s for s, o in self._pairs(v.gm("declares"))}
        self.names = dict(self._pairs(v.gm("name")))
        self.lines = {s: int(o) for s, o in self._pairs(v.gm("startLine"))}
        self.files = dict(self._pairs(v.gm("definedInFile")))
        self.visibility = dict(self._pairs(v.gm("visibility")))
        self.static = {s for s, o in self._pairs(v.gm("isStatic")) if o == "true"}
        self.above = {r: self._lists(r) for r in ("extends", "implements")}
        self.name_lines: dict[str, int] = {}
        self.bounds: dict[str, str] = {}
        self._read_occurrences()
        self._identities: dict[str, str] = {}

    def _pairs(self, predicate: str) -> Iterator[tuple[str, str]]:
        for quad in self.kg.store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
            yield quad.subject.value, quad.object.value  # type: ignore[union-attr]

    def _lists(self, relation: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for subject, target in self._pairs(v.gm(relation)):
            found[subject].append(target)
        return found

    def _read_occurrences(self) -> None:
        """Lines of names, and the first bounds of type parameters: no triple says them."""
        signatures = dict(self._pairs(v.gm("signature")))
        declaring = {o: s for s, o in self._pairs(v.gm("hasTypeParameter"))}
        bounds: dict[str, tuple[int, str]] = {}
        for batch in self.kg.occurrences.select(
            ["subject", "role", "entity", "start", "end", "line"]
        ).to_batches():
            columns = (column.to_pylist() for column in batch.columns)
            for subject, role, entity, start, end, line in zip(*columns, strict=True):
                if role == "definition":
                    self.name_lines[entity] = line
                elif role == "type" and entity and self.kinds.get(subject) == "TypeParameter":
                    at, above = bounds.get(subject, (-1, ""))
                    said = signatures.get(declaring.get(subject, ""), "")
                    inner = at + 1 == start or f">.{self.names.get(entity)}" in said  # `Outer<T>.Inner`
                    if not above or (inner and self.parent.get(entity) == above):
                        bounds[subject] = (end, entity)
        self.bounds = {subject: entity for subject, (_, entity) in bounds.items()}

    def is_local(self, iri: str) -> bool:
        """Whether a type is declared inside a body, or inside such a type."""
        above = self.parent.get(iri, "")
        return self.kinds.get(above) != "Package" and (
            self.kinds.get(above) not in TYPES or self.is_local(above)
        )

    def identity(self, iri: str) -> str:
        """The binary name of a type.

        One inside a body has a number that only the compiler knows; it is told by the class around it, its
        name and its supertypes.
        """
        found = self._identities.get(iri)
        if found is None:
            found = self._identities[iri] = self._identity(iri)
        return found

    def _identity(self, iri: str) -> str:
        name, above = self.names.get(iri, ""), self.parent.get(iri)
        if above is None:
            return unquote(iri.rpartition("#")[2])  # outside the corpus: the fragment is the qualified name
        if self.kinds[above] == "Package":
            package = self.names[above]
            return f"{package}.{name}" if package != "<default>" else name
        if self.kinds[above] in TYPES:
            return f"{self.identity(above)}${name}"
        while self.kinds[above] not in TYPES:
            above = self.parent[above]
        simple = "" if name.startswith("$") else name
        return f"{self.identity(above)}${simple}<{','.join(self.supertypes(iri))}>"

    def supertypes(self, iri: str) -> list[str]:
        """The written supertypes, sorted."""
        every = [*self.above["extends"].get(iri, ()), *self.above["implements"].get(iri, ())]
        return sorted({self.identity(each) for each in every} - IMPLIED)

    def erased(self, iri: str | None) -> str:
        """The type that the virtual machine sees."""
        depth = 0
        while iri is not None and self.kinds.get(iri) == "TypeParameter" and depth < 20:
            iri, depth = self.bounds.get(iri), depth + 1
            if iri is None:
                return "java.lang.Object"
        return self.identity(iri) if iri is not None else "?"

    def facts(self) -> Facts:
        """Everything that a class file says too."""
        found = facts()
        members = _Members(self)
        for iri, kind in self.kinds.items():
            if kind in TYPES:
                name, suffix = self.identity(iri), LOCAL if self.is_local(iri) else ""
                found[kind.lower() + suffix][name,] += 1
                if suffix:
                    continue
                self._flags(found, iri, name)
                for relation, plural in (("extends", "superclass"), ("implements", "interface above")):
                    if relation == "extends" and kind in ("Interface", "AnnotationType"):
                        plural = "interface above"
                    for above in {
                        self.identity(each) for each in self.above[relation].get(iri, ())
                    } - IMPLIED:
                        found[plural][name, above] += 1
            elif kind in ("Field", "EnumConstant", "Method", "Constructor"):
                members.add(found, iri, kind)
        return found

    def _flags(self, found: Facts, iri: str, *key: Hashable) -> None:
        found["visibility"][*key, self.visibility.get(iri, "?")] += 1
        found["static"][*key, iri in self.static] += 1


class _Members:
    """The members of types."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.types = dict(graph._pairs(v.gm("hasType")))
        self.returns = dict(graph._pairs(v.gm("returnsType")))
        self.thrown = graph._lists("declaresThrown")
        position = {s: int(o) for s, o in graph._pairs(v.gm("parameterIndex"))}
        self.parameters = graph._lists("hasParameter")
        for each in self.parameters.values():
            each.sort(key=lambda parameter: position[parameter])

    def add(self, found: Facts, iri: str, kind: str) -> None:
        graph = self.graph
        above = graph.parent[iri]
        owner, suffix = graph.identity(above), LOCAL if graph.is_local(above) else ""
        name = graph.names[iri]
        if kind in ("Field", "EnumConstant"):
            written = graph.erased(self.types.get(iri)) if kind == "Field" else owner
            key: tuple[str, ...] = (owner, name, written)
            found[("field" if kind == "Field" else "enum constant") + suffix][key] += 1
        elif kind == "Constructor" and suffix:
            return
        else:
            key = (owner, f"{name}({','.join(self._parameter_types(iri))})")
            if kind == "Method":
                found["result" + suffix][
                    *key, graph.erased(self.returns.get(iri)) if iri in self.returns else "void"
                ] += 1
            found[kind.lower() + suffix][key] += 1
            for each in self.thrown.get(iri, ()):
                found["declared exception" + suffix][*key, graph.erased(each)] += 1
        if not suffix:
            graph._flags(found, iri, *key)

    def _parameter_types(self, iri: str) -> list[str]:
        descriptor = unquote(iri.rpartition("#")[2])
        own = descriptor[len(unquote(self.graph.parent[iri].rpartition("#")[2])) :]
        written = own[own.index("(") + 1 : own.index(")")].split(",")
        types = [self.graph.erased(self.types.get(each)) for each in self.parameters.get(iri, ())]
        return [t + "[]" * (w.count("[]") + w.endswith("...")) for t, w in zip(types, written, strict=False)]
