"""Types by flow, and what the standard library's functions give."""

# ruff: noqa: E501 (small programs stand on one line)

from __future__ import annotations

import pytest

from graphmer_geo.kg.facts import SourceFile
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.python import PYTHON
from graphmer_geo.kg.resolve.python.typeshed import attribute_types, is_class, results

CASES: dict[str, tuple[str, str]] = {
    "constants": ("a = 1\nb = 1.5\nc = 'x'\nd = None\ne = [1]\nf = not a\ng = 2j", "a:int b:float c:str d:None e:list f:bool g:complex"),
    "several assignments": ("a = 1\na = 'x'", "a:int a:str"),
    "class and function": ("class C: pass\ndef f(): return C\na = C()\nb = f", "a:m.C b:types.FunctionType f>type"),
    "parameter and result": ("def f(x): return x\nf(1)", "x:int f>int"),
    "falls off its end": ("def f(x):\n if x: return 1", "f>int f>None"),
    "never returns": ("def f(): raise E", ""),
    "bare return": ("def f(): return\na = f()", "a:None"),
    "field": ("class C:\n def __init__(self): self.x = 1\n def m(self): self.x = ''; return self.x", "x:int x:str m>str"),
    "generator": ("def f():\n yield 1\nfor a in f(): pass", "f>types.GeneratorType a:int"),
    "declared types stay alone": ("def f(x: int) -> int: return x\nf('')\na: str = 1", "x:int f>int a:str"),
    "arithmetic": ("a = 1 + 2\nb = 1 / 2\nc = 1 + 2.0\nd = -a\ne = 'x' * 3\nf = a < b", "a:int b:float c:float d:int e:str f:bool"),
    "library": ("a = 'x'.strip().upper()\nb = len(a)\nimport pathlib\nc = pathlib.Path('x').parent\nd = sum([1.5])", "a:str b:int c:pathlib.Path d:float"),
    "lines of a file": ("with open('x') as f:\n for a in f:\n  b = a.strip()", "f:io.TextIOWrapper a:str b:str"),
    "too many say nothing": ("def f(x): pass\nf(1)\nf('')\nf(1.5)\nf([])\nf({})", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_types_of_variables_parameters_and_results(name):
    source, expected = CASES[name]
    facts = PYTHON.extract(SourceFile("python", "p", "0", "m.py", "m"), source.encode())
    (linked,) = link_all(PYTHON, [facts])
    names = {facts.iri(i): e.name for i, e in enumerate(facts.entities)}
    signs = {"hasType": ":", "returnsType": ">"}
    found = set()
    for subject, relation, target in [
        *((o.subject, o.relation, o.target) for o in linked.occurrences),
        *((e.subject, e.relation, e.object) for e in linked.edges),
    ]:
        if relation in signs and target:
            whole = linked.externals.get(target) or f"m.{names[target]}"
            short = "None" if whole == "types.NoneType" else whole.removeprefix("builtins.")
            found.add(names[subject] + signs[relation] + short)
    assert found == set(expected.split())


def test_members_of_none_are_no_targets():
    facts = PYTHON.extract(SourceFile("python", "p", "0", "m.py", "m"), b"a = None\na.run()\n")
    (linked,) = link_all(PYTHON, [facts])
    assert not any("run" in name for name in linked.externals.values())


def test_stubs_follow_bases_and_exports():
    assert results("builtins.str.strip") == ("builtins.str",)
    assert results("pathlib.PosixPath.joinpath") == ("pathlib.PosixPath",)
    assert results("io.TextIOWrapper.read") == ("builtins.str",)  # declared for another class, re-exported
    assert results("re.compile") == ("re.Pattern",)
    assert results("re.match") == ("re.Match", "types.NoneType")
    assert attribute_types("pathlib.Path.parent") == ("pathlib.Path",)
    assert results("pathlib.Path.parent") == attribute_types("re.match") == results("nowhere.f") == ()


def test_stubs_tell_classes_from_functions_and_modules():
    names = ("itertools.count", "datetime.date", "re.compile", "os.path", "nowhere.count")
    assert [is_class(name) for name in names] == [True, True, False, False, False]
