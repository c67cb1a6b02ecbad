from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from graphmer_geo.data.splits import split_units, text_key, units_of
from graphmer_geo.errors import UserError


@dataclass(frozen=True)
class File:
    module: str
    root: str = "/r"
    package: str = "p"
    language: str = "python"

    @property
    def key(self) -> str:
        return f"{self.root}/{self.language}/{self.module}"


def units(*files):
    return [units_of(files)[file.key] for file in files]


def test_the_shared_prefix_is_dropped():
    assert units(File("a.b"), File("a.b.x"), File("a.b.x.y"), File("a.b.z")) == ["p/b", "p/x", "p/x", "p/z"]
    assert units(File("json"), File("json.decoder"), File("os")) == ["p/json", "p/json", "p/os"]
    assert units(File("only.one")) == ["p/one"]


def test_sources_and_languages_have_prefixes_of_their_own():
    files = [File("org.x.a", language="java"), File("org.x.b", language="java"), File("m"), File("n")]
    assert units(*files) == ["p/a", "p/b", "p/m", "p/n"]
    assert units(File("a.x", root="/1", package="q"), File("a.y", root="/1", package="q"), File("b")) == [
        "q/x", "q/y", "p/b",
    ]  # fmt: skip


def test_a_java_default_package_goes_by_the_source():
    assert units(File("", language="java"), File("x", language="java")) == ["p/p", "p/x"]


SIZES = {f"p/{n:02}": {"python": 50 + 10 * (n % 7)} for n in range(40)}


def test_every_unit_is_in_one_split_and_sizes_are_balanced():
    splits = split_units(SIZES, seed=3)
    assert splits.keys() == SIZES.keys()
    amount = Counter()
    for unit, split in splits.items():
        amount[split] += SIZES[unit]["python"]
    total = sum(amount.values())
    assert abs(amount["test"] / total - 0.1) < 0.04
    assert abs(amount["validation"] / total - 0.1) < 0.04


def test_seeded():
    assert split_units(SIZES, seed=3) == split_units(dict(reversed(SIZES.items())), seed=3)
    assert split_units(SIZES, seed=3) != split_units(SIZES, seed=4)


@pytest.mark.parametrize("seed", range(5))
def test_every_language_with_three_units_is_tested(seed):
    sizes = SIZES | {f"j/{n}": {"java": 20} for n in range(3)} | {"g/0": {"go": 5}, "g/1": {"go": 5}}
    sizes |= {f"m/{n}": {"python": 100, "sql": 1} for n in range(3)}  # nobody's main language
    splits = split_units(sizes, seed=seed)
    for language in ("python", "java", "sql"):
        found = Counter(splits[unit] for unit, parts in sizes.items() if language in parts)
        assert found["test"] >= 1
        assert found["train"] >= 1
    assert {splits["g/0"], splits["g/1"]} == {"train"}


def test_three_units_give_one_each():
    assert sorted(split_units({"a": {"x": 90}, "b": {"x": 5}, "c": {"x": 5}}).values()) == [
        "test", "train", "validation",
    ]  # fmt: skip
    assert split_units({"a": {"x": 90}, "b": {"x": 5}, "c": {"x": 5}})["a"] == "train"


def test_named_units():
    splits = split_units(SIZES, test_units=["p/01", "p/02"], validation_units=["p/03"])
    assert [unit for unit, split in splits.items() if split == "test"] == ["p/01", "p/02"]
    assert [unit for unit, split in splits.items() if split == "validation"] == ["p/03"]


def test_errors():
    with pytest.raises(UserError, match=r"2 top-level packages \(a, b\) cannot be split.*at least 3"):
        split_units({"b": {"x": 1}, "a": {"x": 1}})
    with pytest.raises(UserError, match="no unit named zzz; units: p/00"):
        split_units(SIZES, test_units=["zzz"])
    with pytest.raises(UserError, match="named twice"):
        split_units(SIZES, test_units=["p/01"], validation_units=["p/01"])
    with pytest.raises(UserError, match="no unit is left"):
        split_units(
            {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1}}, test_units=["a", "b"], validation_units=["c"]
        )


def test_text_key_ignores_white_space_only():
    assert text_key(b"def f():\n    pass") == text_key(b"def f():\r\n\tpass\n")
    assert text_key(b"def f(): pass") != text_key(b"def g(): pass")
