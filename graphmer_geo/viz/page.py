"""A page as plain records, and their one template. All text is escaped; only SVG drawn here is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2


@dataclass(frozen=True)
class Table:
    """Rows of text; ``numeric`` columns are set flush right, ``emphasis`` rows stand out."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    note: str = ""
    numeric: frozenset[int] = frozenset()
    emphasis: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Block:
    """One thing in a section; all parts are optional."""

    heading: str = ""
    text: str = ""
    svg: str = ""  # inserted as it is: only from graphmer_geo.viz
    caption: str = ""
    drawing: bool = False  # keep the SVG at its own size
    table: Table | None = None
    code: str = ""
    code_title: str = ""  # folds the code away under this title


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading."""

    id: str
    title: str
    blocks: Sequence[Block]
    intro: str = ""


@dataclass(frozen=True)
class Tile:
    """One number at the top of the page."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """All of it."""

    title: str
    lead: str
    sections: Sequence[Section]
    tiles: Sequence[Tile] = field(default_factory=tuple)
    footer: str = ""


def render(page: Page) -> str:
    """The page as one HTML document that loads nothing from anywhere."""
    loader = jinja2.PackageLoader("graphmer_geo.viz", ".")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html.j2").render(vars(page))


def table_of(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
    *,
    limit: int | None = None,
    **kwargs: Any,
) -> Table:
    """A table from dicts; numbers are formatted and set flush right.

    Args:
        rows: What to show.
        columns: Keys in order (default: as they first appear).
        limit: Show no more rows than this, and say how many there are.
        kwargs: Other fields of :class:`Table`.
    """
    names = list(columns or dict.fromkeys(key for row in rows for key in row))
    shown = rows if limit is None else rows[:limit]
    numeric = frozenset(
        i for i, name in enumerate(names) if rows and all(_is_number(row.get(name)) for row in rows)
    )
    if len(shown) < len(rows):
        kwargs["note"] = f"{len(shown)} of {len(rows):,} rows"
    cells = [[format_value(row.get(name)) for name in names] for row in shown]
    return Table(columns=names, rows=cells, numeric=numeric, **kwargs)


def format_value(value: Any) -> str:
    """Text of a value: thousands in integers, three decimals, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"
    return str(value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
