"""The table of terms in ``ontology/README.md``, generated from the ontology.

Run ``python -m graphmer_geo.kg.term_table ontology/README.md`` after a change to the ontology or its queries.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from graphmer_geo.kg.ontology import Ontology, load_ontology
from graphmer_geo.kg.queries import named_queries

BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def term_tables(ontology: Ontology) -> str:
    """Classes, relations, literals and queries as Markdown tables."""
    relations = sorted(ontology.relations.values(), key=lambda r: r.name)
    forward = [r for r in relations if not r.comment.startswith("Inverse of")]
    parts = [
        "## Classes\n",
        *_table(
            ("class", "is a", "status", "meaning"),
            (
                (f"`{c.name}`", _names(c.parents), c.status, c.comment)
                for _, c in sorted(ontology.classes.items())
            ),
        ),
        "\n## Relations\n\nStatus: asserted by the extractors, derived by inference, or planned: declared, "
        "but nothing writes it yet.\n",
        *_table(
            ("relation", "from", "to", "inverse", "traits", "below", "status", "meaning"),
            (
                (
                    f"`{r.name}`", _names(r.domain), _names(r.range),
                    _names([r.inverse] if r.inverse else []),
                    ", ".join(sorted(r.characteristics)).lower(), _names(r.supers),
                    r.status, r.comment,
                )
                for r in forward
            ),
        ),
        "\n## Literals\n",
        *_table(
            ("property", "of", "type", "status", "meaning"),
            (
                (f"`{p.name}`", _names(p.domain), f"`xsd:{p.datatype}`", p.status, p.comment)
                for _, p in sorted(ontology.literals.items())
            ),
        ),
        "\n## Queries\n",
        *_table(
            ("query", "parameters", "meaning"),
            ((f"`{n}`", _names(q.parameters), q.description) for n, q in sorted(named_queries().items())),
        ),
    ]  # fmt: skip
    return "\n".join(parts)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body]


def update(text: str, tables: str) -> str:
    """The text with everything between the two marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(update(readme.read_text("utf-8"), term_tables(load_ontology())), "utf-8")
