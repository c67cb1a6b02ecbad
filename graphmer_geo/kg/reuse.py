"""Which files of an earlier graph may stay as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from graphmer_geo.kg.assembly import LEFT_OUT, Kept
from graphmer_geo.kg.claims import Claims
from graphmer_geo.kg.extract import Task, load_language
from graphmer_geo.kg.facts import LinkedFile
from graphmer_geo.kg.languages.base import History, Updates
from graphmer_geo.kg.manifest import FileRecord, Manifest
from graphmer_geo.kg.outputs import Outputs
from graphmer_geo.kg.owner import Owner
from graphmer_geo.kg.relinking import relinked
from graphmer_geo.kg.sources import read_bounded
from graphmer_geo.kg.workers import Crew, deal, worth


@dataclass
class Reuse:
    """What is known before anything is built."""

    kept: dict[int, Kept] = field(default_factory=dict)  #: files whose output is the earlier one, by task
    linked: dict[int, LinkedFile] = field(default_factory=dict)  #: the links of others
    histories: dict[str, History] = field(default_factory=dict)  #: how that came about, by language
    left_out: dict[int, FileRecord] = field(default_factory=dict)  #: files that stay out of the graph


def reusable(
    tasks: Sequence[Task],
    records: Sequence[FileRecord],
    known: Outputs,
    before: Manifest,
    workers: int,
    folder: Path,
) -> Reuse:
    """What of an earlier graph stays, and what is linked again already.

    Args:
        tasks: All files.
        records: What is known of them, in the same order.
        known: What the files of the earlier graph gave.
        before: The manifest of the earlier graph.
        workers: Number of processes.
        folder: The earlier graph.
    """
    old = {r.key: r for r in before.files if r.status != "skipped" and r.key in known.files}
    reuse = Reuse()
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
            language = load_language(tasks[mine[0]].language)
            probe = [(number, tasks[number]) for number in mine]
            headers = {r.key: known.files[r.key].header for r in old.values() if r.language == name}
            if language.updates is not None:
                same = _unaffected(probe, records, same, headers, language.updates, workers)
            elif language.replays is not None:
                skipped = _skipped(before)
                left_out = {
                    number: skipped[records[number].key, records[number].sha256] for number in mine
                    if (records[number].key, records[number].sha256) in skipped
                }  # fmt: skip
                found = relinked(probe, records, same, old, left_out.keys(), known, language, folder)
                same = {number: each for number, each in same.items() if found and number not in found[0]}
                if found:
                    reuse.left_out |= left_out
                    reuse.linked |= found[0]
                    reuse.histories[name] = found[1]
            else:
                same = {}
        reuse.kept |= same
    return reuse


def _skipped(before: Manifest) -> dict[tuple[str, str], FileRecord]:
    """Files that declare what others do, by key and hash: they are left out as long as those do."""
    return {
        (r.key, r.sha256): r for r in before.files
        if r.status == "skipped" and any(problem.startswith(LEFT_OUT) for problem in r.problems)
    }  # fmt: skip


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
    new = [each for each in tasks if each[0] not in same]
    workers = worth((task for _, task in new), workers)
    lots = deal(new, workers)
    with Crew(min(workers, len(lots))) as crew:
        reads = {read.number: read for found in crew.extract(lots) for read in found}
        parts = crew.all(Owner.headers, [tasks[0][1].language] * crew.size, [list(reads)] * crew.size)
        written = {number: header for part in parts for number, header in part.items()}
    claims = Claims()
    after: dict[str, str] = {}
    for number, _ in tasks:
        mine = json.loads(same[number].output.claims) if number in same else reads[number].claims
        if mine and claims.take(mine) is None:
            after[records[number].key] = same[number].output.header if number in same else written[number]
    return after
