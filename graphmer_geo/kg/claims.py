"""Which file declares what, so that nothing is declared twice."""

from __future__ import annotations

from collections.abc import Sequence

from graphmer_geo.kg.facts import FileFacts


def claims_of(facts: FileFacts) -> tuple[str, ...]:
    """The names that only one file of a graph may have: its key, and what it declares at the top.

    Whatever lies inside has the name of what is around it in its own, so it need not be compared. A Java
    package is nobody's: many files declare it.
    """
    entities = facts.entities
    return (
        facts.source.key,
        *(
            facts.iri(index)
            for index, entity in enumerate(entities)
            if entity.kind != "Package" and (entity.parent < 0 or entities[entity.parent].kind == "Package")
        ),
    )


class Claims:
    """What the files so far declare."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}  # a claim -> key of the file that has it

    def take(self, claims: Sequence[str]) -> str | None:
        """Note what a file declares. A reason to leave it out, if another one already declares some of it."""
        taken = sorted(claim for claim in claims if claim in self._owners)
        if taken:
            return (
                f"{taken[0]} is already defined by {self._owners[taken[0]]}; leave one of the two out, "
                "or give the sources different package names or versions"
            )
        self._owners.update(dict.fromkeys(claims, claims[0]))
        return None
