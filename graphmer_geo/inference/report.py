"""What an evaluation found, as numbers, Markdown or a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from graphmer_geo.data.config import INVERSE
from graphmer_geo.metrics import summarize

Metrics = dict[str, float]
PerQuery = dict[str, np.ndarray]

#: Columns of the tables.
SHOWN = ("mrr", "hits@1", "hits@3", "hits@10")


@dataclass(frozen=True)
class EvaluationReport:
    """Every number of one evaluation.

    Attributes:
        setting: what was evaluated on what, with which seed; enough to repeat it.
        mlm: top-1 accuracy on masked tokens of the model and of the n-gram baselines, and their number.
        ranking: group of queries → scorer → metrics, each query counting once.
        macro: the same, each relation counting once.
        per_relation: relation → group → scorer → metrics.
        variants: baseline → relation → the variant chosen on validation ("" is the default).
    """

    setting: dict[str, Any]
    mlm: Metrics
    ranking: dict[str, dict[str, Metrics]]
    macro: dict[str, dict[str, Metrics]]
    per_relation: dict[str, dict[str, dict[str, Metrics]]]
    variants: dict[str, dict[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    def to_markdown(self) -> str:
        """Tables in Markdown."""
        lines = [f"| MLM on {self.mlm['count']:,} masked tokens | top-1 |", "|---|---|"]
        lines += [f"| {name} | {v:.3f} |" for name, v in self.mlm.items() if name != "count"]
        for title, header, rows in self._tables():
            lines += ["", f"**{title}**", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
            lines += ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join(lines) + "\n"

    def to_rich(self) -> list[Table]:
        """Tables for a terminal."""
        accuracy = Table("masked tokens", "top-1", title=f"MLM, {self.mlm['count']:,} tokens")
        for name, value in self.mlm.items():
            if name != "count":
                accuracy.add_row(name, f"{value:.3f}")
        tables = [accuracy]
        for title, header, rows in self._tables():
            table = Table(*header, title=title)
            for row in rows:
                table.add_row(*row)
            tables.append(table)
        return tables

    def _tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        return [self._by_group(), self._by_relation("hidden"), self._by_relation("visible")]

    def _by_group(self) -> tuple[str, list[str], list[list[str]]]:
        rows = []
        for group, scorers in self.ranking.items():
            for name, metrics in scorers.items():
                shown = [f"{metrics[m]:.3f}" for m in SHOWN]
                rows.append(
                    [group, f"{metrics['count']:,}", name, *shown, f"{self.macro[group][name]['mrr']:.3f}"]
                )
        return "Ranking among all admissible entities", ["tails", "n", "by", *SHOWN, "macro mrr"], rows

    def _by_relation(self, group: str) -> tuple[str, list[str], list[list[str]]]:
        scorers = list(self.ranking["all"])
        rows = []
        for relation, groups in self.per_relation.items():
            if group in groups:
                found = groups[group]
                cells = [f"{found[name]['mrr']:.3f}" for name in scorers]
                rows.append([relation, f"{next(iter(found.values()))['count']:,}", *cells])
        return f"MRR per relation, {group} tails", ["relation", "n", *scorers], rows


def group_masks(relation_names: list[str], visible: np.ndarray) -> dict[str, np.ndarray]:
    """Which queries belong to each group; tails (forward relations) and heads (inverse ones) apart."""
    inverse = np.array([name.endswith(INVERSE) for name in relation_names], dtype=bool)
    everything = np.ones(len(visible), dtype=bool)
    directions = {"": everything, "forward ": ~inverse, "inverse ": inverse}
    groups = {"all": everything}
    for prefix, direction in directions.items():
        groups |= {f"{prefix}hidden": direction & ~visible, f"{prefix}visible": direction & visible}
    return groups


def aggregate(
    values: Mapping[str, PerQuery], relation_names: list[str], visible: np.ndarray
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Micro means, macro means and means per relation, of each group that has queries.

    Args:
        values: scorer → metric → ``[Q]``.
        relation_names: relation of each query.
        visible: ``[Q]``.
    """
    names = np.array(relation_names)
    micro: dict[str, Any] = {}
    macro: dict[str, Any] = {}
    by_relation: dict[str, Any] = {}
    for group, mask in group_masks(relation_names, visible).items():
        if not mask.any():
            continue
        relations = sorted(set(names[mask]))
        cells = {r: {s: summarize(v, mask & (names == r)) for s, v in values.items()} for r in relations}
        micro[group] = {s: summarize(v, mask) for s, v in values.items()}
        macro[group] = {s: _mean([cells[r][s] for r in relations]) for s in values}
        if group in ("all", "hidden", "visible"):
            for relation in relations:
                by_relation.setdefault(relation, {})[group] = cells[relation]
    return micro, macro, dict(sorted(by_relation.items()))


def _mean(cells: list[Metrics]) -> Metrics:
    keys = [key for key in cells[0] if key != "count"]
    return {key: float(np.mean([cell[key] for cell in cells])) for key in keys} | {"count": len(cells)}
