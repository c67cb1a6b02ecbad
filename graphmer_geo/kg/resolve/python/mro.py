"""Method resolution order (C3) over corpus classes (int), external names (str) and unknown bases (None)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Entry = int | str | None


def merge(sequences: list[list[Entry]]) -> list[Entry] | None:
    """The C3 merge; None if the hierarchy is inconsistent."""
    result: list[Entry] = []
    sequences = [s for s in sequences if s]
    while sequences:
        for sequence in sequences:
            head = sequence[0]
            if not any(head in other[1:] for other in sequences):
                break
        else:
            return None
        result.append(head)
        sequences = [rest for s in sequences if (rest := s[1:] if s[0] == head else s)]
    return result


def linearise(klass: int, bases: Callable[[int], Sequence[Entry]]) -> list[Entry]:
    """The MRO of a class; where C3 fails, each class once, depth first."""
    return _linearise(klass, bases, {}, ())


def _linearise(
    klass: Entry, bases: Callable[[int], Sequence[Entry]], done: dict[int, list[Entry]], path: tuple[int, ...]
) -> list[Entry]:
    if not isinstance(klass, int):
        return [klass]
    if klass in path or len(path) > 100:  # a cycle
        return []
    if klass not in done:
        direct = list(bases(klass))
        lines = [_linearise(base, bases, done, (*path, klass)) for base in direct]
        merged = merge(
            [*(list(line) for line in lines), [d for d in direct if not isinstance(d, int) or d not in path]]
        )
        if merged is None:
            merged = list(dict.fromkeys(entry for line in lines for entry in line))
        done[klass] = [klass, *merged]
    return done[klass]
