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
    for name, other in (("A", "B"), ("B", "A"), ("C", "A")):
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
        chains = [[start]]
        chains += [[start, one] for one in calls.successors(start)]
        chains += [[start, one, two] for one in calls.successors(start) for two in calls.successors(one)]
        wanted = {
            (exception, reference.names[chain[-1]])
            for chain in chains
            for exception in thrown[chain[-1]]
            if not any(
                {exception, *(nx.descendants(above, exception) if exception in above else ())} & caught[node]
                for node in chain
            )
        }
        rows = kg.run("exceptions", function=reference.names[start])
        twins = sum(name == reference.names[start] for name in reference.names.values())
        if twins == 1:  # the query takes names, and the variants of a function share one
            assert {(r["exception"], r["raiser"]) for r in rows} == wanted, start
            found += len(wanted)
    assert found > 10


def test_import_cycles(kg: KnowledgeGraph, reference: Reference) -> None:
    imports = set(reference.pairs["imports"])
    modules = {iri for iri, row in reference.rows.items() if row["kind"] == "Module"}
    parents = {target: source for source, target in reference.pairs["declares"]}
    between = {
        (a, place) for a, b in imports for place in (b, parents.get(b)) if a in modules and place in modules
    }
    mutual = {(a, b) for edges in (imports, between) for a, b in edges if (b, a) in edges and a < b}
    wanted = sorted((reference.names[a], reference.names[b]) for a, b in mutual)
    assert [(r["one"], r["other"]) for r in kg.run("import-cycles")] == wanted
    assert ("a.A", "b.B") in wanted


def test_heuristic(kg: KnowledgeGraph) -> None:
    sure = {(r["subject"], r["relation"], r["object"]) for r in kg.triples().to_pylist() if r["heuristic"]}
    gm = "https://w3id.org/graphmer#"
    rows = {(r["subject"], r["relation"].removeprefix(gm), r["object"]) for r in kg.run("heuristic")}
    assert rows == sure
