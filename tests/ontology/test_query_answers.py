"""The named queries give what a slow and obvious reading of the triples gives, on real code."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from graphmer_geo.kg import KnowledgeGraph, Source, build_kg

Rows = list[dict[str, Any]]


class Reference:
    """Relations as plain sets of pairs."""

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for row in kg.triples().to_pylist():
            self.pairs[row["relation"]].add((row["subject"], row["object"]))
        self.rows = {row["iri"]: row for row in kg.entities().to_pylist()}
        self.names = {iri: row["qualified_name"] for iri, row in self.rows.items()}

    def graph(self, *relations: str) -> nx.DiGraph:
        return nx.DiGraph([pair for relation in relations for pair in self.pairs[relation]])


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    library = Path(logging.__file__).parent.parent
    parts = ["json/*.py", "logging/*.py", "concurrent/futures/*.py", "xml/dom/*.py", "wsgiref/*.py"]
    java = tmp_path_factory.mktemp("java")
    for name, other in (("A", "B"), ("B", "A"), ("C", "A"), ("D", "E"), ("E", "F"), ("F", "D")):
        text = f"package {name.lower()};\nimport {other.lower()}.{other};\n"
        (java / f"{name}.java").write_text(
            text + f"public class {name} {{ {other} x; private void f() {{}} }}\n"
        )
    return build_kg([Source(library, "stdlib", "3", parts), java])


@pytest.fixture(scope="module")
def reference(kg: KnowledgeGraph) -> Reference:
    return Reference(kg)


def test_callers(kg: KnowledgeGraph, reference: Reference) -> None:
    calls = reference.graph("calls")
    for target in sorted(calls.nodes)[::40]:
        name = reference.names[target]
        wanted: set[tuple[int, str]] = set()
        for same in (iri for iri in calls if reference.names[iri] == name):
            layer = {same}
            for hops in (1, 2, 3):  # walks, as the query's paths are: a caller may be at several distances
                layer = {caller for node in layer for caller in calls.predecessors(node)}
                wanted |= {(hops, caller) for caller in layer}
        assert {(r["hops"], r["caller"]) for r in kg.run("callers", function=name)} == wanted, name


def test_subclasses(kg: KnowledgeGraph, reference: Reference) -> None:
    below = reference.graph("extends", "implements")
    for base in sorted(below.nodes):
        name = reference.names[base]
        same = [iri for iri in below if reference.names[iri] == name]
        wanted = set().union(*(nx.ancestors(below, iri) for iri in same))
        assert {r["class"] for r in kg.run("subclasses", type=name)} == wanted, name


def test_most_called(kg: KnowledgeGraph, reference: Reference) -> None:
    callers: dict[str, set[str]] = defaultdict(set)
    for caller, callee in reference.pairs["calls"]:
        callers[callee].add(caller)
    ranked = sorted(callers, key=lambda iri: (-len(callers[iri]), reference.names[iri], iri))[:20]
    rows = kg.run("most-called")
    assert [(r["function"], r["callers"]) for r in rows] == [(i, len(callers[i])) for i in ranked]
    assert all(r["name"] == reference.names[r["function"]] for r in rows)


def test_unused_private(kg: KnowledgeGraph, reference: Reference) -> None:
    private = {row["s"] for row in kg.query('SELECT ?s { ?s gm:visibility "private" }')}
    used = {callee for caller, callee in reference.pairs["calls"] if caller != callee}
    for relation in ("refersTo", "decoratedBy", "reads", "imports"):
        used |= {target for _, target in reference.pairs[relation]}
    used |= {iri for pair in reference.pairs["overrides"] for iri in pair}
    wanted = {
        iri
        for iri, row in reference.rows.items()
        if row["kind"] in ("Function", "Method") and iri not in used
        if iri in private or (row["name"].startswith("_") and not row["name"].startswith("__"))
    }
    assert {r["function"] for r in kg.run("unused-private")} == wanted
    assert {"a.A.f", "b.B.f"} <= {reference.names[iri] for iri in wanted}


def test_exceptions(kg: KnowledgeGraph, reference: Reference) -> None:
    calls, above = reference.graph("calls"), reference.graph("extends")
    thrown, caught = defaultdict(set), defaultdict(set)
    for relation, table in (("raises", thrown), ("declaresThrown", thrown), ("catches", caught)):
        for subject, target in reference.pairs[relation]:
            table[subject].add(target)
    found = 0
    for start in sorted(calls.nodes)[::10]:
        name = reference.names[start]
        if sum(other == name for other in reference.names.values()) > 1:
            continue  # the query takes names, and the variants of a function share one
        below = {start, *nx.descendants(calls, start)}
        wanted = set()
        for exception in {e for node in below for e in thrown[node]}:
            handled = {exception, *(nx.descendants(above, exception) if exception in above else ())}
            open_ways = calls.subgraph(node for node in below if not handled & caught[node])
            passed = {start, *nx.descendants(open_ways, start)} if start in open_ways else set()
            wanted |= {(exception, reference.names[node]) for node in passed if exception in thrown[node]}
        assert {(r["exception"], r["raiser"]) for r in kg.run("exceptions", function=name)} == wanted, start
        found += len(wanted)
    assert found > 10


def test_import_cycles(kg: KnowledgeGraph, reference: Reference) -> None:
    parents = {target: source for source, target in reference.pairs["declares"]}
    imports = reference.graph("imports")
    importers = {a for a, _ in imports.edges}
    between = nx.DiGraph(
        (a, place) for a, b in imports.edges for place in (b, parents.get(b)) if place in importers - {a}
    )
    closure = nx.transitive_closure(between)
    wanted = {(reference.names[a], reference.names[b]) for a, b in between.edges if closure.has_edge(b, a)}
    rows = kg.run("import-cycles")
    assert {(r["one"], r["other"]) for r in rows} == wanted
    assert {("a.A", "b.B"), ("b.B", "a.A"), ("d.D", "e.E"), ("e.E", "f.F"), ("f.F", "d.D")} <= wanted
    of = {
        name: {r["cycle"] for r in rows if name in (r["one"], r["other"])} for name in ("a.A", "b.B", "d.D")
    }
    assert of["a.A"] == of["b.B"] != of["d.D"]
    sizes = [r["size"] for r in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert {r["size"] for r in rows if r["one"] in ("d.D", "a.A")} == {2, 3}


def test_heuristic(kg: KnowledgeGraph) -> None:
    sure = {(r["subject"], r["relation"], r["object"]) for r in kg.triples().to_pylist() if r["heuristic"]}
    gm = "https://w3id.org/graphmer#"
    rows = {(r["subject"], r["relation"].removeprefix(gm), r["object"]) for r in kg.run("heuristic")}
    assert rows == sure
