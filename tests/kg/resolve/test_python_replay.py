"""Few Python files are linked again on what all were noted to send: the result is that of linking all."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.languages.base import in_order
from graphmer_geo.kg.languages.python import PYTHON
from graphmer_geo.kg.resolve.python.corpus import Corpus, TooFar
from graphmer_geo.kg.resolve.python.headers import header
from graphmer_geo.kg.resolve.python.history import History
from graphmer_geo.kg.resolve.python.objects import Kind
from graphmer_geo.kg.resolve.python.replay import Replayed, replay
from graphmer_geo.kg.resolve.python.texts import header_of, header_text
from tests.kg.resolve.test_python_rounds import EXCHANGES, STDLIB, extract

Texts = dict[str, str]


@dataclass
class Linked:
    """A corpus that is linked, all of it or again."""

    texts: Texts
    facts: list[FileFacts]
    files: list[LinkedFile]
    history: History


def all_linked(texts: Texts, ways: int = 1) -> Linked:
    facts = [extract(path, text.encode()) for path, text in texts.items()]
    shared = [PYTHON.share(each) for each in facts]
    mine = [{i: each for i, each in enumerate(facts) if i % ways == way} for way in range(ways)]
    linkers = [PYTHON.replays.linker(shared, own) for own in mine]
    inboxes: list[list[Any]] = [[] for _ in linkers]
    while outbox := [m for own, inbox in zip(linkers, inboxes, strict=True) for m in own.exchange(inbox)]:
        outbox = in_order(outbox)
        inboxes = [[m for m in outbox if m.receiver % ways == way] for way in range(ways)]
    files = [linkers[index % ways].link(index) for index in range(len(facts))]
    history = PYTHON.replays.merged([linker.history() for linker in linkers])
    assert isinstance(history, History)
    return Linked(texts, facts, files, history)


def replayed(old: Linked, changes: Texts) -> Replayed:
    """What linking again gives.

    Raises:
        TooFar: If all files are to be linked.
    """
    texts = {**old.texts, **changes}
    assert list(texts) == list(old.texts)
    before = [header_text(header(facts)) for facts in old.facts]
    paths = list(texts)
    changed = [paths.index(path) for path in changes]
    facts = {place: extract(paths[place], texts[paths[place]].encode()) for place in changed}
    after = [header_text(header(facts[i])) if i in facts else text for i, text in enumerate(before)]

    def facts_of(place: int) -> FileFacts:
        return facts.get(place) or old.facts[place]

    return replay(
        Corpus(before, after, old.history, facts_of, lambda place: texts[paths[place]].encode()), changed
    )


def joined(old: Linked, changes: Texts, found: Replayed) -> Linked:
    texts = {**old.texts, **changes}
    facts = [
        extract(path, texts[path].encode()) if path in changes else each
        for path, each in zip(texts, old.facts, strict=True)
    ]
    files = [found.linked.get(place, linked) for place, linked in enumerate(old.files)]
    return Linked(texts, facts, files, found.history)


def announced(linked: Linked) -> dict[str, int]:
    """When an attribute is first announced; who does so later, or needlessly, makes no difference."""
    headers = [header(facts) for facts in linked.facts]
    known = [{n for h in headers for n in h.assigned}, {n for h in headers for n in h.outside}]
    rows = [row for row in linked.history.notes.announced if row[2] not in known[row[3]]]
    return {name: slot for slot, _, name, _ in sorted(rows, reverse=True)}


def content(history: History) -> list[Any]:
    """What was noted, with containers called by the order in which they come up."""
    tokens: dict[tuple[int, str], int] = {}

    def plain(form: Any) -> Any:
        if isinstance(form, list) and len(form) == 3 and form[0] == Kind.BOX and isinstance(form[1], list):
            container, file, token, what = form[1]
            name = token if token.startswith("*") else tokens.setdefault((file, token), len(tokens))
            return [container, file, name, what, form[2]]
        return [plain(each) for each in form] if isinstance(form, list) else form

    names = [json.loads(text) for text in history.names.to_pylist()]
    objects = [json.loads(text) for text in history.objects.to_pylist()]
    rows = zip(*(column.tolist() for column in history.mail.values()), strict=True)
    ordered = sorted(rows, key=lambda row: row[:3])
    mail = [[*head, plain(names[name]), plain(objects[value])] for *head, name, value in ordered]
    notes = [sorted(r) for r in (history.notes.asked, history.notes.bases, history.notes.metaclasses)]
    return [mail, notes, sorted(map(tuple, history.notes.looked))]


def packages(*names: str) -> Texts:
    paths = [path for name in names for path in sorted((STDLIB / name).rglob("*.py"))]
    return {path.relative_to(STDLIB).as_posix(): path.read_text() for path in paths}


def test_a_header_survives_as_text() -> None:
    for path, text in packages("json", "concurrent").items():
        shared = header(extract(path, text.encode()))
        assert header_of(header_text(shared)) == shared


@pytest.mark.parametrize("ways", [2, 3])
def test_several_processes_note_what_one_notes(ways: int) -> None:
    texts = {**EXCHANGES, **packages("json", "wsgiref")}
    one, apart = all_linked(texts), all_linked(texts, ways)
    assert one.files == apart.files
    mail, notes, looked = content(one.history)
    others, their_notes, they_looked = content(apart.history)
    assert mail == others
    assert notes == their_notes
    assert set(looked) <= set(they_looked)
    assert one.history.notes.announced == apart.history.notes.announced


def test_what_is_noted_can_be_read_again(tmp_path: Path) -> None:
    history = all_linked(EXCHANGES).history
    history.save(tmp_path / "links")
    again = History.load(tmp_path / "links")
    assert again is not None
    assert content(again) == content(history)
    (tmp_path / "links/notes.json").write_text("{")
    assert History.load(tmp_path / "links") is None
    assert History.load(tmp_path) is None


MORE = {
    "data.py": "class Point:\n    x: int\n    y: int\nclass Plain:\n    def __init__(self): self.z = 1\n",
    "makes.py": "from data import Point\ndef make(a): return Point(a, len)\n",
    "reads.py": "from makes import make\nimport data\nq = make(data.Plain)\nq.x().z\nq.y([])\n",
    "passes.py": "from data import Point as P\n",
    "uses.py": "from passes import P\ndef draw(): return P(1, 2)\n",
    "names.py": "import data\ndef get(n): return getattr(data, n)\nget('Pl' + 'ain')()\n",
    "typed.py": "class One:\n def run(self): pass\ndef each(a: list[One], *b: dict[str, One]): return a, b\n",
    "takes.py": "import typed\nfor one in typed.each([])[0]: one.run()\ntyped.each([], {})[1][0].get\n",
    "idle.py": "def nothing(): return 1\n",
    "meta.py": "class Meta(type):\n    def __call__(cls): return 1\n",
    "kept.py": "from meta import Meta as M\nclass Kept(metaclass=M):\n    def __getattr__(self, n): pass\n",
    "calls.py": "from kept import Kept as K\nk = K()\nk.gone\n",
}


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("idle.py", "return 1", "return [1, len]", {"idle.py"}),
        ("idle.py", "def nothing", "def unheard(): pass\ndef nothing", {"idle.py"}),
        ("makes.py", "def make", "def first(): return {}\ndef make", {"makes.py"}),
        ("makes.py", "Point(a, len)", "Point(len, a)", {"makes.py", "reads.py", "data.py"}),
        ("makes.py", "def make(a):", "def make(a, b=1):", {"makes.py", "reads.py"}),
        ("data.py", "class Plain", "def more(): pass\nclass Plain", {"data.py"}),
        ("data.py", "class Plain", "class Plainer", {"data.py", "reads.py", "names.py", "makes.py"}),
        ("data.py", "class Point", "class Dot", {"data.py", "makes.py", "passes.py", "uses.py", "reads.py"}),
        ("data.py", "    y: int", "    w: int\n    y: int", None),
        ("data.py", "self.z = 1", "self.z = str", {"data.py", "reads.py"}),
        ("typed.py", "return a, b", "print({}, [])\n return b, a", {"typed.py", "takes.py"}),
        ("typed.py", "list[One]", "set[One]", {"typed.py", "takes.py"}),
        ("meta.py", "return 1", "return [cls]", {"meta.py"}),
        ("meta.py", "def __call__", "def __new__", {"meta.py", "kept.py", "calls.py"}),
        ("meta.py", "class Meta", "class Other: pass\nclass Meta", {"meta.py"}),
        ("kept.py", "metaclass=M", "metaclass=type", {"kept.py", "calls.py"}),
        ("kept.py", "__getattr__", "__getattribute__", {"kept.py", "calls.py"}),
        ("reads.py", "q.y([])", "q.y(1)\nidle.nothing()\nimport idle", {"reads.py", "idle.py"}),
    ],
)  # fmt: skip
def test_an_edit_reaches_those_that_notice(path: str, old: str, new: str, expected: set[str] | None) -> None:
    linked = all_linked({**MORE, **{f"more{i}.py": "pass\n" for i in range(20)}})
    changes = {path: linked.texts[path].replace(old, new)}
    found = replayed(linked, changes)
    paths = list(linked.texts)
    if expected is not None:
        assert {paths[place] for place in found.linked} == expected
    full = all_linked({**linked.texts, **changes})
    again = joined(linked, changes, found)
    assert again.files == full.files
    assert content(again.history)[:2] == content(full.history)[:2]
    assert announced(again) == announced(full)


def edited(chance: random.Random, texts: Texts) -> Texts:
    """One file with another text."""
    path = chance.choice(list(texts))
    text = texts[path]
    words = re.findall(r"\b[A-Za-z_]\w*\b", texts[chance.choice([path, *texts])]) or ["x"]
    places = list(re.finditer(r"\b[A-Za-z_]\w*\b", text))
    lines = text.splitlines(keepends=True)
    other = chance.choice(list(texts)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    kind = chance.randrange(6)
    if kind < 3 and places:
        place = chance.choice(places)
        text = text[: place.start()] + chance.choice(words) + text[place.end() :]
    elif kind == 3:
        text = f"def first(value): return [value]\n{text}"
    elif kind == 4:
        word = chance.choice(words)
        text += (
            f"\nfrom {other} import {word} as _new\nimport {other}\nclass Below(_new):\n"
            f" def {chance.choice(words)}(self): self.{word} = _new; return {other}.{word}(self)\n"
            f"Below({other}).{word}({{'key': len}})\n"
        )
    elif lines:
        del lines[chance.randrange(len(lines))]
        text = "".join(lines)
    return {path: text}


CORPORA: list[Callable[[], Texts]] = [
    lambda: {**EXCHANGES, **MORE},
    lambda: packages("json", "wsgiref", "concurrent"),
]


@pytest.mark.parametrize("seed", range(6))
def test_edits_give_what_linking_all_gives(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphmer_geo.kg.resolve.python.replay.MAX_SHARE", 1)
    chance = random.Random(seed)
    linked = all_linked(CORPORA[seed % 2]())
    taken = 0
    for _ in range(8):
        changes = edited(chance, linked.texts)
        if chance.random() < 0.3:
            changes |= edited(chance, linked.texts)
        full = all_linked({**linked.texts, **changes})
        try:
            found = replayed(linked, changes)
        except TooFar:
            linked = full
            continue
        taken += 1
        linked = joined(linked, changes, found)
        for mine, theirs in zip(linked.files, full.files, strict=True):
            assert mine == theirs, changes
        assert content(linked.history)[:2] == content(full.history)[:2]
        assert announced(linked) == announced(full)
    assert taken > 4

