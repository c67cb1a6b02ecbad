"""Which code is trained on and which is tested on: always whole top-level packages."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from graphmer_geo.errors import UserError

SPLITS = ("train", "validation", "test")


class FileLike(Protocol):
    """What a unit follows from."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def root(self) -> str: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102
    @property
    def package(self) -> str: ...  # noqa: D102
    @property
    def module(self) -> str: ...  # noqa: D102


def units_of(files: Iterable[FileLike], by: str = "package") -> dict[str, str]:
    """The unit of every file by its key: ``<package>/<top-level package>``, or ``<package>`` if by "project".

    Per source and language, the dotted prefix that all modules share says nothing and is dropped; the next
    component is the unit. A module that is the prefix itself (the root ``__init__``) is a unit under its own
    name.
    """
    if by == "project":
        return {file.key: file.package for file in files}
    sources: dict[tuple[str, str, str], list[FileLike]] = defaultdict(list)
    for file in files:
        sources[file.root, file.package, file.language].append(file)
    units = {}
    for (_, package, _), members in sources.items():
        paths = {file.key: file.module.split(".") for file in members}
        shared = _shared_components(list(paths.values()))
        for key, path in paths.items():
            units[key] = f"{package}/{path[min(shared, len(path) - 1)] or package}"
    return units


def _shared_components(paths: Sequence[Sequence[str]]) -> int:
    """How many leading components all paths have in common."""
    columns = zip(*paths, strict=False)  # as many as the shortest path has
    return next((n for n, column in enumerate(columns) if len(set(column)) > 1), min(map(len, paths)))


def split_units(
    sizes: Mapping[str, Mapping[str, int]],
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    *,
    test_units: Sequence[str] = (),
    validation_units: Sequence[str] = (),
) -> dict[str, str]:
    """Give each unit to one split.

    Units are drawn per main language, so that every language with three or more units is validated and tested
    on. Of the shuffled units those are taken that still fit the split's share; if none does, the smallest.

    Args:
        sizes: Amount of code per unit and language.
        fractions: Shares of train, validation and test.
        seed: Seed of the draw.
        test_units: Test on exactly these instead of drawing.
        validation_units: Validate on exactly these instead of drawing.

    Raises:
        UserError: Fewer than three units, a named unit that does not exist or is named twice, or nothing
            left to train on.
    """
    if len(sizes) < 3:
        raise UserError(
            f"{len(sizes)} top-level packages ({', '.join(sorted(sizes)) or 'none'}) cannot be split into "
            "train, validation and test; add sources until there are at least 3"
        )
    named = [*test_units, *validation_units]
    if unknown := sorted(set(named) - sizes.keys()):
        raise UserError(f"no unit named {', '.join(unknown)}; units: {', '.join(sorted(sizes))}")
    if len(set(named)) < len(named):
        raise UserError("a unit is named twice in test_units and validation_units; name each once")
    result: dict[str, str] = dict.fromkeys(sizes, "train")
    result |= dict.fromkeys(test_units, "test") | dict.fromkeys(validation_units, "validation")

    rng = np.random.default_rng(seed)
    total = {unit: sum(parts.values()) for unit, parts in sizes.items()}
    for pool in _pools(sizes):
        free = [pool[i] for i in rng.permutation(len(pool)) if pool[i] not in named]
        amount = sum(total[unit] for unit in pool)
        for split, share, fixed, keep in (
            ("test", fractions[2], test_units, 1 if validation_units else 2),
            ("validation", fractions[1], validation_units, 1),
        ):
            if not fixed and len(free) > keep:
                drawn = _draw(free, total, share * amount, keep)
                result |= dict.fromkeys(drawn, split)
                free = [unit for unit in free if unit not in drawn]
    if not test_units:
        _test_every_language(result, sizes, total)
    if "train" not in result.values():
        raise UserError("no unit is left to train on; name fewer test_units and validation_units")
    return result


def _pools(sizes: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    """Units that are drawn from together, each list sorted."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for unit in sorted(sizes):
        by_language[max(sorted(sizes[unit]), key=sizes[unit].__getitem__)].append(unit)
    pools = [pool for _, pool in sorted(by_language.items()) if len(pool) >= 3]
    return pools or [sorted(sizes)]


def _draw(units: Sequence[str], size: Mapping[str, int], target: float, keep: int) -> set[str]:
    """Units that fit into the target, leaving at least ``keep`` of them."""
    drawn: set[str] = set()
    filled = 0
    for unit in units:
        if filled + size[unit] <= 1.2 * target and len(drawn) < len(units) - keep:
            drawn.add(unit)
            filled += size[unit]
    return drawn or {min(units, key=size.__getitem__)}


def _test_every_language(
    result: dict[str, str], sizes: Mapping[str, Mapping[str, int]], total: Mapping[str, int]
) -> None:
    """Move the smallest training unit of a language that three units share and no test unit has."""
    for language in sorted({name for parts in sizes.values() for name in parts}):
        units = [unit for unit in sorted(sizes) if sizes[unit].get(language)]
        trained = [unit for unit in units if result[unit] == "train"]
        if len(units) >= 3 and len(trained) > 1 and all(result[unit] != "test" for unit in units):
            result[min(trained, key=total.__getitem__)] = "test"


def text_key(text: bytes) -> bytes:
    """Equal for chunks that differ in white space only."""
    return hashlib.blake2b(b"".join(text.split()), digest_size=16).digest()
