"""Colours. Each ink has a contrast of at least 4.5:1 on white, and no meaning rests on colour alone."""

from __future__ import annotations

from dataclasses import dataclass

INK, MUTED, RULE, PAPER = "#1f2933", "#5b6773", "#d9e0e6", "#ffffff"

#: Series of charts, in order; told apart also by dashes, shapes or labels.
SERIES = ("#1f5fa8", "#b4530a", "#1c7a5a", "#8a3d8f", "#6b7280", "#a3121f")


@dataclass(frozen=True)
class Family:
    """Relations that say the same kind of thing."""

    title: str
    ink: str
    tint: str
    relations: frozenset[str]


FAMILIES = (
    Family("calls", "#1f5fa8", "#e3eefa", frozenset({"calls", "instantiates", "refersTo"})),
    Family("types", "#1c7a5a", "#e0f3ec", frozenset({"hasType", "returnsType", "hasTypeParameter"})),
    Family("inheritance", "#8a3d8f", "#f5e6f6", frozenset({"extends", "implements", "overrides"})),
    Family("data", "#9a5b00", "#fbf0dc", frozenset({"reads", "writes"})),
    Family("exceptions", "#b3261e", "#fbe6e4", frozenset({"raises", "catches", "declaresThrown"})),
    Family("decoration", "#a1226b", "#fae3ef", frozenset({"decoratedBy", "annotatedWith"})),
)
STRUCTURE = Family("structure", "#4a5763", "#eceff2", frozenset())


def family_of(relation: str) -> Family:
    """The family of a relation or of its inverse (``calls^-1``)."""
    name = relation.removesuffix("^-1")
    return next((family for family in FAMILIES if name in family.relations), STRUCTURE)
