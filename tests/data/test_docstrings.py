from __future__ import annotations

import ast
import inspect
import textwrap

import pytest

from graphmer_geo.data.docstrings import find_docstring
from graphmer_geo.data.tokenizer import decode
from tests.data.standin import SHOP

PYTHON = '''@cached(key=lambda x: x)  # def in a comment
async def fetch(url: str = "def f(): 'no'", *, sizes: dict[str, int] = {1: 2}) -> list[int]:
    # first a comment

    r"""Fetch a page, and \\d what is on it.

    More about it.
    """
    return [1]
'''


def test_python_documentation_is_found_with_its_bytes() -> None:
    code = PYTHON.encode()
    found = find_docstring(code, "python")
    assert found is not None
    assert found.summary == "Fetch a page, and \\d what is on it."
    assert found.text.endswith("More about it.")
    assert code[found.start : found.end].startswith(b'r"""Fetch')
    assert code[found.end :] == b"\n    return [1]\n"


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    return 'no documentation'\n",
        "def f(x):\n    'part' + x\n",
        "def f(x): return x",
        'def f(x):\n    f"""formatted {x}"""\n',
        'def f(x):\n    b"""bytes"""\n',
        "def f(x):\n    '''never ends",
        "def f(x",
        "lambda: 'x'",
        "",
        'def f():\n    """   """\n',
    ],
)
def test_what_is_no_documentation(code: str) -> None:
    assert find_docstring(code.encode(), "python") is None


def test_python_agrees_with_the_parser() -> None:
    """On every function of the fixture and of two modules of the standard library."""
    sources = [decode(path.read_bytes()) for path in sorted(SHOP.rglob("*.py"))]
    sources += [inspect.getsource(ast), inspect.getsource(textwrap)]
    documented = 0
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = source.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]
            code = "".join(lines)[node.col_offset :]
            found, expected = find_docstring(code.encode(), "python"), ast.get_docstring(node)
            assert (found is None) == (expected is None), code
            if found is not None and "\\" not in found.text:
                assert found.text == expected
                documented += 1
    assert documented > 20


def test_java_documentation() -> None:
    code = b"""/* licence */
/**
 * Adds an item, see {@link Shelf}.
 * Twice if <b>needed</b>.
 *
 * <p>More.
 * @param item the item
 */
@Override
public void add(Item item) { /** no */ }
"""
    found = find_docstring(code, "java")
    assert found is not None
    assert found.summary == "Adds an item, see Shelf. Twice if needed ."
    assert code[found.start : found.end].startswith(b"/**\n * Adds")
    assert code[found.end :].startswith(b"\n@Override")
    assert find_docstring(b"void f() { /** inside */ }", "java") is None
    assert find_docstring(b"/**/ void f() {}", "java") is None


def test_other_languages_have_none() -> None:
    assert find_docstring(PYTHON.encode(), "cobol") is None
