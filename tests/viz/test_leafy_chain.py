"""The drawing of a chain puts every leaf under the name it hangs on."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from graphmer_geo.data.leafy_chain import LeafyChainData, Triple, build_chain
from graphmer_geo.errors import UserError
from graphmer_geo.viz import draw_leafy_chain, most_telling
from graphmer_geo.viz.chain_layout import layout_chain
from graphmer_geo.viz.palette import FAMILIES, INK, MUTED, PAPER, SERIES, STRUCTURE, family_of

SVG = "{http://www.w3.org/2000/svg}"
#: Tokens 0 and 1 are special. é takes two bytes.
TOKENS = [
    b"",
    b"",
    b"def ",
    b" load",
    b"(",
    b"caf\xc3\xa9",
    b"):",
    b"\n\t",
    b"return ",
    b"open",
    b"()",
    b"io.",
    b"<&>",
    b"\n\n",
]
RELATIONS = {1: "calls", 2: "calls^-1", 3: "hasType"}
ROOTS = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 1]  # def  load(café):⏎⇥return open()⏎⏎


def chain(*triples: Triple) -> LeafyChainData:
    return build_chain(ROOTS, triples, 8)[0]


def test_heads_are_found_in_lines_and_columns() -> None:
    data = chain(Triple(8, 1, 1, (11, 9)), Triple(2, 1, 2, (12,), visible=True), Triple(4, 1, 3, (11,)))
    layout = layout_chain(data, TOKENS, RELATIONS)
    assert layout.lines == ("def  load(café):", "    return open()")
    places = [(leaf.relation, leaf.tail, leaf.line, leaf.start, leaf.end) for leaf in layout.leaves]
    assert places == [
        ("calls^-1", "<&>", 0, 5, 9),
        ("hasType", "io.", 0, 10, 14),
        ("calls", "io.open", 1, 11, 15),
    ]
    for leaf in layout.leaves:
        assert layout.lines[leaf.line][leaf.start : leaf.end] in ("load", "café", "open")
    assert [leaf.visible for leaf in layout.leaves] == [True, False, False]
    assert layout.hidden_leaves == 0


def test_a_long_chunk_shows_where_most_leaves_are() -> None:
    roots = [0] + [8, 7] * 30 + [1]
    triples = [Triple(1, 1, 1, (9,)), Triple(41, 1, 1, (9,)), Triple(43, 1, 3, (9,))]
    layout = layout_chain(build_chain(roots, triples, 8)[0], TOKENS, RELATIONS, max_lines=5)
    assert len(layout.lines) == 5
    assert [leaf.line + layout.first_line for leaf in layout.leaves] == [20, 21]
    assert layout.hidden_leaves == 1


def test_names_beyond_the_margin_are_counted_not_drawn() -> None:
    data = chain(Triple(8, 1, 1, (11, 9)), Triple(2, 1, 2, (12,)))
    layout = layout_chain(data, TOKENS, RELATIONS, max_columns=12)
    assert [leaf.relation for leaf in layout.leaves] == ["calls^-1"]
    assert layout.hidden_leaves == 1
    assert max(map(len, layout.lines)) == 12


def test_the_svg_is_well_formed_and_says_what_it_shows(tmp_path: Path) -> None:
    data = chain(Triple(8, 1, 1, (11, 9)), Triple(2, 1, 2, (12,), visible=True))
    svg = draw_leafy_chain(data, TOKENS, RELATIONS, path=tmp_path / "chain.svg")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert "2 facts" in str(root.get("aria-label"))
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert titles == [
        "← calls <&>: its name can be read in this code",
        "calls → io.open: its name cannot be read in this code",
    ]
    width, height = (float(value) for value in root.get("viewBox", "").split()[2:])
    for rect in root.iter(f"{SVG}rect"):
        assert 0 <= float(rect.get("x", 0)) <= width - float(rect.get("width", 0)) + 0.1
        assert 0 <= float(rect.get("y", 0)) <= height - float(rect.get("height", 0)) + 0.1
    assert (tmp_path / "chain.svg").read_text(encoding="utf-8") == svg + "\n"
    assert draw_leafy_chain(data, TOKENS, RELATIONS) == svg


def test_chips_of_one_row_do_not_overlap() -> None:
    data = chain(*(Triple(2, 1, 1, (11, 9)) for _ in range(20)))
    root = ElementTree.fromstring(draw_leafy_chain(data, TOKENS, RELATIONS))
    chips = [r for r in root.iter(f"{SVG}rect") if r.get("rx") == "10"]
    boxes = [tuple(float(r.get(k, 0)) for k in ("x", "y", "width", "height")) for r in chips]
    assert len(boxes) == 20
    for i, (x, y, w, h) in enumerate(boxes):
        for other_x, other_y, other_w, other_h in boxes[:i]:
            apart = x >= other_x + other_w or other_x >= x + w or y >= other_y + other_h or other_y >= y + h
            assert apart


def test_a_masked_tail_and_a_chain_without_leaves() -> None:
    assert "‹masked›" in draw_leafy_chain(chain(Triple(2, 1, 1, (1,))), TOKENS, RELATIONS)
    ElementTree.fromstring(draw_leafy_chain(chain(), TOKENS, RELATIONS))


def test_the_most_telling_chain_has_many_kinds_of_facts() -> None:
    plain = chain(*(Triple(8, 1, 1, (9,)) for _ in range(5)))
    varied = chain(Triple(8, 1, 1, (9,)), Triple(2, 1, 3, (9,), visible=True))
    assert most_telling([plain, varied, varied], TOKENS, RELATIONS) == 1
    with pytest.raises(UserError):
        most_telling([], TOKENS, RELATIONS)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ink", [INK, MUTED, STRUCTURE.ink, *SERIES, *(family.ink for family in FAMILIES)])
def test_inks_can_be_read(ink: str) -> None:
    assert contrast(ink, PAPER) >= 4.5


def test_every_relation_has_one_family() -> None:
    names = [name for family in FAMILIES for name in family.relations]
    assert len(names) == len(set(names))
    assert family_of("calls^-1") is family_of("calls")
    assert family_of("declares") is STRUCTURE
