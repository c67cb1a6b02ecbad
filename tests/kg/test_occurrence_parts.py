"""The occurrence table in parts is one table, and an edit writes the part it is in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from graphmer_geo.kg import occurrence_parts as parts
from graphmer_geo.kg.facts import LinkedFile, Occurrence, SourceFile
from graphmer_geo.kg.occurrences import FILE_NAME, encoded, encoded_table, plain, read_occurrences


def batch(*files: tuple[str, int, str]) -> tuple[pa.RecordBatch, dict[str, int]]:
    """Some files: path, how many rows, and how they were found."""
    linked = []
    for path, count, how in files:
        rows = [Occurrence(i, i + 1, 1, "call", None, path, None, how, f"n{i}") for i in range(count)]  # type: ignore[arg-type]
        linked.append(LinkedFile(SourceFile("toy", "p", "0", path, "m"), rows, [], {}))
    return encoded(linked), {f.source.key: len(f.occurrences) for f in linked}


OLD = [(f"f{number}", number % 4, "exact") for number in range(12)]


@pytest.mark.parametrize(
    ("new", "keys", "written"),
    [
        ([("f5", 7, "inferred")], range(12), 1),
        ([("f4", 7, "inferred")], range(12), 1),  # it had no rows
        ([], [n for n in range(12) if n != 6], 1),
        ([("f5", 1, "exact")], [5, 0, 1, 2, 3, 4, *range(6, 12)], 2),
        ([("f20", 2, "exact")], [*range(12), 20], 1),
        ([("f1", 1, "exact"), ("f11", 9, "heuristic")], range(12), 2),
        ([], range(12), 0),
        ([], [], 6),
    ],
)
def test_a_changed_table_is_the_one_that_would_be_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    new: list[tuple[str, int, str]],
    keys: list[int],
    written: int,
) -> None:
    monkeypatch.setattr(parts, "ROWS", 4)
    old = encoded_table([batch(*OLD)[0]])
    parts.write_parts(old, tmp_path)
    assert len(list((tmp_path / FILE_NAME).iterdir())) == 6
    assert read_occurrences(tmp_path) == plain(old)
    files = {path: (path, count, how) for path, count, how in [*OLD, *new]}
    change = parts.change(tmp_path, [f"toy/p/0/f{key}" for key in keys], [batch(*new)])
    for name, table in change.parts.items():
        parts.save_part(table, tmp_path / FILE_NAME / name)
    expected = encoded_table([batch(*(files[f"f{key}"] for key in keys))[0]])
    assert read_occurrences(tmp_path) == plain(expected)
    assert len(change.parts) == written
    assert change.rows == expected.num_rows - old.num_rows
    counts = Counter(old["how"].to_pylist())
    counts.update(change.how)
    assert +counts == Counter(expected["how"].to_pylist())


def test_a_table_without_rows_has_a_part(tmp_path: Path) -> None:
    parts.write_parts(encoded_table([]), tmp_path)
    assert read_occurrences(tmp_path).num_rows == 0
