"""The Python half: the standard library, with its tests, and packages from PyPI."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.exact.python_ast import read as read_ast
from benchmarks.exact.python_ast import without_quoted_code
from benchmarks.exact.python_graph import Reader
from benchmarks.exact.tally import Facts, Tally, facts
from graphmer_geo.kg import build_kg
from graphmer_geo.kg.languages.python import PYTHON
from graphmer_geo.kg.languages.python.text import declared_encoding
from graphmer_geo.kg.sources import Source, find_files

BATCH = 150  #: files of one graph: definitions do not depend on other files, and memory is bounded


def compare(sources: Sequence[Source], listed: int = 200) -> tuple[Tally, dict[str, Any]]:
    """Compare every file of the sources.

    Returns:
        the counts, and which files Python or the extractor had trouble with.
    """
    warnings.simplefilter("ignore")  # of the code under analysis: invalid escapes and the like
    tally, files = (
        Tally(listed),
        {"compared": 0, "stub beside its source": 0, "not Python": [], "partial": [], "skipped": []},
    )
    for source in sources:
        for batch in _batches(source):
            _compare(batch, tally, files)
    return tally, files


def _batches(source: Source) -> Iterator[Source]:
    folder = Path(source.path).resolve()
    found = find_files([source], dict.fromkeys(PYTHON.extensions, "python"))
    paths = [(file.root / file.path).relative_to(folder).as_posix() for file in found]
    for first in range(0, len(paths), BATCH):
        yield replace(source, include=paths[first : first + BATCH])


def _compare(source: Source, tally: Tally, files: dict[str, Any]) -> None:
    kg = build_kg([source], languages=["python"])
    found = _by_file(Reader(kg).read())
    for record in kg.manifest.files:
        data = (Path(record.root) / record.path).read_bytes()
        name = f"{record.package}/{record.path}"
        module = PYTHON.module_name(record.path, data)
        if record.status == "skipped" and (Path(record.root) / record.path).with_suffix(".py").exists():
            files["stub beside its source"] += 1
            continue
        wanted = read_ast(record.path, module, data, declared_encoding(data)[0])
        if wanted is None:
            files["not Python"].append(f"{name}: {record.status}")
            continue
        files["compared"] += 1
        if record.status != "ok":
            files[record.status].append(f"{name}: {'; '.join(record.problems)}"[:300])
        tally.add(wanted, without_quoted_code(found.get(record.path, {}), data, declared_encoding(data)[0]))


def _by_file(found: Facts) -> dict[Hashable, Facts]:
    """Facts of many files, file by file."""
    split: dict[Hashable, Facts] = defaultdict(facts)
    for kind, counts in found.items():
        for fact, count in counts.items():
            split[fact[0]][kind][fact] = count
    return split
