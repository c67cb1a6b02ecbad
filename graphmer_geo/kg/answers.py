"""What SPARQL cannot say of some named queries: there the query gives facts, and this makes the answer.

A query names its step in its header, ``# then: cycles``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import networkx as nx

from graphmer_geo.kg.vocabulary import gm

Rows = list[dict[str, Any]]
_RAISES = frozenset((gm("raises"), gm("declaresThrown")))


def cycles(rows: Rows) -> Rows:
    """The edges that lie on a cycle, by strongly connected component, the largest first.

    Args:
        rows: Edges from ``a`` to ``b``, with their names ``one`` and ``other`` where they have some.
    """
    graph = nx.DiGraph()
    graph.add_edges_from((row["a"], row["b"]) for row in rows)
    components = [c for c in nx.strongly_connected_components(graph) if len(c) > 1]
    components.sort(key=lambda members: (-len(members), min(members)))
    number = {node: i for i, members in enumerate(components, 1) for node in members}
    found = [
        {"cycle": number[row["a"]], "size": len(components[number[row["a"]] - 1]), **row}
        for row in rows
        if row["a"] in number and number[row["a"]] == number.get(row["b"])
    ]
    return sorted(found, key=lambda row: (row["cycle"], row.get("one", ""), row.get("other", ""), row["b"]))


def escaping(rows: Rows) -> Rows:
    """The exceptions that come through from where they are raised to the function that was asked for.

    One bit stands for each exception. What a function lets pass is what some caller of it lets pass, without
    what it catches itself; the functions that were asked for begin with all exceptions.

    Args:
        rows: Facts ``a fact b`` of all that ``start`` reaches, where ``fact`` is one of the relations of the
            ontology, with the names ``raiser`` of ``a`` and ``type`` of ``b``.
    """
    facts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        facts[row["fact"]][row["a"]].add(row["b"])
    raised = [row for row in rows if row["fact"] in _RAISES]
    bits = {exception: 1 << i for i, exception in enumerate(dict.fromkeys(row["b"] for row in raised))}
    handled: dict[str, int] = defaultdict(int)
    for exception, bit in bits.items():
        for ancestor in _above(exception, facts[gm("extends")]):
            handled[ancestor] |= bit
    caught = {f: _union(handled[c] for c in classes) for f, classes in facts[gm("catches")].items()}
    passing: dict[str, int] = defaultdict(int)
    todo = [(start, (1 << len(bits)) - 1) for start in {row["start"] for row in rows}]
    while todo:
        function, allowed = todo.pop()
        fresh = allowed & ~caught.get(function, 0) & ~passing[function]
        if fresh:
            passing[function] |= fresh
            todo += [(callee, fresh) for callee in facts[gm("calls")][function]]
    found = {(row["type"], row["raiser"], row["b"]) for row in raised if passing[row["a"]] & bits[row["b"]]}
    return [{"exception": iri, "type": kind, "raiser": raiser} for kind, raiser, iri in sorted(found)]


def _above(exception: str, extends: dict[str, set[str]]) -> set[str]:
    """An exception and everything that it inherits from."""
    found, todo = {exception}, [exception]
    while todo:
        for parent in extends.get(todo.pop(), ()):
            if parent not in found:
                found.add(parent)
                todo.append(parent)
    return found


def _union(masks: Iterable[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total


#: header value -> step
STEPS: dict[str, Callable[[Rows], Rows]] = {"cycles": cycles, "escaping": escaping}
