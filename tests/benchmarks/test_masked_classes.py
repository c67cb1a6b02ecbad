"""Classes of tokens, against Python's own tokenizer and by hand for Java."""

from __future__ import annotations

import io
import keyword
import tokenize
from pathlib import Path

import numpy as np
import pytest

from benchmarks.masked.classes import CLASSES, classes_of, classify
from graphmer_geo.data import DataConfig, DataFolder, prepare
from graphmer_geo.errors import UserError
from tests.data.standin import StandInKG

JAVA = b"""class A extends B {
    /** Doc. */
    int size(List<Foo> xs) { return this.go("a", 7) + max(xs); } // end
}"""


def of(source: bytes, language: str, word: bytes) -> tuple[str, bool]:
    """Class of the first token that is this word, cutting the source around it."""
    before, _, after = source.partition(word)
    kinds, called = classes_of([before, word, after], language)
    return CLASSES[kinds[1]], bool(called[1])


def test_python_names_keywords_and_numbers_are_those_of_its_tokenizer() -> None:
    source = Path(np.__file__).with_name("_globals.py").read_bytes()
    tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    lines = np.cumsum([0, *(len(line) for line in source.splitlines(keepends=True))])
    checked = 0
    for token in tokens:
        if token.type not in (tokenize.NAME, tokenize.NUMBER, tokenize.COMMENT):
            continue
        start, end = (lines[row - 1] + column for row, column in (token.start, token.end))
        kinds, _ = classes_of([source[:start], source[start:end], source[end:]], "python")
        if token.type == tokenize.COMMENT:
            allowed = {"prose"}
        elif token.type == tokenize.NUMBER or token.string in ("True", "False", "None"):
            allowed = {"literal"}
        else:
            allowed = {"keyword"} if keyword.iskeyword(token.string) else {"identifier", "type"}
        assert CLASSES[kinds[1]] in allowed, token
        checked += 1
    assert checked > 50


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        (b"Docstring", ("prose", False)),
        (b"Shape", ("type", False)),
        (b"list", ("type", False)),
        (b"Base", ("type", False)),
        (b"area", ("identifier", True)),
        (b"width", ("identifier", False)),
        (b"plain", ("literal", False)),
        (b"return", ("keyword", False)),
    ],
)
def test_python_by_hand(word: bytes, wanted: tuple[str, bool]) -> None:
    source = b'class K(Base):\n    def f(self, s: Shape) -> list[int]:\n        """Docstring."""\n'
    source += b'        return s.area(width, "plain")\n'
    assert of(source, "python", word) == wanted


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        (b"B ", ("type", False)),
        (b"Doc", ("prose", False)),
        (b"int", ("type", False)),
        (b"Foo", ("type", False)),
        (b"this", ("keyword", False)),
        (b"go", ("identifier", True)),
        (b'"a"', ("literal", False)),
        (b"7", ("literal", False)),
        (b"max", ("identifier", True)),
        (b"end\n", ("prose", False)),
    ],
)
def test_java_by_hand(word: bytes, wanted: tuple[str, bool]) -> None:
    assert of(JAVA, "java", word) == wanted


def test_windows_of_one_function_are_parsed_together(tmp_path: Path) -> None:
    """A window that begins inside a docstring is prose all the same."""
    for name in ("a", "b", "c"):
        body = "\n".join(f"    if x and {name} the words {i} of it." for i in range(30))
        path = tmp_path / "src" / name / "__init__.py"
        path.parent.mkdir(parents=True)
        path.write_text(f'def f_{name}(x):\n    """Say.\n{body}\n    """\n    return x\n')
    prepare(StandInKG(tmp_path / "src"), tmp_path / "data", DataConfig(vocab_size=400, max_roots=64))
    folder = DataFolder.open(tmp_path / "data")
    found = classify(folder, "train")
    rows = [i for i, tok in enumerate(folder.chunks("train")["tok"].to_pylist()) if len(tok)]
    assert len(rows) > 3
    inner = found.classes[1]
    assert set(inner.tolist()) == {CLASSES.index("prose"), CLASSES.index("other")}  # words and white space
    assert (inner == CLASSES.index("prose")).mean() > 0.6
    assert not len(np.concatenate(classify(folder, "train", limit=0).classes))


def test_unknown_language() -> None:
    with pytest.raises(UserError, match="no grammar for 'cobol'"):
        classes_of([b"MOVE"], "cobol")
