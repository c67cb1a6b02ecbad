"""One small program per mechanism of the call graph; the edges were written by hand."""
# ruff: noqa: E501 (small programs stand on one line)

from __future__ import annotations

import pytest

from graphmer_geo.kg.facts import LinkedFile, SourceFile
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.python import PYTHON

CASES: dict[str, tuple[dict[str, str], str]] = {
    "partial application": (
        {
            "m.py": "from functools import partial\ndef f(a, x): x()\ndef g(): pass\np = partial(f, 1)\np(g)\npartial(f, x=g)(2)"
        },
        "m>functools.partial m>m.f m.f>m.g",
    ),
    "partial of a method": (
        {
            "m.py": "from functools import partial\nclass A:\n def f(self, x): x()\ndef g(): pass\npartial(A().f, g)()"
        },
        "m>functools.partial m>m.A.f m.A.f>m.g",
    ),
    "made constructor": (
        {
            "m.py": "from dataclasses import dataclass\n@dataclass\nclass A:\n x: int\n f: object\n def g(self): self.f()\ndef h(): pass\nA(1, h).g()"
        },
        "m>m.A.g m.A.g>m.h",
    ),
    "named tuple": (
        {
            "m.py": "from typing import NamedTuple\nclass A(NamedTuple):\n f: object\ndef h(): pass\nA(f=h).f()"
        },
        "m>m.h",
    ),
    "attributes that a method answers": (
        {"m.py": "def f(): pass\nclass A:\n def __getattr__(self, n): return f\nA().x()"},
        "m>m.f m>m.A.__getattr__",
    ),
    "descriptor": (
        {
            "m.py": "def f(): pass\nclass D:\n def __get__(self, o, t=None): return f\nclass A:\n x = D()\nA().x()"
        },
        "m>m.f m>m.D.__get__",
    ),
    "default factory": (
        {
            "m.py": "from collections import defaultdict\ndef f(): return g\ndef g(): pass\nd = defaultdict(f)\nd['a']()"
        },
        "m>collections.defaultdict m>m.f m>m.g",
    ),
    "self as a result": (
        {
            "m.py": "from typing import Self\nclass A:\n def f(self) -> Self: return self\n def g(self): pass\nA().f().g()"
        },
        "m>m.A.f m>m.A.g",
    ),
    "globals by name": ({"m.py": "def f(): pass\nglobals()['f']()"}, "m>builtins.globals m>m.f"),
    "built-in functions ask": (
        {"m.py": "class A:\n def __len__(self): return 1\n def __str__(self): return ''\nlen(A())\nstr(A())"},
        "m>builtins.len m>builtins.str m>m.A.__len__ m>m.A.__str__",
    ),
    "submodule imported by its package": (
        {"a/__init__.py": "from . import b", "a/b.py": "def f(): pass", "m.py": "import a\na.b.f()"},
        "m>a.b.f",
    ),
    "direct": ({"m.py": "def f(): pass\nf()"}, "m>m.f"),
    "later definition": ({"m.py": "def g(): f()\ndef f(): pass"}, "m.g>m.f"),
    "assigned": ({"m.py": "def f(): pass\na = f\nb = a\nb()"}, "m>m.f"),
    "chained": ({"m.py": "def f(): pass\ndef g(): pass\na = b = f\nb()\na = b = g"}, "m>m.f"),
    "reassigned": ({"m.py": "def f(): pass\ndef g(): pass\na = f\na = g\na()"}, "m>m.g"),
    "an instance that is its own call": (
        {"m.py": "class C: pass\nC.__call__ = C()\nC()()\ndef f(): pass\nf()"},
        "m>m.f",
    ),
    "both branches": (
        {"m.py": "def f(): pass\ndef g(): pass\nif x:\n a = f\nelse:\n a = g\na()"},
        "m>m.f m>m.g",
    ),
    "branch that returns": (
        {"m.py": "def f(): pass\ndef g(): pass\ndef h(x):\n a = f\n if x:\n  a = g\n  return\n a()"},
        "m.h>m.f",
    ),
    "loop carries values": (
        {"m.py": "def f(): pass\ndef g(): pass\ndef h():\n a = f\n while 1:\n  a()\n  a = g"},
        "m.h>m.f m.h>m.g",
    ),
    "try and except": ({"m.py": "def f(): pass\ntry:\n a = f\nexcept E:\n a = None\na()"}, "m>m.f"),
    "closure sees every value": (
        {"m.py": "def f(): pass\ndef g(): pass\na = f\ndef h(): a()\nh()\na = g"},
        "m>m.h m.h>m.f m.h>m.g",
    ),
    "tuple": ({"m.py": "def f(): pass\ndef g(): pass\na, (b, c) = f, (g, f)\nb()"}, "m>m.g"),
    "starred": (
        {"m.py": "def f(): pass\ndef g(): pass\ndef h(): pass\na, *b, c = f, g, h, f\nb[1]()\nc()"},
        "m>m.h m>m.f",
    ),
    "walrus": ({"m.py": "def f(): pass\nif (a := f):\n a()"}, "m>m.f"),
    "returned": ({"m.py": "def f(): pass\ndef g(): return f\ng()()"}, "m>m.g m>m.f"),
    "returned twice": (
        {"m.py": "def a():\n def b():\n  def c(): pass\n  return c\n return b\na()()()"},
        "m>m.a m>m.a.b m>m.a.b.c",
    ),
    "parameter": ({"m.py": "def f(): pass\ndef g(x): x()\ng(f)"}, "m>m.g m.g>m.f"),
    "keyword": ({"m.py": "def f(): pass\ndef g(x, y): y()\ng(y=f, x=g)"}, "m>m.g m.g>m.f"),
    "default": ({"m.py": "def f(): pass\ndef g(x=f): x()"}, "m.g>m.f"),
    "star arguments": ({"m.py": "def f(): pass\ndef g(*a): a[1]()\ng(1, f)"}, "m>m.g m.g>m.f"),
    "spread arguments": ({"m.py": "def f(): pass\ndef g(a, b): b()\ng(*[1, f])"}, "m>m.g m.g>m.f"),
    "keyword arguments": ({"m.py": "def f(): pass\ndef g(**k): k['x']()\ng(x=f)"}, "m>m.g m.g>m.f"),
    "spread keywords": ({"m.py": "def f(): pass\ndef g(x): x()\ng(**{'x': f})"}, "m>m.g m.g>m.f"),
    "identity stays apart": (
        {"m.py": "def f(): pass\ndef g(): pass\ndef i(x): return x\na = i(f)\nb = i(g)\na()"},
        "m>m.i m>m.f",
    ),
    "field set by a name that arrives late": (
        {
            "m.py": "class C:\n def set(self, k, v): setattr(self, k, v)\n def get(self): self.x()\ndef f(): pass\nc = C()\nc.get()\nc.set('x', f)"
        },
        "m>m.C.get m>m.C.set m.C.get>m.f m.C.set>builtins.setattr",
    ),
    "lambda": ({"m.py": "def f(): pass\nx = lambda y: y()\nx(f)"}, "m>m.<lambda1> m.<lambda1>>m.f"),
    "closure": (
        {"m.py": "def o(x):\n def i(): x()\n return i\ndef f(): pass\no(f)()"},
        "m>m.o m>m.o.i m.o.i>m.f",
    ),
    "nonlocal": (
        {"m.py": "def f(): pass\ndef o():\n a = None\n def s():\n  nonlocal a\n  a = f\n s()\n a()"},
        "m.o>m.o.s m.o>m.f",
    ),
    "global": ({"m.py": "def f(): pass\na = None\ndef s():\n global a\n a = f\na()"}, "m>m.f"),
    "class scope is not seen in methods": (
        {"m.py": "def f(): pass\nclass C:\n def f(self): pass\n def g(self): f()"},
        "m.C.g>m.f",
    ),
    "comprehension": ({"m.py": "def f(): pass\nxs = [f for _ in y]\nxs[0]()"}, "m>m.f"),
    "comprehension scope": (
        {"m.py": "def f(): pass\ndef g(): pass\nx = f\n[x() for x in [g]]\nx()"},
        "m>m.g m>m.f",
    ),
    "method": ({"m.py": "class C:\n def f(self): pass\nC().f()"}, "m>m.C.f"),
    "constructor": (
        {"m.py": "class C:\n def __init__(self): self.f()\n def f(self): pass\nC()"},
        "m>m.C.__init__ m.C.__init__>m.C.f",
    ),
    "self without instances": (
        {"m.py": "class C:\n def f(self): self.g()\n def g(self): pass"},
        "m.C.f>m.C.g",
    ),
    "instance attribute": (
        {
            "m.py": "def f(): pass\nclass C:\n def __init__(self, x): self.x = x\n def g(self): self.x()\nC(f).g()"
        },
        "m>m.C.__init__ m>m.C.g m.C.g>m.f",
    ),
    "class attribute": ({"m.py": "def f(): pass\nclass C:\n x = f\nC.x()"}, "m>m.f"),
    "attribute set from outside": (
        {"m.py": "def f(): pass\nclass C: pass\nc = C()\nc.x = f\nc.x()"},
        "m>m.f",
    ),
    "classmethod": (
        {"m.py": "class C:\n @classmethod\n def f(cls): cls.g()\n @staticmethod\n def g(): pass\nC.f()"},
        "m>m.C.f m.C.f>m.C.g",
    ),
    "factory": (
        {"m.py": "class C:\n @classmethod\n def make(cls): return cls()\n def f(self): pass\nC.make().f()"},
        "m>m.C.make m>m.C.f",
    ),
    "inherited": ({"m.py": "class A:\n def f(self): pass\nclass B(A): pass\nB().f()"}, "m>m.A.f"),
    "inherited constructor": (
        {"m.py": "class A:\n def __init__(self): pass\nclass B(A): pass\nB()"},
        "m>m.A.__init__",
    ),
    "base calls child": (
        {"m.py": "class A:\n def f(self): self.g()\nclass B(A):\n def g(self): pass\nB().f()"},
        "m>m.A.f m.A.f>m.B.g",
    ),
    "C3": (
        {
            "m.py": "class A:\n def f(self): pass\nclass B(A): pass\nclass C(A):\n def f(self): pass\n"
            "class D(B, C): pass\nD().f()"
        },
        "m>m.C.f",
    ),
    "super": (
        {"m.py": "class A:\n def f(self): pass\nclass B(A):\n def f(self): super().f()\nB().f()"},
        "m>m.B.f m.B.f>m.A.f m.B.f>builtins.super",
    ),
    "super follows the receiver's order": (
        {
            "m.py": "class R:\n def f(self): pass\nclass A(R):\n def f(self): super().f()\nclass B(R):\n"
            " def f(self): pass\nclass C(A, B): pass\nC().f()"
        },
        "m>m.A.f m.A.f>m.B.f m.A.f>builtins.super",
    ),
    "old super": (
        {"m.py": "class A:\n def f(self): pass\nclass B(A):\n def f(self): super(B, self).f()\nB().f()"},
        "m>m.B.f m.B.f>m.A.f m.B.f>builtins.super",
    ),
    "call method": ({"m.py": "class C:\n def __call__(self): pass\nC()()"}, "m>m.C.__call__"),
    "property": (
        {"m.py": "def f(): pass\nclass C:\n @property\n def p(self): return f\nC().p()"},
        "m>m.C.p m>m.f",
    ),
    "decorator returns the function": ({"m.py": "def d(f): return f\n@d\ndef g(): pass\ng()"}, "m>m.d m>m.g"),
    "decorator returns a wrapper": (
        {"m.py": "def d(f):\n def w(): f()\n return w\n@d\ndef g(): pass\ng()"},
        "m>m.d m>m.d.w m.d.w>m.g",
    ),
    "decorator factory": (
        {"m.py": "def d(x):\n def i(f): return f\n return i\n@d(1)\ndef g(): pass\ng()"},
        "m>m.d m>m.d.i m>m.g",
    ),
    "functools.wraps": (
        {
            "m.py": "import functools\ndef d(f):\n @functools.wraps(f)\n def w(): f()\n return w\n@d\ndef g(): pass\ng()"
        },
        "m>m.d m>m.d.w m.d.w>m.g m.d>functools.wraps",
    ),
    "list": ({"m.py": "def f(): pass\ndef g(): pass\na = [f, [g]]\na[1][0]()"}, "m>m.g"),
    "negative index": ({"m.py": "def f(): pass\ndef g(): pass\na = [f, g]\na[-1]()"}, "m>m.g"),
    "append": ({"m.py": "def f(): pass\na = []\na.append(f)\na[0]()"}, "m>m.f m>builtins.list.append"),
    "slice": ({"m.py": "def f(): pass\ndef g(): pass\na = [f, g][1:]\na[0]()"}, "m>m.g"),
    "dict": ({"m.py": "def f(): pass\ndef g(): pass\nd = {'a': f, 'b': g}\nd['b']()"}, "m>m.g"),
    "dict item replaced": (
        {"m.py": "def f(): pass\ndef g(): pass\nd = {'a': f}\nd['a'] = g\nd['a']()"},
        "m>m.g",
    ),
    "dict updated": (
        {"m.py": "def f(): pass\ndef g(): pass\nd = {'a': f}\nd.update({'a': g})\nd['a']()"},
        "m>m.g m>builtins.dict.update",
    ),
    "equal keys": ({"m.py": "def f(): pass\nd = {1: f}\nd[True]()"}, "m>m.f"),
    "key from a parameter": (
        {"m.py": "def f(): pass\ndef g(): pass\nd = {'a': f, 'b': g}\ndef h(k): d[k]()\nh('b')"},
        "m>m.h m.h>m.g",
    ),
    "values": ({"m.py": "def f(): pass\nfor x in {'a': f}.values():\n x()"}, "m>m.f m>builtins.dict.values"),
    "items": ({"m.py": "def f(): pass\nfor k, x in {'a': f}.items():\n x()"}, "m>m.f m>builtins.dict.items"),
    "for": ({"m.py": "def f(): pass\nfor x in [f]:\n x()"}, "m>m.f"),
    "iterator protocol": (
        {"m.py": "class C:\n def __iter__(self): return self\n def __next__(self): pass\nfor x in C(): pass"},
        "m>m.C.__iter__ m>m.C.__next__",
    ),
    "generator": ({"m.py": "def f(): pass\ndef g(): yield f\nfor x in g():\n x()"}, "m>m.g m>m.f"),
    "with": (
        {
            "m.py": "class C:\n def __enter__(self): return self\n def __exit__(self, *a): pass\n def f(self): pass\n"
            "with C() as c:\n c.f()"
        },
        "m>m.C.__enter__ m>m.C.__exit__ m>m.C.f",
    ),
    "operators": (
        {"m.py": "class C:\n def __add__(self, o): pass\n def __eq__(self, o): pass\nC() + C()\nC() == C()"},
        "m>m.C.__add__ m>m.C.__eq__",
    ),
    "raise makes an instance": (
        {"m.py": "class E(Exception):\n def __init__(self): pass\nraise E"},
        "m>m.E.__init__",
    ),
    "map": ({"m.py": "def f(x): pass\nlist(map(f, [1]))"}, "m>m.f m>builtins.map m>builtins.list"),
    "sort key": ({"m.py": "def f(x): pass\nsorted([1], key=f)"}, "m>m.f m>builtins.sorted"),
    "getattr": ({"m.py": "class C:\n def f(self): pass\ngetattr(C(), 'f')()"}, "m>m.C.f m>builtins.getattr"),
    "eval": ({"m.py": "def f(): pass\neval('f()')"}, "m>m.f m>builtins.eval"),
    "partial": (
        {"m.py": "import functools\ndef f(): pass\nfunctools.partial(f, 1)()"},
        "m>m.f m>functools.partial",
    ),
    "string method": ({"m.py": "', '.join([]).strip()"}, "m>builtins.str.join m>builtins.str.strip"),
    "annotated parameter": ({"m.py": "class C:\n def f(self): pass\ndef g(c: 'C'): c.f()"}, "m.g>m.C.f"),
    "optional parameter": (
        {"m.py": "from typing import Optional\nclass C:\n def f(self): pass\ndef g(c: Optional[C]): c.f()"},
        "m.g>m.C.f",
    ),
    "annotated return": (
        {"m.py": "class C:\n def f(self): pass\ndef g() -> C: ...\ng().f()"},
        "m>m.g m>m.C.f",
    ),
    "await": (
        {"m.py": "def f(): pass\nasync def g(): return f\nasync def h(): (await g())()"},
        "m.h>m.g m.h>m.f",
    ),
    "import": ({"m.py": "import a\na.f()", "a.py": "def f(): pass"}, "m>a.f"),
    "import as": (
        {"m.py": "import p.a as x\nx.f()", "p/__init__.py": "", "p/a.py": "def f(): pass"},
        "m>p.a.f",
    ),
    "import submodule": (
        {"m.py": "import p.a\np.a.f()", "p/__init__.py": "", "p/a.py": "def f(): pass"},
        "m>p.a.f",
    ),
    "namespace package": ({"m.py": "from p import a\na.f()", "p/a.py": "def f(): pass"}, "m>p.a.f"),
    "from import": ({"m.py": "from a import f as g\ng()", "a.py": "def f(): pass"}, "m>a.f"),
    "re-export": (
        {"m.py": "from p import f\nf()", "p/__init__.py": "from .a import f", "p/a.py": "def f(): pass"},
        "m>p.a.f",
    ),
    "from dot": (
        {"p/__init__.py": "", "p/b.py": "from . import a\na.f()", "p/a.py": "def f(): pass"},
        "p.b>p.a.f",
    ),
    "two dots": (
        {
            "p/__init__.py": "",
            "p/a.py": "def f(): pass",
            "p/q/__init__.py": "",
            "p/q/b.py": "from ..a import f\nf()",
        },
        "p.q.b>p.a.f",
    ),
    "star": ({"m.py": "from a import *\nf()\n_g()", "a.py": "def f(): pass\ndef _g(): pass"}, "m>a.f"),
    "star with __all__": (
        {"m.py": "from a import *\n_g()", "a.py": "__all__ = ['_g']\ndef _g(): pass"},
        "m>a._g",
    ),
    "cyclic import": (
        {"a.py": "import b\ndef f(): b.g()", "b.py": "import a\ndef g(): a.f()"},
        "a.f>b.g b.g>a.f",
    ),
    "dynamic import": (
        {"m.py": "__import__('a').f()", "a.py": "def f(): pass"},
        "m>a.f m>builtins.__import__",
    ),
    "script folder": ({"s/m.py": "from a import f\nf()", "s/a.py": "def f(): pass"}, "s.m>s.a.f"),
    "external": (
        {"m.py": "import os.path\nfrom x import y as z\nos.path.join('a')\nz.w()"},
        "m>os.path.join m>x.y.w",
    ),
    "external instance": ({"m.py": "from x import Cls\nc = Cls()\nc.f()"}, "m>x.Cls m>x.Cls.f"),
    "external base": ({"m.py": "from x import B\nclass C(B): pass\nC().f()"}, "m>x.B.f"),
    "unknown stays unknown": ({"m.py": "def f(x): x.y()\nnowhere()"}, ""),
}


def link(files: dict[str, str]) -> list[LinkedFile]:
    facts = []
    for path, text in files.items():
        source = text.encode()
        file = SourceFile("python", "case", "0", path, PYTHON.module_name(path, source))
        facts.append(PYTHON.extract(file, source))
    return link_all(PYTHON, facts)


def calls(files: dict[str, str]) -> set[str]:
    """``caller>callee`` for every call, by qualified name; a class stands for itself only if it is external."""
    facts = [
        PYTHON.extract(SourceFile("python", "case", "0", p, PYTHON.module_name(p, t.encode())), t.encode())
        for p, t in files.items()
    ]
    names = {f.iri(i): e.qualified_name for f in facts for i, e in enumerate(f.entities)}
    found = set()
    for linked in link_all(PYTHON, facts):
        edges = [(o.subject, o.relation, o.target) for o in linked.occurrences if o.target]
        edges += [(e.subject, e.relation, e.object) for e in linked.edges]
        for subject, relation, target in edges:
            if relation == "calls" or (relation == "instantiates" and target in linked.externals):
                found.add(f"{names[subject]}>{names.get(target) or linked.externals[target]}")
    return found


@pytest.mark.parametrize("case", CASES)
def test_mechanism(case: str) -> None:
    files, expected = CASES[case]
    assert calls(files) == set(expected.split())


def test_long_chains_of_merged_dictionaries_are_followed() -> None:
    """The key becomes known when all of them are merged already."""
    count = 1500
    source = (
        "".join(f"def k{i}(a):\n x = [a]\n return x[0]\n" for i in range(10)) + "def f(): pass\nd0 = {}\n"
    )
    source += "".join(f"d{i} = {{}}\nd{i}.update(d{i - 1})\n" for i in range(1, count))
    key = "".join(f"k{i}(" for i in range(10)) + "'k'" + ")" * 10
    source += f"d0[{key}] = f\ng = d{count - 1}['k']\ng()\n"
    assert "m>m.f" in calls({"m.py": source})
