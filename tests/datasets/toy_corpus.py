"""Six small projects with names of their own, a copy, an edited copy, and calls across projects."""

from __future__ import annotations

from pathlib import Path

from tests.datasets.toy_index import Index, write_recipe

_MODULE = '''
"""How {thing}s are kept."""

from {other}.core import check_{other}


class {Thing}Error(Exception):
    pass


class Base{Thing}:
    def __init__(self, {thing}_name, size):
        self.{thing}_name = {thing}_name
        self.size = size

    def {verb}(self, amount):
        if amount > self.size:
            raise {Thing}Error(self.{thing}_name)
        return self.size - amount


class Small{Thing}(Base{Thing}):
    def {verb}(self, amount):
        return super().{verb}(amount + len(self.{thing}_name))

    def describe_{thing}(self):
        return f"{{self.{thing}_name}} of {{self.size}}"


def check_{thing}(value: Base{Thing}) -> int:
    """Is it a {thing}?"""
    return value.{verb}(1)


def many_{thing}s(count: int) -> list:
    found = []
    for number in range(count):
        item = Small{Thing}("{thing}", number)
        check_{other}(item)
        found.append(check_{thing}(item))
    return found
'''

#: Written by one project, kept by another: word for word, and with a change.
_BORROWED = '''
def merge_intervals(intervals, gap=0):
    """Join intervals that touch."""
    ordered = sorted(intervals, key=lambda pair: pair[0])
    merged = [list(ordered[0])]
    for start, end in ordered[1:]:
        last = merged[-1]
        if start <= last[1] + gap:
            last[1] = max(last[1], end)
        else:
            merged.append([start, end])
    total = sum(end - start for start, end in merged)
    if total < 0:
        raise ValueError("an interval ends before it starts")
    return [tuple(pair) for pair in merged]
'''

PROJECTS = {
    "apple": ("river", "peel"),
    "river": ("apple", "bridge"),
    "stone": ("river", "lift"),
    "cloud": ("apple", "scatter"),
    "forge": ("stone", "temper"),
    "lantern": ("cloud", "ignite"),
}
VALIDATION, TEST = ("forge",), ("lantern",)


def make_recipe(folder: Path, index: Index) -> Path:
    """Wheels of the projects in the index, and their recipe."""
    entries = []
    for name, (other, verb) in PROJECTS.items():
        text = _MODULE.format(thing=name, Thing=name.title(), other=other, verb=verb)
        files = {f"{name}/core.py": text, f"{name}/__init__.py": ""}
        if name == "apple":
            files[f"{name}/intervals.py"] = _BORROWED
        if name == "forge":
            files[f"{name}/intervals.py"] = _BORROWED  # a copy of the file: cleaning takes it
        if name == "lantern":
            edited = _BORROWED.replace("total < 0", "total < 1").replace("touch", "nearly touch")
            files[f"{name}/intervals.py"] = edited + "\n\ndef lit(lamps):\n    return list(lamps)\n"
        entries.append(index.add(name, files))
    return write_recipe(folder, entries, f", validation: [{VALIDATION[0]}], test: [{TEST[0]}]")
