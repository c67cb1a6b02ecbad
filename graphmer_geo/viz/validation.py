"""The validation report as tables and a plot: this graph beside its corrupted copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmer_geo.viz.charts import dot_figure, figure_svg
from graphmer_geo.viz.page import Block, Table, table_of

THIS, CORRUPTED = "this graph", "its tails shuffled"


def blocks(report: Mapping[str, Any]) -> list[Block]:
    """Everything in :meth:`ValidationReport.to_dict`, for people."""
    if not report:
        return []
    return [Block(table=_scores(report)), _relations(report), *_shapes(report["shapes"])]


def _scores(report: Mapping[str, Any]) -> Table:
    rows = [
        ["triples that agree with all that is known of their ends", *_pair(report, "score")],
        ["triples whose ends are of admissible classes", *_pair(report, "type_score")],
    ]
    return Table(["", THIS, CORRUPTED], rows, numeric=frozenset({1, 2}), emphasis=frozenset({0}))


def _pair(report: Mapping[str, Any], name: str) -> tuple[str, str]:
    return f"{report[name]:.2%}", f"{report[f'{name}_on_corrupted']:.2%}"


def _relations(report: Mapping[str, Any]) -> Block:
    rows: dict[str, dict[str, float]] = {}
    for series, key in ((THIS, "relations"), (CORRUPTED, "relations_on_corrupted")):
        for score in report[key]:
            if score["checked"]:
                rows.setdefault(score["relation"], {})[series] = score["consistent"] / score["checked"]
    described = "; ".join(f"{name} {row.get(THIS, 0):.0%}" for name, row in rows.items())
    figure = dot_figure(rows, label="share of consistent triples", first=THIS)
    svg = figure_svg(figure, "consistency", f"Share of consistent triples per relation: {described}")
    return Block(heading="Relation by relation", svg=svg)


def _shapes(shapes: list[Mapping[str, Any]]) -> list[Block]:
    violated = [shape for shape in shapes if shape["violations"]]
    clean = len(shapes) - len(violated)
    text = f"{clean} of {len(shapes)} SHACL shapes hold for every node they speak about."
    found = [Block(heading="Shapes", text=text)]
    if violated:
        rows = [
            {
                "shape": shape["shape"],
                "violations": shape["violations"],
                "of": shape["checked"],
                "what is wrong": shape["message"],
                "for example": next(iter(shape["examples"]), ""),
            }
            for shape in violated
        ]
        found.append(Block(table=table_of(rows)))
    return found
