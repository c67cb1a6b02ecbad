"""What files sent each other when a corpus was linked, kept beside a graph: enough to link few files again.

See :mod:`replay`. Files are called by their place in the corpus.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.log import Log
from graphmer_geo.kg.resolve.python.portable import Translator, Writer

_MAIL, _NAMES, _OBJECTS, _NOTES = "mail.parquet", "names.parquet", "objects.parquet", "notes.json"
_COLUMNS = ("receiver", "slot", "sender", "kind", "name", "object")

Column = npt.NDArray[np.int32]


@dataclass
class Notes:
    """What is not mail."""

    announced: list[list[Any]] = field(default_factory=list)  #: slot, file, attribute, which set
    asked: list[list[Any]] = field(default_factory=list)  #: file, attribute: names that a value gave
    looked: list[list[int]] = field(default_factory=list)  #: file, and another whose variables its links show
    bases: list[list[Any]] = field(default_factory=list)  #: file, class, its direct bases
    metaclasses: list[list[Any]] = field(default_factory=list)  #: file, class, what it says is its metaclass
    generation: int = 0  #: how often some of this was replaced


@dataclass
class History:
    """All mail: what one file sends to another in a round is in order, the rest is in any."""

    mail: dict[str, Column]
    names: pa.Array  # texts, by the numbers in the mail
    objects: pa.Array
    notes: Notes

    def save(self, folder: Path) -> None:
        """Write into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(self.mail), folder / _MAIL, compression="zstd", use_dictionary=False)
        for name, texts in ((_NAMES, self.names), (_OBJECTS, self.objects)):
            pq.write_table(pa.table({"text": texts}), folder / name, compression="zstd", use_dictionary=False)
        (folder / _NOTES).write_text(json.dumps(vars(self.notes)), encoding="ascii")

    @classmethod
    def load(cls, folder: Path) -> History | None:
        """Read a folder; None if there is nothing that can be read."""
        try:
            mail = pq.read_table(folder / _MAIL)
            names, objects = (
                pq.read_table(folder / name)["text"].combine_chunks() for name in (_NAMES, _OBJECTS)
            )
            notes = Notes(**json.loads((folder / _NOTES).read_text(encoding="ascii")))
            return cls({name: mail[name].to_numpy() for name in _COLUMNS}, names, objects, notes)
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def rows(self, of: npt.NDArray[np.bool_]) -> dict[str, Column]:
        """Some of the mail."""
        return {name: column[of] for name, column in self.mail.items()}

    def receivers(self, parts: Iterable[str]) -> set[int]:
        """Files that were sent an object in whose text one of these is."""
        found = np.zeros(len(self.objects), dtype=bool)
        for part in parts:
            found |= pc.match_substring(self.objects, part).to_numpy(zero_copy_only=False)
        return set(self.mail["receiver"][found[self.mail["object"]]].tolist())

    def replaced(self, files: set[int], part: History) -> History:
        """The history in which some files have sent other things."""
        mine = list(files)
        of_mail = self.rows(~(np.isin(self.mail["receiver"], mine) & np.isin(self.mail["sender"], mine)))
        kept = {name: [row for row in getattr(self.notes, name) if row[at] not in files]
                for name, at in _FILE.items()}  # fmt: skip
        new = part.rows(np.isin(part.mail["sender"], mine))
        names, new["name"] = _added(self.names, part.names, new["name"])
        objects, new["object"] = _added(self.objects, part.objects, new["object"])
        mail = {name: np.concatenate([column, new[name]]) for name, column in of_mail.items()}
        notes = _joined([_notes(kept), part.notes])
        notes.generation = self.notes.generation + 1
        return History(mail, names, objects, notes)


#: Where in a row of the notes its file is.
_FILE = {"announced": 1, "asked": 0, "looked": 0, "bases": 0, "metaclasses": 0}


def merged(parts: Sequence[History]) -> History:
    """One history of what several processes have noted."""
    columns: dict[str, list[Column]] = {name: [] for name in _COLUMNS}
    texts = {}
    for name, of_parts in (("name", [p.names for p in parts]), ("object", [p.objects for p in parts])):
        texts[name], numbers = _unified(of_parts)
        columns[name] = [new[part.mail[name]] for new, part in zip(numbers, parts, strict=True)]
    for name in _COLUMNS[:4]:
        columns[name] = [part.mail[name] for part in parts]
    mail = {name: np.concatenate(columns[name]) for name in _COLUMNS}
    order = np.lexsort((mail["sender"], mail["slot"], mail["receiver"]))
    mail = {name: column[order] for name, column in mail.items()}
    return History(mail, texts["name"], texts["object"], _joined([part.notes for part in parts]))


def _joined(notes: Sequence[Notes]) -> Notes:
    return _notes({name: sorted(row for each in notes for row in getattr(each, name)) for name in _FILE})


def _notes(rows: dict[str, Any]) -> Notes:
    return Notes(**rows)


def _added(texts: pa.Array, more: pa.Array, numbers: Column) -> tuple[pa.Array, Column]:
    """Texts with others that are used, and the numbers of these among all of them."""
    used, places = np.unique(numbers, return_inverse=True)
    wanted = more.take(pa.array(used))
    found = pc.index_in(wanted, value_set=texts)
    new = found.is_null().to_numpy(zero_copy_only=False)
    at = found.fill_null(0).to_numpy().astype(np.int32)
    at[new] = len(texts) + np.arange(new.sum(), dtype=np.int32)
    return pa.concat_arrays([texts, wanted.filter(pa.array(new))]), at[places].astype(np.int32)


def _unified(parts: Sequence[pa.Array]) -> tuple[pa.Array, list[Column]]:
    """Texts without repetition, and where those of each part are."""
    encoded = pa.concat_arrays(parts).dictionary_encode()
    ends = np.cumsum([len(part) for part in parts])[:-1]
    return encoded.dictionary, np.split(encoded.indices.to_numpy(), ends)


def notes_of(flow: Flow, log: Log, translator: Translator) -> Notes:
    """What is to be noted of a run beside its mail."""
    bases, metaclasses = [], []
    for file, desk in flow.desks.items():
        for klass in range(desk.classes, desk.classes + len(flow.world.syntax[file].classes)):
            entries = [list(translator.klass(e)) if isinstance(e, int) else e for e in flow.bases[klass]]
            if entries:
                bases.append([*translator.klass(klass), entries])
            if flow.world.classes[klass].metaclass:
                found = [list(translator.klass(meta)) for meta in flow.world.metaclasses(klass)]
                metaclasses.append([*translator.klass(klass), found])
    looked = dict.fromkeys((file, other) for file, desk in flow.desks.items() for other, _ in desk.looked)
    return Notes(
        [list(row) for row in log.announced],
        [[file, name] for file, desk in flow.desks.items() for name in desk.asked],
        [list(pair) for pair in looked],
        bases,
        metaclasses,
    )


def history_of(log: Log, writer: Writer, notes: Notes) -> History:
    """What a log has, in words that another run understands."""
    groups = np.frombuffer(log.groups, dtype=np.int32).reshape(-1, 4)
    slot, receiver, sender = (np.repeat(groups[:, i], groups[:, 3]) for i in range(3))
    used, objects = np.unique(np.frombuffer(log.values, dtype=np.int32), return_inverse=True)
    mail = {
        "receiver": receiver, "slot": slot, "sender": sender,
        "kind": np.frombuffer(log.kinds, dtype=np.int32), "name": np.frombuffer(log.names, dtype=np.int32),
        "object": objects.astype(np.int32),
    }  # fmt: skip
    return History(
        mail,
        pa.array([writer.name(name) for name in log.numbers], pa.string()),
        pa.array([writer.object(number) for number in used.tolist()], pa.string()),
        notes,
    )
