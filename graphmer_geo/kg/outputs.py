"""What each file gave to a graph, kept beside it: enough to change the graph where its files have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FILE_NAME = "outputs.parquet"
_ENGINE = b"graphmer.engine"


@dataclass(frozen=True, slots=True)
class FileOutput:
    """What one file gave. Texts are JSON."""

    digest: str  #: of its source and quads
    quads: int
    claims: str  #: what only this file may declare
    header: str  #: what it shares with others, if its language links on from there; else empty
    common: str  #: what it says that others may say alike
    package: str  #: its IRI, if it is a module that has modules; else empty
    place: int  #: among the files of its language


_NUMBERS = ("quads", "place")
_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        *(
            pa.field(f.name, pa.int64() if f.name in _NUMBERS else pa.string(), nullable=False)
            for f in fields(FileOutput)
        ),
    ]
)


@dataclass(frozen=True)
class Outputs:
    """What all files gave."""

    engine: str  #: hash of the tools and options; another one may give other quads for the same file
    files: Mapping[str, FileOutput]  #: by file key

    def save(self, folder: Path) -> None:
        """Write ``outputs.parquet`` into the folder."""
        keys = sorted(self.files)
        outputs = [self.files[key] for key in keys]
        columns = [keys, *([getattr(o, name) for o in outputs] for name in _SCHEMA.names[1:])]
        schema = _SCHEMA.with_metadata({_ENGINE: self.engine.encode()})
        arrays = [pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)]
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), folder / FILE_NAME, compression="zstd")

    @classmethod
    def load(cls, folder: Path) -> Outputs | None:
        """Read ``outputs.parquet``; None if there is none that can be read."""
        try:
            table = pq.read_table(folder / FILE_NAME)
            engine = (table.schema.metadata or {})[_ENGINE].decode()
            key, *columns = (table[name].to_pylist() for name in _SCHEMA.names)
        except (OSError, ValueError, LookupError):
            return None
        return cls(engine, dict(zip(key, map(FileOutput, *columns), strict=True)))
