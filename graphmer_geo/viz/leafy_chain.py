"""A leafy chain drawn over its code: names in the text, and below them the facts that hang on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from graphmer_geo.data.leafy_chain import LeafyChainData
from graphmer_geo.errors import UserError
from graphmer_geo.viz.chain_layout import ChainLayout, Leaf, interest, layout_chain
from graphmer_geo.viz.palette import INK, MUTED, PAPER, RULE, family_of

CELL = 7.8  # width of one character
LINE = 21  # height of a line of code
CHIP = 20  # height of a leaf
GAP = 8
MARGIN = 16
GUTTER = 4 * CELL
FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_DASHED = "cannot be read in this code"


def draw_leafy_chain(
    data: LeafyChainData,
    token_bytes: Sequence[bytes],
    relation_names: Mapping[int, str],
    *,
    path: str | Path | None = None,
    max_lines: int = 18,
) -> str:
    """Draw one (unbatched) chain as a self-contained SVG.

    Args:
        data: The chain.
        token_bytes: What each token stands for, as :attr:`CodeTokenizer.token_bytes` gives it.
        relation_names: Relation id to name.
        path: Also written here, if given.
        max_lines: Longest excerpt of code.

    Returns:
        The SVG element as text.
    """
    svg = render_layout(layout_chain(data, token_bytes, relation_names, max_lines=max_lines))
    if path is not None:
        Path(path).write_text(svg + "\n", encoding="utf-8")
    return svg


def most_telling(
    chains: Iterable[LeafyChainData], token_bytes: Sequence[bytes], relation_names: Mapping[int, str]
) -> int:
    """Index of the chain whose drawing shows most; the first of equals.

    Raises:
        UserError: There is no chain.
    """
    scores = [interest(layout_chain(chain, token_bytes, relation_names)) for chain in chains]
    if not scores:
        raise UserError("no chain to draw; give at least one")
    return scores.index(max(scores))


def render_layout(layout: ChainLayout) -> str:
    """The SVG of a layout."""
    columns = max((len(line) for line in layout.lines), default=0)
    width = max(2 * MARGIN + GUTTER + columns * CELL, 860.0)
    code, stems, chips = [], [], []
    y = float(MARGIN)
    for number, line in enumerate(layout.lines):
        leaves = [leaf for leaf in layout.leaves if leaf.line == number]
        code += _code_line(line, leaves, layout.first_line + number + 1, y)
        below = y + LINE
        rows = _rows(leaves, width)
        for depth, row in enumerate(rows):
            for leaf, x, text in row:
                top = below + 10 + depth * (CHIP + 6)
                stems.append(_stem(leaf, x, y + LINE - 4, top))
                chips += _chip(leaf, x, top, text)
        y = below + (10 + len(rows) * (CHIP + 6) + 4 if rows else 0)
    families = sorted({family_of(leaf.relation) for leaf in layout.leaves}, key=lambda f: f.title)
    legend, y = _legend([(f.title, f.ink) for f in families], layout, y + 10)
    height = y + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'role="img" aria-label="{escape(_describe(layout))}" font-family="{FONT}" font-size="13" '
        f'fill="{INK}">'
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="{PAPER}"/>'
        + "".join([*stems, *code, *chips, *legend])
        + "</svg>"
    )


def _x(column: int) -> float:
    return MARGIN + GUTTER + column * CELL


def _code_line(line: str, leaves: Sequence[Leaf], number: int, y: float) -> list[str]:
    """Line number, marks under the names that carry leaves, and the text in cells of fixed width."""
    parts = [
        f'<text x="{MARGIN + GUTTER - 14:.1f}" y="{y + 15:.1f}" text-anchor="end" font-size="11" '
        f'fill="{MUTED}">{number}</text>'
    ]
    for start, end in sorted({(leaf.start, leaf.end) for leaf in leaves}):
        inks = sorted(
            {family_of(leaf.relation).ink for leaf in leaves if (leaf.start, leaf.end) == (start, end)}
        )
        tint = family_of(next(leaf for leaf in leaves if leaf.start == start).relation).tint
        left, length = _x(start) - 2, (end - start) * CELL + 4
        parts.append(
            f'<rect x="{left:.1f}" y="{y + 1:.1f}" width="{length:.1f}" height="{LINE - 4}" rx="3" '
            f'fill="{tint}"/>'
            f'<rect x="{left:.1f}" y="{y + LINE - 5:.1f}" width="{length:.1f}" height="2" fill="{inks[0]}"/>'
        )
    text = line.rstrip()
    indent = len(text) - len(text.lstrip())
    if body := text.lstrip():
        parts.append(
            f'<text x="{_x(indent):.1f}" y="{y + 15:.1f}" textLength="{len(body) * CELL:.1f}" '
            f'lengthAdjust="spacingAndGlyphs" style="white-space:pre">{escape(body)}</text>'
        )
    return parts


def _rows(leaves: Sequence[Leaf], width: float) -> list[list[tuple[Leaf, float, str]]]:
    """Pack chips into rows, each as close to its head as there is room."""
    rows: list[list[tuple[Leaf, float, str]]] = []
    for leaf in leaves:
        text = f"{_arrow(leaf)} {leaf.tail or '‹masked›'}"
        length = _chip_width(text)
        wanted = min(_x(leaf.start), width - MARGIN - length)
        for row in rows:
            _, x, last = row[-1]
            free = x + _chip_width(last) + GAP
            if free + length <= width - MARGIN and free <= wanted + 440:
                row.append((leaf, max(free, wanted), text))
                break
        else:
            rows.append([(leaf, max(wanted, MARGIN), text)])
    return rows


def _arrow(leaf: Leaf) -> str:
    name = leaf.relation.removesuffix("^-1")
    return f"← {name}" if name != leaf.relation else f"{name} →"


def _chip_width(text: str) -> float:
    return len(text) * 7.0 + 16


def _stem(leaf: Leaf, x: float, top: float, bottom: float) -> str:
    start, end = _x(leaf.start) + min(12.0, (leaf.end - leaf.start) * CELL / 2), x + 12
    middle = (top + bottom) / 2
    return (
        f'<path d="M{start:.1f} {top:.1f}C{start:.1f} {middle:.1f} {end:.1f} {middle:.1f} '
        f'{end:.1f} {bottom:.1f}" fill="none" stroke="{family_of(leaf.relation).ink}" '
        f'stroke-width="1.3" opacity="0.75"/>'
    )


def _chip(leaf: Leaf, x: float, y: float, text: str) -> list[str]:
    family = family_of(leaf.relation)
    dash = "" if leaf.visible else ' stroke-dasharray="4 2"'
    relation, tail = _arrow(leaf), leaf.tail or "‹masked›"
    where = "its name can be read in this code" if leaf.visible else "its name cannot be read in this code"
    return [
        f"<g><title>{escape(f'{relation} {tail}: {where}')}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{_chip_width(text):.1f}" height="{CHIP}" rx="10" '
        f'fill="{PAPER}" stroke="{family.ink}" stroke-width="1.2"{dash}/>'
        f'<text x="{x + 8:.1f}" y="{y + 14:.1f}" font-size="11.5" textLength="{len(text) * 7.0:.1f}" '
        f'lengthAdjust="spacingAndGlyphs" style="white-space:pre">'
        f'<tspan fill="{family.ink}">{escape(relation)} </tspan><tspan>{escape(tail)}</tspan></text></g>'
    ]


def _legend(families: Sequence[tuple[str, str]], layout: ChainLayout, y: float) -> tuple[list[str], float]:
    """Families of relations, the meaning of dashes, and what is not shown."""
    parts = [f'<path d="M{MARGIN} {y:.1f}H{MARGIN + 600}" stroke="{RULE}"/>']
    x, y = float(MARGIN), y + 20
    for title, ink in [*families, (_DASHED, MUTED)]:
        mark = (
            f'<path d="M{x - 3:.1f} {y - 4:.1f}h14" stroke="{ink}" stroke-dasharray="4 2"/>'
            if title == _DASHED
            else f'<circle cx="{x + 5:.1f}" cy="{y - 4:.1f}" r="4.5" fill="{ink}"/>'
        )
        parts.append(
            f'{mark}<text x="{x + 15:.1f}" y="{y:.1f}" font-size="11.5" fill="{MUTED}">{escape(title)}</text>'
        )
        x += 15 + len(title) * 7.0 + 18
    if layout.hidden_leaves:
        y += 18
        lines = (
            f"lines {layout.first_line + 1}-{layout.first_line + len(layout.lines)} of {layout.total_lines}"
        )
        parts.append(
            f'<text x="{MARGIN}" y="{y:.1f}" font-size="11.5" fill="{MUTED}">'
            f"{lines}; {layout.hidden_leaves} more leaves hang outside this excerpt</text>"
        )
    return parts, y


def _describe(layout: ChainLayout) -> str:
    facts = "; ".join(f"{leaf.relation} {leaf.tail or 'masked'}" for leaf in layout.leaves[:12])
    return f"{len(layout.lines)} lines of code with {len(layout.leaves)} facts hanging on names: {facts}"
