"""Methods that run though no text names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmer_geo.kg import build_kg

TYPES = """class Object:
    def __getattr__(self, name): return name
    def __setattr__(self, name, value): pass
    def __delattr__(self, name): pass
    def __len__(self): return 1
    def __repr__(self): return ""
    def __delitem__(self, key): pass
    def __await__(self): yield
    def method(self): pass

class Truth(Object):
    def __bool__(self): return True
    def __str__(self): return ""
    def __format__(self, spec): return spec

class Value:
    def __get__(self, instance, owner): return 1
    def __set__(self, instance, value): pass
    def __set_name__(self, owner, name): pass

class Plugin:
    def __init_subclass__(cls, **options): pass
    def get(self): return 1
    made = property(get)

class Meta(type):
    def __call__(cls, *values): return 1
    def __new__(mcs, *values): return type.__new__(mcs, *values)

class Plain:
    known = 1
    def __init__(self): self.own = 2
    def method(self): pass
"""
USES = {
    "Object().anything": {"Object.__getattr__"},
    "Object().method()": {"Object.method"},
    "Object().other()": {"Object.__getattr__"},
    "Object().__dict__": set(),
    "Plain().known": {"Plain.__init__"},
    "Plain().missing": {"Plain.__init__"},
    "if Object(): pass": {"Object.__len__"},
    "if Truth(): pass": {"Truth.__bool__"},
    "x = 1 if Truth() else 2": {"Truth.__bool__"},
    "while not Truth(): pass": {"Truth.__bool__"},
    "x = Object() and 1": {"Object.__len__"},
    "x = 1 and Object()": set(),
    "x = Object() or 1": {"Object.__len__"},
    "assert Object(), Truth()": {"Object.__len__"},
    "if Object() is None: pass": set(),
    "x = bool(Object())": {"Object.__len__"},
    "x = f'{Truth()}'": {"Truth.__format__"},
    "x = f'{Truth()!r}'": {"Object.__repr__"},
    "x = f'{Truth()!s:>9}'": {"Truth.__str__"},
    "x = f'{Object()}'": {"Object.__repr__"},
    "x = str(Object())": {"Object.__repr__"},
    "print(1, Truth())": {"Truth.__str__"},
    "await Object()": {"Object.__await__"},
    "x = Plugin().made": {"Plugin.get"},
}
STATEMENTS = {
    "x.a = 1": {"Object.__setattr__"},
    "del x.a": {"Object.__delattr__"},
    "del x[1], x.b": {"Object.__delitem__", "Object.__delattr__"},
}


def calls(folder: Path, text: str, **options: object) -> dict[str, set[str]]:
    """Caller -> what it calls of the types above, both without the module."""
    (folder / "types_.py").write_text(TYPES)
    (folder / "m.py").write_text(f"from types_ import *\n{text}")
    kg = build_kg([folder], **options)  # type: ignore[arg-type]
    rows = kg.query(
        "SELECT ?a ?b { ?x gm:calls ?y . ?x gm:qualifiedName ?a . ?y gm:qualifiedName ?b ; a ?k "
        "VALUES ?k { gm:Method gm:Constructor gm:Function gm:Accessor } FILTER(STRSTARTS(?b, 'types_.')) }"
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["a"].removeprefix("m."), set()).add(row["b"].removeprefix("types_."))
    return found


def test_expressions_and_statements(tmp_path: Path) -> None:
    text = "".join(f"async def f{i}():\n    {use}\n" for i, use in enumerate(USES))
    text += "".join(f"def g{i}():\n    x = Object()\n    {use}\n" for i, use in enumerate(STATEMENTS))
    found = calls(tmp_path, text)
    assert {use: found.get(f"f{i}", set()) for i, use in enumerate(USES)} == USES
    assert {use: found.get(f"g{i}", set()) for i, use in enumerate(STATEMENTS)} == STATEMENTS


@pytest.mark.parametrize("workers", [1, 2])
def test_descriptors_and_definitions_of_classes(tmp_path: Path, workers: int) -> None:
    text = """from types_ import Meta
class Impl(Plugin):
    field = Value()
class Made(metaclass=Meta): pass
def scope():
    class Outer:
        class Inner(Plugin): pass
def read(): return Impl().field
def write(): Impl().field = 1
def make(): return Made()
"""
    (tmp_path / "n.py").write_text(
        "from m import Made\nclass Below(Made): pass\ndef make(): return Below()\n"
    )
    found = calls(tmp_path, text, workers=workers)
    assert found == {
        "m": {"Plugin.__init_subclass__", "Value.__set_name__", "Meta.__new__"},
        "scope": {"Plugin.__init_subclass__"},
        "read": {"Value.__get__"},
        "write": {"Value.__set__"},
        "make": {"Meta.__call__"},
        "n": {"Meta.__new__"},
        "n.make": {"Meta.__call__"},
    }


def test_what_no_text_names_is_an_edge_and_no_reference(tmp_path: Path) -> None:
    """Rows say what stands in the text, and validation compares the two."""
    (tmp_path / "m.py").write_text(
        TYPES + "def f(x=Object()):\n    x.a = x.b\n    return f'{x}' if x else None\n"
    )
    kg = build_kg([tmp_path])
    (row,) = kg.query("SELECT (COUNT(?y) AS ?n) { ?x gm:name 'f' ; gm:calls ?y }")
    assert row["n"] == 4
    named = {r["name"] for r in kg.occurrences.to_pylist() if r["relation"] == "calls"}
    assert not named & {"a", "b", "x", "__getattr__", "__setattr__", "__len__"}
    assert kg.validate().score == 1.0
