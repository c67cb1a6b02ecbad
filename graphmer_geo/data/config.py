"""Settings of data preparation and of chains, as JSON-able dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from graphmer_geo.errors import UserError
from graphmer_geo.kg.vocabulary import CONTAINMENT


class _Config:
    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The reverse of :meth:`to_dict`.

        Raises:
            UserError: A key is unknown or a value is out of range.
        """
        known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
        if unknown := sorted(set(values) - set(known)):
            names = ", ".join(unknown)
            raise UserError(f"unknown settings {names} of {cls.__name__}; known: {', '.join(known)}")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


#: What a split may keep together.
UNITS = ("package", "project")


@dataclass(frozen=True)
class DataConfig(_Config):
    """How a knowledge graph and its source become training data.

    Attributes:
        vocab_size: Most tokens of the tokenizer.
        max_roots: Most tokens of a chunk, ``<cls>`` and ``<sep>`` included; longer code is cut between lines.
        curriculum: Shorter lengths that code for training is cut to as well, each into a table of its own, to
            train at them first.
        min_roots: Shorter pieces are left out (counted in the manifest).
        fractions: Shares of train, validation and test, by size of code.
        unit: What is never split: "package" (a top-level package or module) or "project" (all of a source).
        test_units: Units to test on, by name; empty: drawn.
        validation_units: Units to validate on, by name; empty: drawn.
        near_duplicates: Functions of validation and test that share this much of their token 5-grams
            (Jaccard) with a function of an earlier split are left out (counted in the manifest); 0 turns the
            search off.
        shard_bytes: About how much source code makes one shard of chunks, of which training holds eight in
            memory, at about four times that size, and preparation one.
        seed: Seed of the split.
    """

    vocab_size: int = 8192
    max_roots: int = 256
    curriculum: tuple[int, ...] = ()
    min_roots: int = 8
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    unit: str = "package"
    test_units: tuple[str, ...] = ()
    validation_units: tuple[str, ...] = ()
    near_duplicates: float = 0.8
    shard_bytes: int = 4_000_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UserError(f"unit is {self.unit!r}; split by {' or '.join(UNITS)}")
        if not 0 <= self.near_duplicates <= 1:
            raise UserError(f"near_duplicates is {self.near_duplicates}; give a share between 0 and 1")
        if self.shard_bytes < 1:
            raise UserError(f"shard_bytes is {self.shard_bytes}; it must be at least 1")
        if len(self.fractions) != 3 or min(self.fractions) <= 0 or abs(sum(self.fractions) - 1) > 1e-6:
            raise UserError(f"fractions are {self.fractions}; give three positive numbers that add up to 1")
        if not 3 <= self.min_roots <= self.max_roots:
            raise UserError(
                f"min_roots is {self.min_roots}, max_roots {self.max_roots}; need 3 <= min_roots <= max_roots"
            )
        lengths = (self.min_roots, *self.curriculum, self.max_roots)
        if list(lengths) != sorted(set(lengths)) and self.curriculum:
            raise UserError(
                f"curriculum is {list(self.curriculum)}; give ascending lengths between min_roots "
                f"({self.min_roots}) and max_roots ({self.max_roots})"
            )


@dataclass(frozen=True)
class ChainConfig(_Config):
    """Which triples ride along on a chunk.

    Attributes:
        max_roots: Most root tokens; at least what the data was prepared with.
        max_leaves_per_tail: Longer tails are left out (counted), never cut.
        max_triples: Most triples of one chain.
        max_per_head: Most candidate triples of one head in one epoch: a symbol used everywhere must not
            drown the rest.
        inverse: Hang inverse triples too, on heads that the chunk declares: who calls this function.
        inverse_of_references: Hang them also on what a chunk merely refers to. Who else calls ``len`` is
            nothing the chunk could tell, so such triples crowd out useful ones.
        target_relations: Relations whose tails may be masked, without inverses (those follow); empty: all but
            the containment relations and ``refersTo``, which names alone decide.
        heuristic: Let triples that rest on heuristics ride along. They are never targets.
        targets_only: Let only triples ride along whose tails may be masked: with all of them hidden, a chain
            has no leaf that tells anything.
        leaves: Hang triples at all. Without them a chain is its text, in the same batches with the same masks
            as with them: the control that shows what leaves are worth.
    """

    max_roots: int = 256
    max_leaves_per_tail: int = 12
    max_triples: int = 24
    max_per_head: int = 64
    inverse: bool = True
    inverse_of_references: bool = False
    target_relations: tuple[str, ...] = ()
    heuristic: bool = True
    targets_only: bool = False
    leaves: bool = True

    def __post_init__(self) -> None:
        for name in ("max_roots", "max_leaves_per_tail", "max_triples", "max_per_head"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1")

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The chains of GraphMERT: 128 roots with tails of at most 7 leaves."""
        published: dict[str, Any] = {"max_roots": 128, "max_leaves_per_tail": 7}
        return cls(**(published | changes))

    def is_target(self, relation: str) -> bool:
        """Whether tails of this relation (or its inverse, ``name^-1``) may be masked."""
        name = relation.removesuffix(INVERSE)
        if self.target_relations:
            return name in self.target_relations
        return name not in NEVER_TARGETS


#: Suffix of an inverse relation.
INVERSE = "^-1"

#: Decided by names and containment alone, so predicting them teaches and proves nothing.
NEVER_TARGETS = frozenset({*CONTAINMENT, "refersTo", "none"})
