"""``graphmer kg``: knowledge graphs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphmer_geo.cli.output import progress_bar, write_csv, write_json, write_line, write_table
from graphmer_geo.errors import UserError

if TYPE_CHECKING:
    from graphmer_geo.kg.manifest import Manifest


def build(sources: list[str], out: str, languages: list[str] | None = None, workers: int = 1) -> None:
    """Read source code into a knowledge graph.

    Code is parsed, never run. Running it again on unchanged files takes seconds; a file that cannot be parsed
    costs only itself and is listed in OUT/manifest.json.

    Args:
        sources: Folders or files to read.
        out: Folder of the graph.
        languages: Languages to read; default: all known ones.
        workers: Processes that extract and link files.

    Example:
        graphmer kg build src/ ../other-project --out kg/ --workers 2
    """
    from graphmer_geo.kg import build_kg

    with progress_bar() as progress:
        graph = build_kg(sources, out, languages=languages, workers=workers, progress=progress)
    for line in _summary(graph.manifest):
        write_line(line)
    write_line(f"{out}: try `graphmer kg stats {out}` or `graphmer kg validate {out}`")


def query(
    kg: str,
    sparql: str | None = None,
    file: str | None = None,
    name: str | None = None,
    bind: list[str] | None = None,
    format: Literal["table", "json", "csv"] = "table",
) -> None:
    """Run a SPARQL query on a knowledge graph.

    The usual prefixes (gm:, rdf:, rdfs:, owl:, xsd: …) need no declaration.

    Args:
        kg: Folder of the graph.
        sparql: The query itself.
        file: A file that holds the query.
        name: One of the queries that ship with graphmer-geo; a wrong name lists them.
        bind: Values of the query's variables, each as NAME=VALUE.
        format: How to print the rows.

    Example:
        graphmer kg query kg/ 'SELECT ?class WHERE { ?class a gm:Class }'
        graphmer kg query kg/ --name most-called --format json
        graphmer kg query kg/ --name callers --bind function=json.loads
    """
    from graphmer_geo.kg import KnowledgeGraph

    text = _query_text(sparql, file, name)
    values = _bindings(text, bind or [])
    graph = KnowledgeGraph.open(kg)
    rows = graph.run(name, **values) if name is not None else graph.query(text, **values)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if format == "json":
        write_json(rows)
    elif format == "csv":
        write_csv(rows, columns)
    elif rows:
        write_table(rows, columns)
    else:
        write_line("no rows")


def validate(kg: str, json: bool = False) -> int:
    """Check a knowledge graph against the ontology and its SHACL shapes.

    The score of a corrupted copy stands beside the real one: a check that cannot fail says nothing. The exit
    status is 1 if the graph does not conform.

    Args:
        kg: Folder of the graph.
        json: Print the report as JSON.

    Example:
        graphmer kg validate kg/ --json
    """
    from graphmer_geo.kg import KnowledgeGraph

    report = KnowledgeGraph.open(kg).validate()
    if json:
        write_json(report.to_dict())
        return 0 if report.conforms else 1
    write_line(str(report))
    return 0 if report.conforms else 1


def stats(kg: str, json: bool = False) -> None:
    """Count what is in a knowledge graph: entities, relations, files, and how references resolved.

    Args:
        kg: Folder of the graph.
        json: Print the counts as JSON.

    Example:
        graphmer kg stats kg/ --json
    """
    from graphmer_geo.kg import KnowledgeGraph
    from graphmer_geo.kg.stats import statistics

    graph = KnowledgeGraph.open(kg)
    counts = statistics(graph)
    if json:
        write_json(counts)
        return
    for line in _summary(graph.manifest):
        write_line(line)
    for title, value in counts.items():
        if isinstance(value, Mapping):
            rows = [{title: key, "count": number} for key, number in value.items()]
            write_line()
            write_table(rows, (title, "count"))


def export(
    kg: str,
    format: Literal["nt", "nq", "ttl", "graphml", "parquet"],
    out: str,
    with_occurrences: bool = False,
) -> None:
    """Write a knowledge graph in a format that other tools read.

    Args:
        kg: Folder of the graph.
        format: nt, nq, ttl: sorted RDF; graphml: for networkx or Gephi; parquet: tables.
        out: File to write; for parquet a folder.
        with_occurrences: With nq: also every reference as a node, with span, role, target and how it was
            found.

    Example:
        graphmer kg export kg/ --format nq --out kg.nq
    """
    from graphmer_geo.kg import KnowledgeGraph
    from graphmer_geo.kg.export import export as export_graph

    export_graph(KnowledgeGraph.open(kg), out, format=format, with_occurrences=with_occurrences)
    write_line(out)


def _query_text(sparql: str | None, file: str | None, name: str | None) -> str:
    given = [value for value in (sparql, file, name) if value is not None]
    if len(given) != 1:
        raise UserError(f"give one query, as text, with --file or with --name (got {len(given)})")
    if file is not None:
        return Path(file).read_text(encoding="utf-8")
    if sparql is not None:
        return sparql
    from graphmer_geo.kg.queries import named_query

    return named_query(str(name)).text


def _bindings(query: str, given: Sequence[str]) -> dict[str, str]:
    """Values by variable; every parameter that the query declares in its comments must have one."""
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not (name and equals):
            raise UserError(f"--bind takes NAME=VALUE, not {name + equals + value!r}")
    values = {name: value for name, _, value in pairs}
    for name, meaning in re.findall(r"^# parameter: (\w+): (.*)$", query, re.MULTILINE):
        if name not in values:
            raise UserError(f"this query needs a value: --bind {name}=… ({meaning})")
    return values


def _summary(manifest: Manifest) -> Sequence[str]:
    """How the files fared, with the first few that are not wholly in the graph."""
    by_status: dict[str, list[Any]] = {"ok": [], "partial": [], "skipped": []}
    for record in manifest.files:
        by_status[record.status].append(record)
    lines = [f"{sum(r.lines for r in manifest.files):,} lines in {len(manifest.files):,} files: "
             + ", ".join(f"{len(records):,} {status}" for status, records in by_status.items())]  # fmt: skip
    troubled = by_status["skipped"] + by_status["partial"]
    lines += [f"  {r.status}: {r.path}: {r.problems[0] if r.problems else ''}" for r in troubled[:5]]
    if len(troubled) > 5:
        lines.append(f"  and {len(troubled) - 5} more: see manifest.json")
    return lines
