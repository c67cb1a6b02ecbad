"""The evaluation as tables and plots: the model and the baselines always side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphmer_geo.viz.charts import dot_figure, figure_svg
from graphmer_geo.viz.page import Block, Table, Tile, format_value

MODEL = "model"
METRICS = {"mrr": "MRR", "hits@1": "Hits@1", "hits@3": "Hits@3", "hits@10": "Hits@10"}
#: Groups of queries, most telling first, with what they mean.
GROUPS = {
    "hidden": "Hidden: the answer's name cannot be read in the code",
    "visible": "Visible: it can",
    "all": "All",
}
#: Relations with fewer queries than this are in the table only: their means are noise.
LEAST_QUERIES = 10


def tiles(evaluation: Mapping[str, Any]) -> Iterator[Tile]:
    """The few numbers that decide, with the best baseline beside each."""
    for group in ("hidden", "visible"):
        scorers = evaluation.get("ranking", {}).get(group)
        if scorers:
            name, best = _best_baseline(scorers)
            value = format_value(float(scorers[MODEL]["mrr"]))
            yield Tile(f"MRR on {group} tails", value, f"best baseline {best:.3f} ({name})")
    mlm = evaluation.get("mlm", {})
    if MODEL in mlm:
        others = {name: value for name, value in mlm.items() if name not in (MODEL, "count")}
        name = max(others, key=lambda key: others[key], default="")
        note = f"best baseline {others[name]:.3f} ({name})" if name else ""
        yield Tile("masked tokens, top-1", format_value(float(mlm[MODEL])), note)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Everything in :meth:`EvaluationReport.to_dict`, for people."""
    ranking = evaluation.get("ranking", {})
    found = [
        Block(table=_ranking_table(title, ranking[group], evaluation["macro"][group]))
        for group, title in GROUPS.items()
        if group in ranking
    ]
    for group in ("hidden", "visible"):
        found += _per_relation(evaluation.get("per_relation", {}), group)
    if mlm := evaluation.get("mlm"):
        rows = [[name, format_value(float(value))] for name, value in mlm.items() if name != "count"]
        caption = f"Masked tokens ({mlm['count']:,} of them), top-1 accuracy"
        own = frozenset(i for i, row in enumerate(rows) if row[0] == MODEL)
        table = Table(["by", "top-1"], rows, caption, numeric=frozenset({1}), emphasis=own)
        found.append(Block(table=table))
    return found


def _ranking_table(title: str, scorers: Mapping[str, Any], macro: Mapping[str, Any]) -> Table:
    rows = []
    for name, metrics in scorers.items():
        values = [metrics[key] for key in METRICS] + [macro[name]["mrr"]]
        rows.append([name, *(format_value(float(value)) for value in values)])
    columns = ["by", *METRICS.values(), "MRR, mean of relations"]
    count = scorers[MODEL]["count"]
    return Table(
        columns=columns,
        rows=rows,
        caption=f"{title} ({count:,} queries)",
        numeric=frozenset(range(1, len(columns))),
        emphasis=frozenset(i for i, row in enumerate(rows) if row[0] == MODEL),
    )


def _per_relation(per_relation: Mapping[str, Any], group: str) -> list[Block]:
    """A plot of the relations with enough queries."""
    cells = {name: groups[group] for name, groups in per_relation.items() if group in groups}
    cells = {name: c for name, c in cells.items() if c[MODEL]["count"] >= LEAST_QUERIES}
    if not cells:
        return []
    ordered = sorted(cells, key=lambda name: (-cells[name][MODEL]["mrr"], name))
    rows = {
        f"{_title(name)}  ({cells[name][MODEL]['count']:,})": {s: m["mrr"] for s, m in cells[name].items()}
        for name in ordered
    }
    best, worst = ordered[0], ordered[-1]
    described = (
        f"MRR per relation on {group} tails; the model's best is {_title(best)} with "
        f"{cells[best][MODEL]['mrr']:.2f}, its worst {_title(worst)} with {cells[worst][MODEL]['mrr']:.2f}"
    )
    svg = figure_svg(dot_figure(rows, label="MRR"), f"ranks-{group}", described)
    caption = f"In brackets the number of queries; relations with fewer than {LEAST_QUERIES} are left out."
    return [Block(heading=f"Relation by relation, {group} tails", svg=svg, caption=caption)]


def _best_baseline(scorers: Mapping[str, Any]) -> tuple[str, float]:
    others = {name: float(metrics["mrr"]) for name, metrics in scorers.items() if name != MODEL}
    name = max(sorted(others), key=lambda key: others[key])
    return name, others[name]


def _title(relation: str) -> str:
    name = relation.removesuffix("^-1")
    return relation if name == relation else f"{name}, inverse"
