from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from standin import SHOP, StandInKG

from graphmer_geo.data.chunks import EntitySpan, chunk_spans, windows

SOURCE = b'''"""Module."""
import os

X = 1


# about f
def f(a):
    def inner():
        pass
    return inner


class C:
    """Doc."""

    field = 1

    # about m
    def m(self):
        class Local:
            def deep(self):
                pass

    other = 2

    def n(self):
        pass


if X:
    f(1)
# the end
'''


def span(kind, text, end, entity):
    start = SOURCE.index(text)
    return EntitySpan(entity, kind, start, SOURCE.index(end, start) + len(end))


ENTITIES = [
    EntitySpan(0, "Module", 0, len(SOURCE)),
    span("Function", b"def f", b"return inner", 1),
    span("Function", b"def inner", b"pass", 2),
    span("Class", b"class C", b"other = 2\n\n    def n(self):\n        pass", 3),
    span("Method", b"def m", b"pass", 4),
    span("Class", b"class Local", b"pass", 5),
    span("Method", b"def deep", b"pass", 6),
    span("Method", b"def n", b"pass", 7),
    span("Field", b"field", b"1", 8),
]
NAMES = sorted(
    SOURCE.index(text)
    for text in (b"os", b"X = ", b"f(a)", b"C:", b"field", b"m(self", b"other", b"n(self", b"f(1)")
)


def test_chunks_of_a_file():
    found = chunk_spans(SOURCE, ENTITIES, 0, NAMES)
    texts = [(c.entity, c.kind, SOURCE[c.start : c.end].split(b"\n")[0]) for c in found]
    assert texts == [
        (0, "module", b'"""Module."""'),
        (1, "callable", b"# about f"),  # the comment stays with what it describes
        (3, "type", b"class C:"),
        (4, "callable", b"# about m"),
        (3, "type", b"other = 2"),
        (7, "callable", b"def n(self):"),
        (0, "module", b"if X:"),
    ]
    assert b"class Local" in SOURCE[found[3].start : found[3].end]  # nested code stays inside
    assert b"def inner" in SOURCE[found[1].start : found[1].end]


def test_chunks_are_disjoint_and_hold_all_code():
    kg = StandInKG()
    table = kg.entities().to_pylist()
    for path in sorted(SHOP.rglob("*.py")):
        key = f"python/shop/1/{path.relative_to(SHOP).as_posix()}"
        source = path.read_bytes()
        spans = [
            EntitySpan(n, e["kind"], e["start"], e["end"]) for n, e in enumerate(table) if e["file"] == key
        ]
        names = sorted(o["start"] for o in kg.occurrences.to_pylist() if o["file"] == key)
        found = chunk_spans(source, spans, -1, names)
        owner = np.zeros(len(source), int)
        for chunk in found:
            owner[chunk.start : chunk.end] += 1
        assert owner.max(initial=0) <= 1
        assert all(owner[name] == 1 for name in names)


def test_files_without_declarations():
    assert chunk_spans(b"", [], -1, []) == []
    assert chunk_spans(b"\n\n", [], -1, []) == []
    [only] = chunk_spans(b"\n# nothing named\n", [], 5, [])
    assert (only.entity, only.kind, only.start, only.end) == (5, "module", 1, 16)


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(["Class", "Method"])), max_size=8
    )
)
@settings(max_examples=200, deadline=None)
def test_odd_spans_never_overlap(spans):
    source = b"abcd efgh ijkl mnop qrst uvwx yzab cdef gh"
    entities = [EntitySpan(n, kind, min(a, b), max(a, b)) for n, (a, b, kind) in enumerate(spans)]
    owner = np.zeros(len(source), int)
    for chunk in chunk_spans(source, entities, -1, list(range(0, 42, 3))):
        owner[chunk.start : chunk.end] += 1
    assert owner.max() <= 1


def test_windows_cut_between_the_outermost_statements():
    source = b"a b c\n  d e\n  f\ng h\n  i j\n"
    starts = [i for i, byte in enumerate(source) if bytes([byte]).isalpha()]
    ends = [s + 1 for s in starts]
    cut = windows(source, np.array(starts), np.array(ends), 8)
    assert cut == [(0, 6), (6, 10)]  # at "g", not at the later, deeper "i"


def test_windows_cover_everything_once():
    source = b"x " * 100
    starts = np.arange(0, 200, 2)
    cut = windows(source, starts, starts + 1, 30)
    assert cut == [(0, 30), (30, 60), (60, 90), (90, 100)]  # no line to cut at
    assert windows(source, starts[:30], starts[:30] + 1, 30) == [(0, 30)]
