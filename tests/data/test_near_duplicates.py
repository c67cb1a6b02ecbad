from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import CONFIG
from standin import StandInKG

from graphmer_geo.data import DataConfig, prepare
from graphmer_geo.data.near_duplicates import jaccard, near_duplicates, shingles
from graphmer_geo.errors import UserError


def code(seed: int, lines: int = 20) -> list[str]:
    rng = np.random.default_rng(seed)
    return [f"    value_{rng.integers(1000)} = call_{rng.integers(1000)}(x, {i})" for i in range(lines)]


def text(lines: list[str]) -> bytes:
    return "\n".join(["def f(x):", *lines]).encode()


def test_shingles_are_the_5_grams_of_tokens_whatever_the_spaces() -> None:
    assert len(shingles(b"a b c d e f g")) == 3
    assert np.array_equal(shingles(b"f( x ):  return x"), shingles(b"f(x):\n\treturn x"))
    assert not np.array_equal(shingles(b"a b c d e"), shingles(b"e d c b a"))
    assert len(shingles(b"x")) == 1
    assert len(shingles(b"  ")) == 0
    assert jaccard(shingles(b"a b c d e f"), shingles(b"a b c d e g")) == pytest.approx(1 / 3)


def test_an_edited_copy_is_found_in_the_later_split_and_nothing_else_is() -> None:
    edited = code(1)
    edited[7] = "    changed = 1"
    splits = [[text(code(1)), text(code(2))], [text(code(3)), text(edited)], [text(code(4)), text(code(3))]]
    assert near_duplicates(splits, 0.7) == [set(), {1}, {1}]


def test_every_pair_above_the_threshold_is_found() -> None:
    """The index only proposes: what it must not do is miss."""
    train = [text(code(i)) for i in range(200)]
    test = []
    for i in range(200):
        lines = code(i)
        lines[(i * 7) % 20] = f"    other_{i} = {i}"
        test.append(text(lines))
    wanted = {i for i in range(200) if jaccard(shingles(train[i]), shingles(test[i])) >= 0.8}
    assert len(wanted) > 150
    assert near_duplicates([train, [], test], 0.8)[2] == wanted


def test_preparation_drops_them_and_counts(tmp_path) -> None:
    root = tmp_path / "src"
    bodies = {"one": code(1), "two": [*code(1)[:-1], "    return 0"], "three": code(5)}
    for unit, lines in bodies.items():
        (root / unit).mkdir(parents=True)
        (root / unit / "m.py").write_bytes(text(lines) + b"\n")
    config = replace(CONFIG, max_roots=512, test_units=("shop/two",), validation_units=("shop/three",))
    counts = prepare(StandInKG(root), tmp_path / "with", config).counts
    assert (counts["test"]["near_duplicates_dropped"], counts["test"]["chunks"]) == (1, 0)
    assert (counts["validation"]["near_duplicates_dropped"], counts["validation"]["chunks"]) == (0, 1)
    counts = prepare(StandInKG(root), tmp_path / "without", replace(config, near_duplicates=0)).counts
    assert counts["test"]["chunks"] == 1


def test_the_share_is_a_share() -> None:
    with pytest.raises(UserError, match=r"near_duplicates is 1\.5"):
        DataConfig(near_duplicates=1.5)
    with pytest.raises(UserError, match="unit is 'file'"):
        DataConfig(unit="file")
