"""A small documented code base: three packages, so that there are three splits."""

from __future__ import annotations

from pathlib import Path

_BODY = '''

def {verb}_{noun}(path, {noun}):
    """{Verb} the {noun} that a path leads to.

    Longer than one line.
    """
    opened = open(path)
    result = {noun}_of(opened, {noun})
    return result
'''
_REST = '''

def {noun}_of(opened, wanted):
    for line in opened:
        if wanted in line:
            return line
    return None


class {Noun}:
    """A {noun}."""

    def __init__(self, size):
        """Make a {noun} of a size."""
        self.size = size
        self.name = "{noun}"
        self.seen = False

    def shared(self, other):
        """Say what all of them say."""
        first = self.size
        second = other.size
        return first + second
'''
VERBS = ("read", "write", "find", "count", "remove", "sort")
NOUNS = {"animals": ("horse", "sheep", "goat"), "plants": ("tree", "herb"), "tools": ("hammer", "saw")}


def write(root: Path) -> Path:
    """Packages ``animals``, ``plants`` and ``tools``."""
    for package, nouns in NOUNS.items():
        folder = root / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        for noun in nouns:
            text = f'"""About {noun}."""\n\nLIMIT = 1\n'
            for verb in VERBS:
                text += _BODY.format(verb=verb, Verb=verb.title(), noun=noun)
            (folder / f"{noun}.py").write_text(text + _REST.format(noun=noun, Noun=noun.title()))
    return root
