"""Terms come back from the store as they went in, whatever they hold."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.quads import NO_NUMBER, read_quads

SUBJECT, PREDICATE = ox.NamedNode("http://s/é#(a,b)"), ox.NamedNode("http://p")


def graph(name: str) -> ox.NamedNode:
    return ox.NamedNode(name + "x")


@pytest.mark.parametrize(
    ("literal", "number"),
    [
        (ox.Literal('a\ttab, a\nline, a\rreturn, a "quote", a \\n that is none, \x7f, Ü, 😀'), NO_NUMBER),
        (ox.Literal(""), NO_NUMBER),
        (ox.Literal("<http://no/iri>"), NO_NUMBER),
        (ox.Literal("null"), NO_NUMBER),
        (ox.Literal("x", language="en"), NO_NUMBER),
        (ox.Literal(7), 7),
        (ox.Literal("-3", datatype=ox.NamedNode(v.XSD + "integer")), -3),
        (ox.Literal("many", datatype=ox.NamedNode(v.XSD + "integer")), NO_NUMBER),
        (ox.Literal("9" * 40, datatype=ox.NamedNode(v.XSD + "integer")), NO_NUMBER),
        (ox.Literal(True), NO_NUMBER),
        (ox.Literal(1.5), NO_NUMBER),
        (ox.Literal("1.5", datatype=ox.NamedNode(v.XSD + "decimal")), NO_NUMBER),
        (ox.Literal("a" * 3_000_000), NO_NUMBER),
    ],
)
def test_a_literal_comes_back(literal: ox.Literal, number: int) -> None:
    store = ox.Store()
    store.add(ox.Quad(SUBJECT, PREDICATE, literal, graph(v.FILE_GRAPHS)))
    quads = read_quads(store)
    subjects, objects = (codes.tolist() for codes in quads.of(PREDICATE.value))
    assert [quads.texts[s] for s in subjects] == [SUBJECT.value]
    assert [(quads.texts[o], quads.datatypes[o]) for o in objects] == [
        (literal.value, literal.datatype.value)
    ]
    assert [quads.numbers[o] for o in objects] == [number]


def test_only_asserted_graphs_are_read() -> None:
    store = ox.Store()
    for number, name in enumerate((v.FILE_GRAPHS, v.HEURISTIC_GRAPHS, v.INFERRED_GRAPHS, v.ONTOLOGY_GRAPH)):
        store.add(ox.Quad(SUBJECT, PREDICATE, ox.NamedNode(f"http://o/{number}"), graph(name)))
    quads = read_quads(store)
    assert sorted(quads.texts[o] for o in quads.of(PREDICATE.value)[1]) == ["http://o/0", "http://o/1"]
    assert not len(quads.of("http://other")[0])


def test_an_empty_store_is_an_empty_table() -> None:
    quads = read_quads(ox.Store())
    assert not quads.rows
    assert not quads.texts
