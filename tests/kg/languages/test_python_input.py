"""Files as they come: broken, empty, oddly encoded, deeply nested; and the shape of what is extracted."""
# ruff: noqa: E501 (small programs stand on one line)

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from graphmer_geo.kg.facts import Entity, FileFacts, SourceFile
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.python import PYTHON
from graphmer_geo.kg.languages.python.text import declared_encoding, parser_bytes, string_value


def facts_of(source: bytes | str, path: str = "m.py") -> FileFacts:
    data = source if isinstance(source, bytes) else source.encode()
    return PYTHON.extract(SourceFile("python", "p", "0", path, PYTHON.module_name(path, data)), data)


def entities(source: bytes | str) -> dict[str, Entity]:
    return {e.descriptor: e for e in facts_of(source).entities}


def test_empty_file() -> None:
    facts = facts_of(b"")
    assert [e.kind for e in facts.entities] == ["Module"]
    assert (facts.entities[0].start_line, facts.entities[0].end_line) == (1, 1)
    assert facts.problems == []


def test_facts_are_picklable() -> None:
    facts = facts_of("class A:\n x: int = 1\n def f(self, a=1): return lambda: a\n")
    assert pickle.loads(pickle.dumps(facts)) == facts


def test_module_names() -> None:
    names = {
        p: PYTHON.module_name(p, b"") for p in ("a.py", "a/__init__.py", "a/b.py", "__init__.py", "a/b.pyi")
    }
    assert names == {
        "a.py": "a", "a/__init__.py": "a", "a/b.py": "a.b", "__init__.py": "__init__", "a/b.pyi": "a.b",
    }  # fmt: skip


def test_package_flag() -> None:
    assert facts_of(b"", "p/__init__.py").entities[0].literals == {"isPackage": True}
    assert facts_of(b"", "p/x.py").entities[0].literals == {}


@pytest.mark.parametrize(
    "broken",
    [
        "def f(:\n    pass\n",
        "class A(\n    def g(self): pass\n",
        "x = (1,\n",
        "def ok(): pass\n)))\n",
        "if x\n    y()\n",
        "@\ndef f(): pass\n",
        "class :\n pass\n",
        "lambda x y: 1\n",
        "'unterminated\n",
        "\x00\x01\x02",
        "f(**, *)\n",
        "from import x\nimport\n",
        "for in :\n pass\n",
        "print 'python 2'\nexec 'x'\nraise E, 'x'\nexcept E, e:\n pass\n",
        "def f((a, b), c): pass\n",
        "match x:\n case\n",
        "a.\n.b\na..b\n",
    ],
)
def test_broken_code_gives_partial_facts(broken: str) -> None:
    facts = facts_of("def before(): pass\n" + broken + "\n\ndef after(): pass\n")
    assert facts.entities[0].kind == "Module"
    assert "before" in {e.name for e in facts.entities}
    assert all(e.parent < i for i, e in enumerate(facts.entities))
    link_all(PYTHON, [facts])


def test_a_syntax_error_is_listed_with_its_line() -> None:
    facts = facts_of("def f():\n    pass\n\nx = = 1\n\ndef g():\n    pass\n")
    assert {"f", "g"} <= {e.name for e in facts.entities}
    assert [p.line for p in facts.problems] == [4]
    assert "syntax error" in facts.problems[0].message


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 3000 + "1" + ")" * 3000,
        "x = " + "-" * 3000 + "1",
        "x = " + " + ".join(["a"] * 5000),
        "x = a" + ".b" * 3000,
        "x = a" + "()" * 3000,
        "x = " + "lambda: " * 1000 + "1",
        "".join(" " * i + "if x:\n" for i in range(400)) + " " * 400 + "f()\n",
        "".join(" " * i + "def f():\n" for i in range(400)) + " " * 400 + "f()\n",
        "".join(" " * i + "class A:\n" for i in range(400)) + " " * 400 + "f()\n",
        "x: " + "list[" * 1000 + "int" + "]" * 1000 + " = 1",
        "a, " * 3000 + "b = 1",
        "a = " * 3000 + "1",
        "x = not " * 1 + "not " * 3000 + "y",
        "x = y if z else " * 2000 + "1",
        "if a:\n pass\n" + "elif b:\n pass\n" * 3000,
    ],
    ids=range(15),
)
def test_deep_nesting_is_bounded(source: str) -> None:
    facts = facts_of(source + "\n\n\ndef after(): pass\n")
    link_all(PYTHON, [facts])
    assert facts.entities[0].kind == "Module"


def test_long_sums_are_followed_to_the_end() -> None:
    facts = facts_of("def f(): pass\nx = " + " + ".join(["f()"] * 2000))
    assert sum(site.role == "call" for site in facts.syntax.sites) == 2000
    assert facts.problems == []


# -- encodings -------------------------------------------------------------------------------------


def test_byte_order_mark() -> None:
    source = b"\xef\xbb\xbfdef f(): pass\n"
    found = entities(source)["f()."]
    assert source[found.name_start : found.name_end] == b"f"
    assert (found.start, found.start_line) == (3, 1)


def test_latin_1_cookie() -> None:
    source = "# -*- coding: latin-1 -*-\n'''Gr\xfc\xdfe'''\ndef f\xfcr(): pass\n".encode("latin-1")
    facts = facts_of(source)
    found = facts.entities[1]
    assert found.name == "f\xfcr"
    assert source[found.name_start : found.name_end] == b"f\xfcr"
    assert facts.entities[0].literals["docstring"] == "Gr\xfc\xdfe"
    assert facts.problems == []


def test_shift_jis_keeps_offsets() -> None:
    source = "# coding: shift_jis\nx = '\u8868\u793a'\ndef g(): pass\n".encode("shift_jis")
    found = {e.name: e for e in facts_of(source).entities}
    assert source[found["g"].name_start : found["g"].name_end] == b"g"
    assert facts_of(source).problems == []


def test_invalid_utf_8_is_reported() -> None:
    facts = facts_of(b"def f(): pass\n# \xff\xfe\nx = '\xff'\ndef g(): pass\n")
    assert [p.message for p in facts.problems] == ["invalid UTF-8 at byte 16"]
    assert {"f", "g"} <= {e.name for e in facts.entities}


@pytest.mark.parametrize(
    ("source", "encoding"),
    [
        (b"", "utf-8"),
        (b"# coding: latin-1", "iso8859-1"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n", "cp1252"),
        (b"x = 1\n# coding: latin-1", "utf-8"),
        (b"\n\n# coding: latin-1", "utf-8"),
    ],
)
def test_declared_encoding(source: bytes, encoding: str) -> None:
    assert declared_encoding(source) == (encoding, None)


def test_unknown_encoding_is_reported() -> None:
    facts = facts_of("# coding: no-such-thing\nä = 1\ndef f(): pass\n".encode())
    assert [(p.line, p.message) for p in facts.problems] == [(1, "unknown encoding 'no-such-thing'")]
    assert {"ä", "f"} <= {e.name for e in facts.entities}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "latin-1", "shift_jis", "euc_jp", "gb18030", "cp1252", "utf-16", "hex"]
)
def test_parser_bytes_keep_length(encoding: str) -> None:
    source = bytes(range(256)) * 2
    parsed, _ = parser_bytes(source, encoding)
    assert len(parsed) == len(source)
    parsed.decode("utf-8")


@pytest.mark.parametrize(
    "literal",
    [
        "'a'",
        '"a"',
        "'''a\nb'''",
        '"""x\\"y"""',
        r"'\n\t\\\x41\u00e9\101'",
        r"r'\n'",
        "u'x'",
        r"'\q'",
        "'a\\\nb'",
        "''",
    ],
)
def test_string_value_equals_python(literal: str) -> None:
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert string_value(literal) == ast.literal_eval(literal)


@pytest.mark.parametrize("literal", ["b'x'", "f'x'", "1", "'", "x"])
def test_what_is_no_plain_string_has_no_value(literal: str) -> None:
    assert string_value(literal) is None


# -- entities --------------------------------------------------------------------------------------


def test_redefinitions_stay_apart() -> None:
    found = entities(
        "if x:\n def f(): pass\nelse:\n def f(): pass\nclass C:\n @property\n def p(self): pass\n"
        " @p.setter\n def p(self, v): pass\nclass C: pass\n"
    )
    assert {"f().", "f(+1).", "C#", "C#p().", "C#p(+1).", "C#p(+1).(v)", "C(+1)#"} <= set(found)
    assert found["f(+1)."].qualified_name == found["f()."].qualified_name == "m.f"


def test_lambdas_are_counted_in_their_scope() -> None:
    found = entities(
        "a = lambda: (lambda: 1)\nb = [lambda: 1 for _ in x]\nclass C:\n k = lambda s: s\n"
        " def m(self, d=lambda: 1): return lambda: 2\n"
    )
    assert {d for d, e in found.items() if e.kind == "Lambda"} == {
        "<lambda1>().", "<lambda1>().<lambda1>().", "<lambda2>().", "C#<lambda1>().", "C#<lambda2>().",
        "C#m().<lambda1>().",
    }  # fmt: skip
    assert found["C#m().<lambda1>()."].qualified_name == "m.C.m.<lambda1>"


def test_nested_definitions_have_no_locals_in_their_names() -> None:
    found = entities("def f():\n class A:\n  def g(self):\n   def h(): pass\n")
    assert found["f().A#g().h()."].qualified_name == "m.f.A.g.h"
    assert found["f().A#g().h()."].kind == "Function"


def test_fields_and_globals() -> None:
    found = entities(
        "X = Y = 1\nZ: int\nfor i in x: pass\ndef f():\n global W\n W = 1\n local = 2\n"
        "class A:\n c = 1\n d: int\n def __init__(self, v):\n  self.c = v\n  self.e: int = v\n  self.g, other.h = v\n"
    )
    kinds = {d: e.kind for d, e in found.items()}
    assert {d for d, k in kinds.items() if k == "GlobalVariable"} == {"X.", "Y.", "Z.", "i.", "W."}
    assert {d for d, k in kinds.items() if k == "Field"} == {"A#c.", "A#d.", "A#e.", "A#g."}


def test_parameters() -> None:
    found = entities("def f(a, /, b: int, c=1, *args: str, d, e: int = 2, **kw): pass\n")
    rows = [e for e in found.values() if e.kind == "Parameter"]
    assert [(e.name, e.literals["parameterKind"], e.literals["parameterIndex"]) for e in rows] == [
        ("a", "positionalOnly", 0), ("b", "positionalOrKeyword", 1), ("c", "positionalOrKeyword", 2),
        ("args", "varPositional", 3), ("d", "keywordOnly", 4), ("e", "keywordOnly", 5), ("kw", "varKeyword", 6),
    ]  # fmt: skip
    assert {e.name: e.literals["defaultText"] for e in rows if e.literals.get("hasDefault")} == {
        "c": "1",
        "e": "2",
    }


def test_flags() -> None:
    found = entities(
        "import abc, typing\nclass A(abc.ABC):\n @staticmethod\n def s(): pass\n @classmethod\n def c(cls): pass\n"
        " @property\n def p(self): pass\n @abc.abstractmethod\n def a(self): pass\n @typing.overload\n def o(self): ...\n"
        " async def co(self): yield 1\n def _x(self): pass\n def __y(self): pass\n def __len__(self): pass\n"
    )
    flags = {
        e.name: {k: v for k, v in e.literals.items() if k != "signature"}
        for e in found.values()
        if e.kind == "Method"
    }
    assert flags == {
        "s": {"isStatic": True}, "c": {"isClassMethod": True}, "p": {"isProperty": True}, "a": {"isAbstract": True},
        "o": {"isOverload": True}, "co": {"isAsync": True, "isGenerator": True}, "_x": {"visibility": "protected"},
        "__y": {"visibility": "private"}, "__len__": {},
    }  # fmt: skip
    assert found["A#"].literals == {"isAbstract": True, "signature": "(abc.ABC)"}


def test_what_is_written_is_kept() -> None:
    source = (
        "import a.b, c as d\nfrom ..x . y import (z as w, # why\n v)\nfrom . import *\nimport a.b\n"
        "@(deco)\n@tools[0].mark\n@make()()\n"
        "def f(a: 'A  B', # first\n  b={'k': 1}) -> int: pass\nclass C(A[int], # base\n metaclass=M): pass\n"
    )
    facts = facts_of(source)
    found = {e.descriptor: e.literals.get("signature") for e in facts.entities}
    assert found["f()."] == "(a: 'A  B', b={'k': 1}) -> int"
    assert found["C#"] == "(A[int], metaclass=M)"
    assert facts.entities[0].literals["importText"] == [
        "import a.b", "import c as d", "from ..x.y import z as w", "from ..x.y import v", "from . import *",
    ]  # fmt: skip
    decorators = [site.name for site in facts.syntax.sites if site.role == "decorator"]
    assert decorators == ["deco", "mark", "make()()"]


def test_a_caught_exception_is_a_variable_of_its_module() -> None:
    assert entities("try: pass\nexcept E as caught: pass\n")["caught."].kind == "GlobalVariable"


def test_spans_include_decorators_and_exclude_trailing_comments() -> None:
    source = "@d\n@e(1)\ndef f():\n    pass\n    # behind\n\n# more\nx = 1\n"
    found = entities(source)["f()."]
    assert source[found.start : found.end] == "@d\n@e(1)\ndef f():\n    pass"
    assert (found.start_line, found.end_line) == (1, 4)
    assert source[found.name_start : found.name_end] == "f"


@pytest.mark.parametrize(
    ("source", "spans"),
    [
        (b"def f():\r    pass\rdef g():\r    return 1\r", [b"def f():\r    pass", b"def g():\r    return 1"]),
        (b"def f():\r\n    pass\r\ndef g(): pass", [b"def f():\r\n    pass", b"def g(): pass"]),
        (b"x\x0c\ndef f(): pass\n\x0cdef g(): pass\n", [b"def f(): pass", b"def g(): pass"]),
        (b"def f(): pass;\ndef g(): pass; pass; # c\n", [b"def f(): pass;", b"def g(): pass; pass;"]),
        (b"if x:\n    def f(): pass\\\n\ndef g(): pass", [b"def f(): pass", b"def g(): pass"]),
        (b"def f(): pass\n\x00\ndef g(): pass\n", [b"def f(): pass", b"def g(): pass"]),
        (
            b"print >>a, 'b'\ndef f():\n  exec 'x' in y\ndef g(): print 1",
            [b"def f():\n  exec 'x' in y", b"def g(): print 1"],
        ),
        (
            b"\xef\xbb\xbf# coding: latin-1\ndef f(): pass\ndef g(): pass",
            [b"def f(): pass", b"def g(): pass"],
        ),
    ],
    ids=["CR", "CR LF", "form feed", "semicolon", "continued", "NUL", "Python 2", "BOM and cookie"],
)
def test_definitions_in_odd_files(source: bytes, spans: list[bytes]) -> None:
    facts = facts_of(source)
    assert [source[e.start : e.end] for e in facts.entities if e.kind == "Function"] == spans


def test_lines_in_brackets_may_begin_anywhere() -> None:
    source = (
        "class C:\n    def f(self):\n        return (self. # )\n  g(')#\\'', [\n]))\n    def g(self): pass\n"
    )
    facts = facts_of(source)
    assert facts.problems == []
    assert [e.descriptor for e in facts.entities if e.kind == "Method"] == ["C#f().", "C#g()."]
    assert next(site.line for site in facts.syntax.sites if site.name == "g") == 4


def test_docstring_of_several_literals() -> None:
    assert entities("def f():\n    'one ' r'two' ''\n")["f()."].literals["docstring"] == "one two"
    assert "docstring" not in entities("def f():\n    'one ' f'{two}'\n")["f()."].literals


def test_nonlocal_binds_in_the_function_around_it() -> None:
    found = entities("def f():\n def g():\n  nonlocal a\n  a = 1\n del a\n")
    assert {e.kind for e in found.values()} == {"Module", "Function"}


def test_any_bytes_are_survived() -> None:
    """Random damage to real code never raises, and what is kept is consistent."""
    import random

    source = Path(__file__).read_bytes()
    random_ = random.Random(0)
    for _ in range(300):
        start = random_.randrange(len(source) - 900)
        damaged = bytearray(source[start : start + 900])
        for _ in range(12):
            damaged[random_.randrange(len(damaged))] = random_.choice(b"():[]{}\"'\\\n \t#=*@,.\x00\xff")
        facts = facts_of(bytes(damaged))
        link_all(PYTHON, [facts])
        assert len({e.descriptor for e in facts.entities}) == len(facts.entities)
        for entity in facts.entities[1:]:
            parent = facts.entities[entity.parent]
            assert parent.start <= entity.start <= entity.name_start <= entity.name_end <= parent.end
            assert entity.name_end <= entity.end <= parent.end
