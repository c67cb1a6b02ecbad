"""Files are linked one by one and exchange objects: which one comes first makes no difference."""

from __future__ import annotations

import pickle
import random
import sysconfig
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cache
from inspect import isfunction
from pathlib import Path
from typing import Any

import pytest

from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile
from graphmer_geo.kg.languages.base import Message, in_order
from graphmer_geo.kg.languages.python import PYTHON
from graphmer_geo.kg.resolve.python.emit import emitter
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.headers import header
from graphmer_geo.kg.resolve.python.world import World

Turn = Callable[[Iterable[int]], Iterable[int]]
STDLIB = Path(sysconfig.get_path("stdlib"))
EXCHANGES = {
    "base.py": "class Base:\n def __init__(self, f): self.f = f\n def run(self): return self.f()\n",
    "boxes.py": """
table = {}
plain = [1]
def add(name, f): table[name] = f
def most(*fs, **named): return fs[0], named
""",
    "user.py": """
from base import Base
import boxes
def g(): return Base
def h(): pass
class D(Base): pass
boxes.add('g', g)
boxes.table['d'] = D
D(g).run()  # calls
a = boxes.table['g']; a()  # calls
b, c = boxes.most(g, k=D); b()  # calls
d = c['k']; d(g)  # calls
boxes.plain.append(g)
mine = {}
mine.update(boxes.table)
e = mine['d']; e(g).run()  # calls
g.mark = D
setattr(D(g), 'late', g)
""",
    "more.py": """
from user import *
import user
Base.added = h
user.D.added()  # calls
user.D(g).added()  # calls
user.g.mark(g).run()  # calls
user.D(g).late()  # calls
for k in boxes.table.values(): k()  # calls
[f() for f in boxes.plain]  # calls
""",
}


def extract(path: str, source: bytes) -> FileFacts:
    return PYTHON.extract(SourceFile("python", "p", "1", path, PYTHON.module_name(path, source)), source)


@cache
def packages() -> list[FileFacts]:
    """Real code whose files use each other."""
    paths = [
        path for name in ("concurrent", "json", "wsgiref") for path in sorted((STDLIB / name).rglob("*.py"))
    ]
    return [extract(p.relative_to(STDLIB).as_posix(), p.read_bytes()) for p in paths]


@cache
def exchanges() -> list[FileFacts]:
    return [extract(path, source.encode()) for path, source in EXCHANGES.items()]


def world_of(files: list[FileFacts]) -> World:
    return World([header(facts) for facts in files], dict(enumerate(files)))


def solved(
    files: list[FileFacts], turn: Turn = sorted, kind: Callable[[World], Flow] = Flow
) -> list[LinkedFile]:
    flow = kind(world_of(files))
    flow.turn = turn
    flow.solve()
    emit = emitter(flow)
    return [emit(index) for index in range(len(files))]


def backwards(files: Iterable[int]) -> list[int]:
    return sorted(files, reverse=True)


def shuffled(files: Iterable[int]) -> list[int]:
    order = sorted(files)
    random.Random(len(order)).shuffle(order)
    return order


@pytest.mark.parametrize("corpus", [packages, exchanges])
@pytest.mark.parametrize("turn", [backwards, shuffled])
def test_the_order_of_files_within_a_round_makes_no_difference(
    corpus: Callable[[], list[FileFacts]], turn: Turn
) -> None:
    assert solved(corpus(), turn) == solved(corpus())


@pytest.mark.parametrize("corpus", [packages, exchanges])
@pytest.mark.skipif(not isfunction(Flow.put), reason="no class can inherit from a compiled one")
def test_no_file_works_on_variables_of_another(corpus: Callable[[], list[FileFacts]]) -> None:
    class Strict(Flow):
        def __init__(self, world: World) -> None:
            super().__init__(world)
            self.owners: dict[int, int] = {}

        def new(self) -> int:
            variable = super().new()
            self.owners[variable] = self.at.file
            return variable

        def check(self, variable: int) -> None:
            bases = list(self.world.variable_base.values())
            owner = self.owners.get(variable, bisect_right(bases, variable - 1) - 1)
            assert not variable or owner == self.at.file

        def put(self, variable: int, obj: int) -> None:
            self.check(variable)
            super().put(variable, obj)

        def link(self, source: int, target: int) -> None:
            self.check(source)
            self.check(target)
            super().link(source, target)

        def use(self, variable: int, function: Callable[..., None], *arguments: Any) -> None:
            self.check(variable)
            super().use(variable, function, *arguments)

    assert solved(corpus(), kind=Strict) == solved(corpus())


def test_what_files_exchange_arrives() -> None:
    called = {
        (linked.source.path, o.line)
        for linked in solved(exchanges())
        for o in linked.occurrences
        if o.relation in ("calls", "instantiates") and o.target
    }
    for path, source in EXCHANGES.items():
        for number, line in enumerate(source.splitlines(), 1):
            assert "# calls" not in line or (path, number) in called, line


def test_what_a_cycle_of_imports_exports_does_not_depend_on_who_asks_first() -> None:
    sources = {
        "a.py": "from b import *\nfrom b import x\nfrom c import z\n",
        "b.py": "from c import *\nfrom c import x\nfrom a import z\n",
        "c.py": "from a import *\nfrom a import x\nfrom b import z\ndef y(): pass\n",
        "p/__init__.py": "from a import x\nfrom p import q\n",
        "p/q.py": "",
    }
    files = [extract(path, source.encode()) for path, source in sources.items()]
    asked = [(module, name) for module in ("a", "b", "c", "p") for name in ("x", "y", "z", "q")]
    alone = {key: world_of(files).member(*key) for key in asked}
    for order in (asked, asked[::-1]):
        world = world_of(files)
        assert {key: world.member(*key) for key in order} == alone
    assert alone["a", "y"]
    assert not alone["a", "x"]
    assert alone["p", "q"]


def linked_apart(files: list[FileFacts], ways: int) -> list[LinkedFile]:
    """As processes link that have every ``ways``-th file each; all that they hear of others is pickled."""
    shared = pickle.dumps([PYTHON.share(facts) for facts in files])
    mine = [{i: facts for i, facts in enumerate(files) if i % ways == way} for way in range(ways)]
    linkers = [PYTHON.linker(pickle.loads(shared), own) for own in mine]
    inboxes: list[list[Message]] = [[] for _ in linkers]
    while True:
        outbox = [m for linker, inbox in zip(linkers, inboxes, strict=True) for m in linker.exchange(inbox)]
        if not outbox:
            return [linkers[index % ways].link(index) for index in range(len(files))]
        written = pickle.loads(pickle.dumps(in_order(outbox)))
        inboxes = [[m for m in written if m.receiver % ways == way] for way in range(ways)]


@pytest.mark.parametrize("corpus", [packages, exchanges])
@pytest.mark.parametrize("ways", [2, 3, 40])
def test_how_files_are_dealt_to_processes_makes_no_difference(
    corpus: Callable[[], list[FileFacts]], ways: int
) -> None:
    assert linked_apart(corpus(), ways) == solved(corpus())
