from __future__ import annotations

import pyoxigraph as ox
import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph
from graphmer_geo.kg.bindings import bind

NAME = ox.Literal('x" } #')


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?s WHERE {|?s ?p ?n FILTER(?n = ?v) }",
        "# not { this ?v\nASK {|?s ?p ?v }",
        "PREFIX a: <http://a#{> CONSTRUCT { ?s ?p ?v } WHERE {|?s ?p ?v }".replace("#{", "#"),
        "CONSTRUCT WHERE {|?s ?p ?v }",
        'SELECT ("{" AS ?x) {|?s ?p ?v . { SELECT * { ?a ?b ?c } } }',
    ],
)
def test_the_block_goes_to_the_start_of_the_outermost_pattern(query: str) -> None:
    before, after = query.split("|")
    assert bind(before + after, {"v": NAME}) == f'{before} VALUES (?v) {{ ("x\\" }} #") }} {after}'


def test_values_cannot_become_syntax(kg: KnowledgeGraph) -> None:
    query = "SELECT ?f { ?f gm:qualifiedName ?name }"
    assert len(kg.query(query, name="app.start")) == 1
    assert kg.query(query, name='app.start" } #') == []


def test_iris_numbers_and_filters(kg: KnowledgeGraph) -> None:
    (row,) = kg.query('SELECT ?f { ?f gm:qualifiedName "app.util.text.helper" }')
    query = "SELECT ?n { ?c gm:calls ?f ; gm:qualifiedName ?n ; gm:startLine ?line FILTER(?line < ?limit) }"
    callers = kg.query(query, f=row["f"], limit=2)
    assert [r["n"] for r in callers] == ["app.util.text.helper"]
    assert kg.query("ASK { ?f a gm:Function }", f=row["f"]) == [{"ask": True}]


def test_mistakes_are_named(kg: KnowledgeGraph) -> None:
    with pytest.raises(UserError, match=r"no variable \?g"):
        kg.query("SELECT ?s { ?s ?p ?o }", g=1)
    with pytest.raises(UserError, match="not valid SPARQL"):
        kg.query("SELEKT")
