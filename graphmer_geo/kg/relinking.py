"""Files of a language that are linked again on what was noted when all of them were linked."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from graphmer_geo.kg.assembly import Kept
from graphmer_geo.kg.claims import claims_of
from graphmer_geo.kg.extract import Task, extract_file
from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.folder import HISTORIES
from graphmer_geo.kg.languages.base import History, Language
from graphmer_geo.kg.manifest import FileRecord
from graphmer_geo.kg.outputs import Outputs
from graphmer_geo.kg.sources import read_bounded

log = logging.getLogger(__name__)

#: The links of some files, by the number of their task, and what is to be noted now.
Relinked = tuple[dict[int, LinkedFile], History]


def relinked(
    tasks: Sequence[tuple[int, Task]],
    records: Sequence[FileRecord],
    same: Mapping[int, Kept],
    old: Mapping[str, FileRecord],
    left_out: Set[int],
    known: Outputs,
    language: Language,
    folder: Path,
) -> Relinked | None:
    """Link again what has changed, and what that changes; None: link all files.

    Args:
        tasks: All files of the language.
        records: What is known of the files of all languages.
        same: Those whose text is the earlier one.
        old: The records of files that are in the earlier graph, by key.
        left_out: Unchanged files that are not in it, and will not be.
        known: What the others gave.
        language: The language.
        folder: The earlier graph.
    """
    assert language.replays is not None
    corpus = [(number, task) for number, task in tasks if number not in left_out]
    keys = [records[number].key for number, _ in corpus]
    places = sorted(key for key, record in old.items() if record.language == language.name)
    if sorted(keys) != places:
        return None  # files have come or gone
    if [known.files[key].place for key in keys] != list(range(len(keys))):
        return None
    read: dict[int, FileFacts] = {}
    for place, (number, task) in enumerate(corpus):
        if number not in same:
            facts = extract_file(task).facts
            if facts is None or list(claims_of(facts)) != json.loads(known.files[keys[place]].claims):
                return None
            read[place] = facts
    history = language.replays.load(folder / HISTORIES / language.name)
    if history is None:
        return None
    before = [known.files[key].header for key in keys]
    after = list(before)
    for place, facts in read.items():
        after[place] = language.replays.header(language.share(facts))

    def facts_of(place: int) -> FileFacts:
        found = read.get(place) or extract_file(corpus[place][1]).facts
        if found is None:
            raise OSError(f"{keys[place]} has changed while the graph was built")
        return found

    def text_of(place: int) -> bytes:
        return read_bounded(corpus[place][1].root, corpus[place][1].path)

    try:
        found = language.replays.replay(history, before, after, list(read), facts_of, text_of)
    except OSError as error:
        log.info("all files are linked again: %s", error)
        return None
    if found is None:
        return None
    return {corpus[place][0]: linked for place, linked in found[0].items()}, found[1]
