"""Short chains first: most of what a step costs is attention, and most of what there is to learn is near.

A batch keeps its token budget throughout, so that shorter chains mean more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphmer_geo.errors import UserError
from graphmer_geo.train.stream import Batch, SeekableStream, TokenBudgetStream


@dataclass(frozen=True)
class Phase:
    """Chains of up to ``roots`` root tokens from optimiser step ``step`` on."""

    roots: int
    step: int


def phases(root_lengths: Sequence[int], root_steps: Sequence[int], longest: int) -> tuple[Phase, ...]:
    """The phases of a run; without ``root_lengths`` one of the ``longest`` chains.

    Args:
        root_lengths: ascending lengths.
        root_steps: the optimiser steps that each of them but the first begins at.
        longest: length that the data was prepared for.

    Raises:
        UserError: the two do not go together.
    """
    if len(root_steps) != max(len(root_lengths) - 1, 0):
        raise UserError(
            f"root_lengths {list(root_lengths)} need {max(len(root_lengths) - 1, 0)} root_steps, the steps "
            f"at which each but the first begins; got {list(root_steps)}"
        )
    for name, values in (("root_lengths", root_lengths), ("root_steps", root_steps)):
        if list(values) != sorted(set(values)) or min(values, default=1) < 1:
            raise UserError(f"{name} is {list(values)}; give ascending positive numbers")
    return tuple(map(Phase, root_lengths or (longest,), (0, *root_steps)))


class CurriculumStream(SeekableStream):
    """The streams of the phases one after the other; only the current one is held in memory.

    Args:
        phases: in order, the first from step 0.
        batches_per_step: of all processes together.
        build: makes the stream of a phase, given its number.
        rank: see :class:`~graphmer_geo.train.stream.SeekableStream`.
        world: see there.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        batches_per_step: int,
        build: Callable[[int], TokenBudgetStream],
        rank: int = 0,
        world: int = 1,
    ) -> None:
        super().__init__(rank, world)
        self.phases, self.batches_per_step, self.build = tuple(phases), batches_per_step, build
        self._current: tuple[int, TokenBudgetStream] | None = None

    def phase_at(self, step: int) -> Phase:
        """The phase that optimiser step ``step`` (from 0) belongs to."""
        return self.phases[self._number(step)]

    def batch(self, index: int) -> Batch:
        """Batch ``index`` of the whole run; each phase counts its own from 0."""
        number = self._number(index // self.batches_per_step)
        if self._current is None or self._current[0] != number:
            self._current = None  # let go of it before the next is read
            self._current = (number, self.build(number))
        return self._current[1].batch(index - self.phases[number].step * self.batches_per_step)

    def _number(self, step: int) -> int:
        return sum(phase.step <= step for phase in self.phases) - 1
