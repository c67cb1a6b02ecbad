"""What was read, with what, when, and how it went: ``manifest.json`` of a knowledge graph."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from graphmer_geo.errors import UserError

FORMAT = 1
FILE_NAME = "manifest.json"

Status = Literal["ok", "partial", "skipped"]


@dataclass(frozen=True)
class FileRecord:
    """One file that was found.

    ``partial``: read, with problems; ``skipped``: nothing of it is in the graph.
    """

    key: str
    root: str  #: absolute path of the source root at build time
    path: str  #: POSIX, relative to the root
    language: str
    package: str
    version: str
    module: str
    sha256: str
    size: int
    lines: int
    status: Status
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Everything about a build that is not in the graph."""

    fingerprint: str  #: hash of inputs, tools and options: equal fingerprint, equal graph
    ontology_version: str
    tools: dict[str, str]
    files: tuple[FileRecord, ...]
    counts: dict[str, Any] = field(default_factory=dict)
    started: str = ""  #: ISO 8601, UTC
    seconds: dict[str, float] = field(default_factory=dict)  #: per stage
    format: int = FORMAT

    def file(self, key: str) -> FileRecord:
        """The record of a file by its key.

        Raises:
            UserError: If the graph has no such file.
        """
        if key not in self._by_key:
            raise UserError(f"the knowledge graph has no file {key!r}; see manifest.json for the keys")
        return self._by_key[key]

    @cached_property
    def _by_key(self) -> dict[str, FileRecord]:
        """Of two files with one key the first, or the first that was not skipped."""
        read = sorted(reversed(self.files), key=lambda r: r.status != "skipped")
        return {record.key: record for record in read}

    def save(self, folder: Path) -> None:
        """Write ``manifest.json`` into the folder."""
        head = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "files"}
        text = json.dumps(head, indent=1, sort_keys=True, ensure_ascii=False).removesuffix("\n}")
        # A file a line: thousands of them indented take half a second.
        lines = (json.dumps(vars(record), sort_keys=True, ensure_ascii=False) for record in self.files)
        text += ',\n "files": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
        (folder / FILE_NAME).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read ``manifest.json`` of a folder.

        Raises:
            UserError: If the folder is not a knowledge graph, or one of another format.
        """
        file = folder / FILE_NAME
        remedy = "build one with `graphmer kg build SRC --out KG`"
        if not folder.exists():
            raise UserError(f"knowledge graph {str(folder)!r} does not exist; {remedy}")
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(f"{str(folder)!r} is not a knowledge graph (no {FILE_NAME}); {remedy}") from None
        except NotADirectoryError:
            raise UserError(f"{str(folder)!r} is a file, not a knowledge graph; {remedy}") from None
        except ValueError as error:
            raise UserError(f"{str(file)!r} is damaged ({error}); build the graph again") from None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise UserError(f"{str(file)!r} is not of format {FORMAT}; build the graph again")
        records = tuple(FileRecord(**{**r, "problems": tuple(r["problems"])}) for r in data.pop("files"))
        return cls(files=records, **data)
