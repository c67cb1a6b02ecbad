"""Two collections of facts, compared kind by kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

#: kind -> facts; a fact begins with the path of its file
Facts = dict[str, "Counter[tuple[Hashable, ...]]"]


def facts() -> Facts:
    """An empty collection."""
    return defaultdict(Counter)


class Tally:
    """Counts equal, missing and surplus facts per kind, and keeps the first differences.

    Args:
        listed: Differences kept of each kind.
    """

    def __init__(self, listed: int = 200) -> None:
        self.listed = listed
        self.equal: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.surplus: Counter[str] = Counter()
        self.differences: dict[str, list[str]] = defaultdict(list)

    def add(self, wanted: Facts, found: Facts) -> None:
        """Compare the facts of some files."""
        for kind in sorted({*wanted, *found}):
            left, right = wanted.get(kind, Counter()), found.get(kind, Counter())
            self.equal[kind] += (left & right).total()
            self._note(kind, "missing", self.missing, left - right)
            self._note(kind, "surplus", self.surplus, right - left)

    def _note(self, kind: str, what: str, counts: Counter[str], rest: Counter[tuple[Hashable, ...]]) -> None:
        counts[kind] += rest.total()
        kept = self.differences[kind]
        for fact in _sorted(rest.elements()):
            if len(kept) >= self.listed:
                break
            kept.append(f"{what} {fact}"[:400])

    def metrics(self) -> dict[str, Any]:
        """Precision, recall and counts per kind, with the differences."""
        table = {}
        for kind in sorted(self.equal):
            equal, missing, surplus = self.equal[kind], self.missing[kind], self.surplus[kind]
            table[kind] = {
                "wanted": equal + missing,
                "found": equal + surplus,
                "equal": equal,
                "precision": equal / (equal + surplus) if equal + surplus else 1.0,
                "recall": equal / (equal + missing) if equal + missing else 1.0,
            }
        return {"kinds": table, "differences": {k: v for k, v in sorted(self.differences.items()) if v}}

    def lines(self) -> list[str]:
        """The table as text."""
        rows = [f"{'kind':<22}{'wanted':>10}{'found':>10}{'missing':>9}{'surplus':>9}"]
        for kind in sorted(self.equal):
            equal, missing, surplus = self.equal[kind], self.missing[kind], self.surplus[kind]
            rows.append(f"{kind:<22}{equal + missing:>10,}{equal + surplus:>10,}{missing:>9,}{surplus:>9,}")
        return rows


def _sorted(items: Iterable[tuple[Hashable, ...]]) -> list[tuple[Hashable, ...]]:
    return sorted(items, key=repr)
