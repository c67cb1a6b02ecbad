"""Every role of an occurrence, its relation, its target, and how the target was found."""
# ruff: noqa: E501 (small programs stand on one line)

from __future__ import annotations

from graphmer_geo.kg.facts import LinkedFile, SourceFile
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.python import PYTHON


def rows(files: dict[str, str] | str, module: str = "m") -> set[tuple[str, ...]]:
    """``(name, role, relation, subject, target, how)`` of one module's references; short names."""
    texts = {"m.py": files} if isinstance(files, str) else files
    facts = [
        PYTHON.extract(SourceFile("python", "case", "0", p, PYTHON.module_name(p, t.encode())), t.encode())
        for p, t in texts.items()
    ]
    names = {f.iri(i): e.qualified_name for f in facts for i, e in enumerate(f.entities)}
    linked: LinkedFile = next(x for x in link_all(PYTHON, facts) if x.source.module == module)
    source = texts[linked.source.path].encode()
    found = set()
    for o in linked.occurrences:
        assert source[o.start : o.end].decode() == o.name
        assert source[: o.start].count(b"\n") + 1 == o.line
        assert (o.target is None) == (o.how == "unresolved")
        if o.role != "definition":
            target = "?" if o.target is None else names.get(o.target) or linked.externals[o.target]
            found.add((o.name, o.role, o.relation or "-", names[o.subject], target, o.how))
    for edge in linked.edges:
        target = names.get(edge.object) or linked.externals[edge.object]
        found.add(("", "edge", edge.relation, names[edge.subject], target, edge.how))
    return found


def test_bases_decorators_and_metaclass() -> None:
    found = rows(
        "import abc\nfrom x import d\nclass A: pass\n@d\n@d(1)\nclass B(A, abc.ABC, metaclass=M): pass\n"
    )
    assert ("A", "base", "extends", "m.B", "m.A", "exact") in found
    assert ("ABC", "base", "extends", "m.B", "abc.ABC", "exact") in found
    assert ("abc", "read", "-", "m", "abc", "exact") in found
    assert ("d", "decorator", "decoratedBy", "m.B", "x.d", "exact") in found
    assert ("d", "call", "calls", "m", "x.d", "exact") in found
    assert ("M", "read", "-", "m", "?", "unresolved") in found


def test_annotations() -> None:
    found = rows(
        "from typing import Optional, Union\nclass A: pass\nx: A\n"
        "def f(a: 'A', b: Optional[A], c: list[A], d: Union[A, None] = None, e: int | A = 1) -> 'list[A]': ...\n"
        "class C:\n y: A\n def __init__(self):\n  self.z: A = A()\n"
    )
    has = {row[2:5] for row in found if row[1] == "annotation"}
    assert has == {
        ("hasType", "m.x", "m.A"), ("hasType", "m.f.a", "m.A"), ("hasType", "m.f.b", "m.A"),
        ("hasType", "m.f.c", "builtins.list"), ("hasType", "m.f.d", "m.A"), ("hasType", "m.f.e", "builtins.int"),
        ("hasType", "m.f.e", "m.A"), ("returnsType", "m.f", "builtins.list"), ("hasType", "m.C.y", "m.A"),
        ("hasType", "m.C.z", "m.A"),
    }  # fmt: skip
    assert ("A", "type", "-", "m.f", "m.A", "exact") in found


def test_exceptions() -> None:
    found = rows(
        "import q\nclass X(Exception): pass\ndef f():\n try:\n  raise X('a')\n except (X, q.E, ValueError) as e:\n"
        "  raise q.E from e\n except OSError:\n  raise\n  raise X\n e = X()\n raise e\n"
    )
    raised = {row[3:] for row in found if row[2] == "raises"}
    assert raised == {("m.f", "m.X", "exact"), ("m.f", "q.E", "exact"), ("m.f", "m.X", "inferred")}
    caught = {row[4] for row in found if row[2] == "catches"}
    assert caught == {"m.X", "q.E", "builtins.ValueError", "builtins.OSError"}
    assert ("X", "call", "instantiates", "m.f", "m.X", "exact") in found


def test_constructor_calls_assert_two_relations() -> None:
    found = rows("class A:\n def __init__(self): pass\ndef f(): A()\n")
    assert ("A", "call", "instantiates", "m.f", "m.A", "exact") in found
    assert ("A", "call", "calls", "m.f", "m.A.__init__", "exact") in found


def test_reads_and_writes_of_variables() -> None:
    found = rows(
        "X = 1\nX = 2\ndef f():\n global X\n X = 3\n return X\n"
        "class A:\n k = X\n def __init__(self): self.v = 1\n def g(self):\n  self.v += 2\n  return self.v, self.k\n"
    )
    assert ("X", "write", "writes", "m", "m.X", "exact") in found
    assert ("X", "write", "writes", "m.f", "m.X", "exact") in found
    assert ("X", "read", "reads", "m.f", "m.X", "exact") in found
    assert ("X", "read", "reads", "m", "m.X", "exact") in found
    assert ("v", "write", "writes", "m.A.__init__", "m.A.v", "exact") in found
    assert ("v", "write", "writes", "m.A.g", "m.A.v", "exact") in found
    assert ("v", "read", "reads", "m.A.g", "m.A.v", "exact") in found
    assert ("k", "read", "reads", "m.A.g", "m.A.k", "exact") in found


def test_values_passed_around_are_references() -> None:
    found = rows("def f(): pass\nclass C: pass\ndef g(p): return h(f, C, p)\n")
    assert ("f", "read", "refersTo", "m.g", "m.f", "exact") in found
    assert ("C", "read", "refersTo", "m.g", "m.C", "exact") in found
    assert ("p", "read", "-", "m.g", "m.g.p", "exact") in found


def test_imports() -> None:
    found = rows(
        {
            "m.py": "import os.path as op, p.a\nfrom p import a, f as g, gone\nfrom p.a import *\nfrom . import q\n",
            "p/__init__.py": "from .a import f\n",
            "p/a.py": "def f(): pass\n",
        }
    )
    targets = {(row[0], row[4], row[5]) for row in found if row[1] == "import"}
    assert targets == {
        ("path", "os.path", "exact"), ("a", "p.a", "exact"), ("f", "p.a.f", "exact"), ("gone", "?", "unresolved"),
        ("p.a", "p.a", "exact"), ("q", "q", "exact"),
    }  # fmt: skip
    assert {row[3] for row in found if row[1] == "import"} == {"m"}


def test_overrides_follow_the_order() -> None:
    files = {
        "m.py": "from b import B\nclass C(B):\n def f(self): pass\n def g(self): pass\n def own(self): pass\n",
        "b.py": "class A:\n def f(self): pass\n def g(self): pass\nclass B(A):\n def f(self): pass\n",
    }
    assert {row[2:] for row in rows(files) if row[1] == "edge"} == {
        ("overrides", "m.C.f", "b.B.f", "exact"),
        ("overrides", "m.C.g", "b.A.g", "exact"),
    }
    assert {row[2:] for row in rows(files, "b") if row[1] == "edge"} == {
        ("overrides", "b.B.f", "b.A.f", "exact")
    }


def test_how_targets_were_found() -> None:
    found = rows(
        "class A:\n def f(self): self.g()\n def g(self): pass\ndef h(x: A, y):\n x.f()\n y.f()\n A.g(x)\n z = A()\n z.f()\n"
    )
    called = {(row[0], row[3], row[5]) for row in found if row[1] == "call" and row[2] == "calls"}
    assert called == {
        ("g", "m.A.f", "exact"), ("f", "m.h", "inferred"), ("f", "m.h", "unresolved"), ("g", "m.h", "exact"),
    }  # fmt: skip


def test_unresolved_makes_no_entity() -> None:
    facts = PYTHON.extract(
        SourceFile("python", "case", "0", "m.py", "m"), b"def f(x):\n x.a.b()\n unknown(x.c)\n"
    )
    (linked,) = link_all(PYTHON, [facts])
    unresolved = [o for o in linked.occurrences if o.how == "unresolved"]
    assert {o.name for o in unresolved} == {"a", "b", "c", "unknown"}
    assert all(o.target is None for o in unresolved)
    assert linked.externals == {}


def test_externals_have_qualified_names() -> None:
    facts = PYTHON.extract(
        SourceFile("python", "case", "0", "m.py", "m"), b"import os\nos.path.join(''.strip(), len)\n"
    )
    (linked,) = link_all(PYTHON, [facts])
    assert set(linked.externals.values()) >= {
        "os",
        "os.path",
        "os.path.join",
        "builtins.str.strip",
        "builtins.len",
    }
    assert set(linked.externals) == {
        o.target for o in linked.occurrences if o.target and "/external/" in o.target
    }


def test_type_call_as_target_is_no_type_alias() -> None:
    found = rows("class A: pass\ndef f(x):\n type(x).attr = A()\ntype Alias = A\n")
    assert ("type", "call", "instantiates", "m.f", "builtins.type", "exact") in found
    assert ("A", "call", "instantiates", "m.f", "m.A", "exact") in found
    assert ("A", "type", "-", "m", "m.A", "exact") in found


def test_match_statement() -> None:
    found = rows(
        "class P: pass\ndef f(v):\n match v:\n  case P(x=P() as q): q\n  case m.K: pass\n  case [a, *b]: pass\n"
    )
    assert ("P", "read", "refersTo", "m.f", "m.P", "exact") in found


def test_a_cycle_of_imports_and_bases_ends() -> None:
    files = {
        "m.py": "from b import *\nfrom b import X\nclass Y(X): pass\n",
        "b.py": "from m import *\nfrom m import Y\nclass X(Y): pass\n",
    }
    assert ("X", "base", "extends", "m.Y", "b.X", "exact") in rows(files)


def test_linking_is_deterministic() -> None:
    text = (
        "class A:\n def f(self): pass\nclass B(A):\n def f(self): super().f()\nfor x in [A(), B()]:\n x.f()\n"
    )
    assert rows(text) == rows(text)
    facts = PYTHON.extract(SourceFile("python", "case", "0", "m.py", "m"), text.encode())
    assert link_all(PYTHON, [facts]) == link_all(PYTHON, [facts])


def test_a_base_that_an_expression_chooses() -> None:
    files = {
        "m.py": "class A: pass\nclass B: pass\ndef f(): pass\nimport s\nclass C(A if s.x else B): pass\nclass D(A, f): pass\n"
    }
    assert {row[2:] for row in rows(files) if row[1] == "edge"} == {
        ("extends", "m.C", "m.A", "inferred"),
        ("extends", "m.C", "m.B", "inferred"),
    }


def test_local_variables_are_rows_and_no_entities() -> None:
    text = (
        "x = 1\ndef f(p):\n p = y = 2\n y = 3\n for z, w in p: pass\n with p as v: pass\n global x\n x = 2\n"
    )
    facts = PYTHON.extract(SourceFile("python", "case", "0", "m.py", "m"), text.encode())
    (linked,) = link_all(PYTHON, [facts])
    entities = {facts.iri(i): e.name for i, e in enumerate(facts.entities)}
    found = [o for o in linked.occurrences if o.role == "definition" and o.target not in entities]
    assert [(o.name, o.relation, entities[o.subject], o.how) for o in found] == [
        (name, None, "f", "exact") for name in "yzwv"
    ]
    assert all(
        text[o.start : o.end] == o.name and o.target == f"{o.subject}{o.name}@{o.start}" for o in found
    )


def test_an_inherited_attribute_is_written_where_it_is_declared() -> None:
    found = rows(
        "class A:\n c = 1\n def __init__(self): self.x = 1\n def g(self): pass\n"
        "class B(A):\n def f(self):\n  self.x = 2\n  self.c = 3\n  self.g = 4\n  return self.x\n"
    )
    written = {(row[0], row[4]) for row in found if row[1] == "write" and row[3] == "m.B.f"}
    assert written == {("x", "m.A.x"), ("c", "m.A.c"), ("g", "m.B.g")}
    assert ("x", "read", "reads", "m.B.f", "m.A.x", "exact") in found


def test_a_name_that_only_a_star_import_from_outside_can_bring_is_inferred() -> None:
    found = rows("from x import *\nfrom y import sure\nf()\nsure()\nlen('')\nclass A(Base): pass\n")
    assert ("f", "call", "calls", "m", "x.f", "inferred") in found
    assert ("Base", "base", "extends", "m.A", "x.Base", "inferred") in found
    assert ("sure", "call", "calls", "m", "y.sure", "exact") in found
    assert ("len", "call", "calls", "m", "builtins.len", "exact") in found


def test_a_class_that_only_its_spelling_tells_gives_guesses() -> None:
    found = rows(
        "import other, pathlib\nfrom other import Maker\ndef f(a=other.MakeName()):\n a.decode()\n return a\n"
        "def g(p=pathlib.Path()):\n p.exists()\nMaker.make()\n"
    )
    assert ("decode", "call", "calls", "m.f", "other.MakeName.decode", "heuristic") in found
    assert ("", "edge", "returnsType", "m.f", "other.MakeName", "heuristic") in found
    assert ("exists", "call", "calls", "m.g", "pathlib.Path.exists", "inferred") in found
    assert ("MakeName", "call", "calls", "m", "other.MakeName", "exact") in found
    assert ("make", "call", "calls", "m", "other.Maker.make", "exact") in found


def test_type_variables_and_aliases_are_known_and_no_types() -> None:
    found = rows(
        "from typing import TypeVar, Union\nT = TypeVar('T')\nPath = Union[str, bytes]\n"
        "def f(a: list[T], p: Path) -> T: ...\n"
    )
    assert ("T", "type", "-", "m.f.a", "m.T", "exact") in found
    assert ("T", "annotation", "-", "m.f", "m.T", "exact") in found
    assert ("Path", "annotation", "-", "m.f.p", "m.Path", "exact") in found
    assert not [row for row in found if row[0] in ("T", "Path") and row[5] == "unresolved"]


def test_a_class_does_not_inherit_from_what_inherits_from_it() -> None:
    found = rows(
        "class Form: pass\ndef outer(form=Form):\n parts = {'form': form}\n base = parts['form']\n"
        " class Own(base): pass\n parts['form'] = Own\n"
        " class Later(parts['form']): pass\n parts['form'] = Later\n return parts\n"
    )
    bases = {row[3:5] for row in found if row[2] == "extends"}
    assert ("m.outer.Own", "m.Form") in bases
    assert not {(a, b) for a, b in bases if a == b or (b, a) in bases}
