"""The report of a run: one HTML page that stands on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphmer_geo.data.leafy_chain import LeafyChainData
from graphmer_geo.files import write_text
from graphmer_geo.viz import evaluation, validation
from graphmer_geo.viz.charts import bar_figure, figure_svg, loss_figure
from graphmer_geo.viz.leafy_chain import draw_leafy_chain
from graphmer_geo.viz.page import Block, Page, Section, Tile, format_value, render, table_of


@dataclass(frozen=True)
class QueryResult:
    """A question put to the graph, and the answer."""

    question: str
    sparql: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ChainExample:
    """One leafy chain to draw, with what turns its ids into text."""

    data: LeafyChainData
    token_bytes: Sequence[bytes]  # CodeTokenizer.token_bytes
    relation_names: Mapping[int, str]
    source: str = ""  # where the code comes from


@dataclass(frozen=True)
class ReportData:
    """What a report shows. Parts that are left empty are left out."""

    title: str
    lead: str = ""
    kg: Mapping[str, Any] = field(default_factory=dict)  # graphmer_geo.kg.stats.statistics
    validation: Mapping[str, Any] = field(default_factory=dict)  # ValidationReport.to_dict()
    queries: Sequence[QueryResult] = ()
    hetero: str = ""  # str() of the HeteroData, or a summary of it
    chain: ChainExample | None = None
    training: Sequence[Mapping[str, Any]] = ()  # rows of log.jsonl
    evaluation: Mapping[str, Any] = field(default_factory=dict)  # EvaluationReport.to_dict()
    environment: Mapping[str, Any] = field(default_factory=dict)
    next_steps: Sequence[tuple[str, str]] = ()  # (what for, command)


def write_report(path: str | Path, sections: ReportData) -> Path:
    """Write the page, and return where it is.

    The file appears complete or not at all.
    """
    target = Path(path)
    write_text(target, report_html(sections))
    return target


def report_html(data: ReportData) -> str:
    """The page as text."""
    parts = [_graph, _validation, _queries, _hetero, _chain, _training, _evaluation, _environment]
    sections = [section for part in parts for section in part(data)]
    tiles = [*_graph_tiles(data.kg), *evaluation.tiles(data.evaluation)]
    footer = "Written by graphmer-geo. Everything on this page is in this one file."
    return render(Page(data.title, data.lead, sections, tiles, footer))


def _graph_tiles(stats: Mapping[str, Any]) -> Iterator[Tile]:
    for name in ("lines", "entities", "relations"):
        if name in stats.get("totals", {}):
            yield Tile(name, format_value(stats["totals"][name]))


def _graph(data: ReportData) -> Iterator[Section]:
    groups = {name: value for name, value in data.kg.items() if isinstance(value, Mapping) and value}
    if not groups:
        return
    blocks = []
    for name, counts in groups.items():
        title = name.replace("_", " ")
        if (
            name != "totals"
            and len(counts) > 4
            and all(isinstance(value, (int, float)) for value in counts.values())
        ):
            described = f"{title}: " + ", ".join(
                f"{key} {value:,}" for key, value in list(counts.items())[:8]
            )
            svg = figure_svg(bar_figure(counts), f"kg-{_slug(name)}", described)
            blocks.append(Block(heading=title.capitalize(), svg=svg))
        else:
            rows = [{title: key, "count": value} for key, value in counts.items()]
            blocks.append(Block(heading=title.capitalize(), table=table_of(rows)))
    intro = "What was found in the source code: declarations, and the facts that connect them."
    yield Section("graph", "Knowledge graph", blocks, intro)


def _validation(data: ReportData) -> Iterator[Section]:
    if found := validation.blocks(data.validation):
        intro = (
            "The graph against the ontology and its shapes, and the same for a copy in which the tails of "
            "each relation are shuffled: a check that could not fail would score both alike."
        )
        yield Section("validation", "Validation", found, intro)


def _queries(data: ReportData) -> Iterator[Section]:
    blocks = []
    for result in data.queries:
        table = table_of(result.rows, limit=15) if result.rows else None
        text = "" if result.rows else "No rows."
        blocks.append(Block(heading=result.question, text=text, table=table))
        blocks.append(Block(code=result.sparql.strip(), code_title="The query in SPARQL"))
    if blocks:
        yield Section("questions", "Questions to the graph", blocks)


def _hetero(data: ReportData) -> Iterator[Section]:
    if data.hetero:
        intro = "The same graph as tensors, ready for any heterogeneous model of PyTorch Geometric."
        yield Section("heterodata", "HeteroData", [Block(code=data.hetero)], intro)


def _chain(data: ReportData) -> Iterator[Section]:
    if data.chain is None:
        return
    example = data.chain
    svg = draw_leafy_chain(example.data, example.token_bytes, example.relation_names)
    intro = (
        "Code is a chain of tokens; the facts that the graph knows about a name hang on that name as leaves. "
        "The encoder reads both, and learns to fill in leaves that are hidden from it."
    )
    block = Block(svg=svg, caption=example.source, drawing=True)
    yield Section("chain", "A leafy chain", [block], intro)


def _training(data: ReportData) -> Iterator[Section]:
    rows = [row for row in data.training if "step" in row]
    if not rows:
        return
    last = rows[-1]
    shown = ", ".join(f"{key} {last[key]:.2f}" for key in ("loss", "mlm", "mnm", "rank") if key in last)
    svg = figure_svg(loss_figure(rows), "loss", f"Loss by part over {last['step']} steps; at the end {shown}")
    caption = "Each part is a mean of its own; the total is their weighted sum."
    yield Section("training", "Training", [Block(svg=svg, caption=caption)])


def _evaluation(data: ReportData) -> Iterator[Section]:
    if found := evaluation.blocks(data.evaluation):
        intro = (
            "On packages that were not seen in training. Every entity that the ontology admits is a "
            "candidate; other right answers are left out; ties get their mean rank."
        )
        yield Section("evaluation", "Evaluation", found, intro)


def _environment(data: ReportData) -> Iterator[Section]:
    blocks = []
    if data.next_steps:
        for purpose, command in data.next_steps:
            blocks.append(Block(text=purpose, code=command))
        yield Section("next", "What to try next", blocks)
    if data.environment:
        rows = [{"what": key, "value": format_value(value)} for key, value in data.environment.items()]
        yield Section("environment", "How this was made", [Block(table=table_of(rows))])


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())
