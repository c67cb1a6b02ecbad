"""Which files of an earlier graph may stay as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby

from graphmer_geo.kg.assembly import Kept
from graphmer_geo.kg.claims import Claims
from graphmer_geo.kg.extract import Task, load_language
from graphmer_geo.kg.languages.base import Updates
from graphmer_geo.kg.manifest import FileRecord, Manifest
from graphmer_geo.kg.outputs import Outputs
from graphmer_geo.kg.owner import Owner
from graphmer_geo.kg.sources import read_bounded
from graphmer_geo.kg.workers import Crew, deal


def kept_files(
    tasks: Sequence[Task], records: Sequence[FileRecord], known: Outputs, before: Manifest, workers: int
) -> dict[int, Kept]:
    """The files whose output is the earlier one, by the number of their task.

    Args:
        tasks: All files.
        records: What is known of them, in the same order.
        known: What the files of the earlier graph gave.
        before: The manifest of the earlier graph.
        workers: Number of processes.
    """
    old = {r.key: r for r in before.files if r.status != "skipped" and r.key in known.files}
    kept: dict[int, Kept] = {}
    numbers = sorted(range(len(tasks)), key=lambda number: (tasks[number].language_name, number))
    for name, group in groupby(numbers, key=lambda number: tasks[number].language_name):
        mine = list(group)
        same = {}
        for number in mine:
            record = old.get(records[number].key)
            if record is not None and record.sha256 == records[number].sha256:
                same[number] = Kept(known.files[record.key], record)
        was = {(r.key, r.sha256) for r in before.files if r.language == name and r.sha256}
        if was != {(records[number].key, records[number].sha256) for number in mine}:
            before_headers = {r.key: known.files[r.key].header for r in old.values() if r.language == name}
            updates = load_language(tasks[mine[0]].language).updates
            probe = [(number, tasks[number]) for number in mine]
            same = _unaffected(probe, records, same, before_headers, updates, workers) if updates else {}
        kept |= same
    return kept


def _unaffected(
    tasks: Sequence[tuple[int, Task]],
    records: Sequence[FileRecord],
    same: Mapping[int, Kept],
    before: Mapping[str, str],
    updates: Updates,
    workers: int,
) -> dict[int, Kept]:
    """Those of the unchanged files of a language that what the others share has no say in."""
    after = _headers(tasks, records, same, workers)
    affects = updates.affected(before, after)
    if affects is None:
        return {}
    return {
        number: same[number]
        for number, task in tasks
        if number in same and not affects(read_bounded(task.root, task.path))
    }


def _headers(
    tasks: Sequence[tuple[int, Task]],
    records: Sequence[FileRecord],
    same: Mapping[int, Kept],
    workers: int,
) -> dict[str, str]:
    """What each file of a language shares, by file key."""
    lots = deal([each for each in tasks if each[0] not in same], workers)
    with Crew(min(workers, len(lots))) as crew:
        reads = {read.number: read for found in crew.extract(lots) for read in found}
        parts = crew.all(Owner.headers, [tasks[0][1].language] * crew.size, [list(reads)] * crew.size)
        new = {number: header for part in parts for number, header in part.items()}
    claims = Claims()
    after: dict[str, str] = {}
    for number, _ in tasks:
        mine = json.loads(same[number].output.claims) if number in same else reads[number].claims
        if mine and claims.take(mine) is None:
            after[records[number].key] = same[number].output.header if number in same else new[number]
    return after
