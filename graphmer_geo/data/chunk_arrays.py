"""One shard of chunks as arrays, for making chains of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmer_geo.data.chunk_table import OWNER_ROLE
from graphmer_geo.data.triple_index import IntArray, Ragged

#: Roles of mentions that declare their entity (a chunk's own entity included).
DECLARING = ("definition", OWNER_ROLE)

COLUMNS = (
    "tok", "name", "name_count", "mention_entity", "mention_start", "mention_len", "mention_name",
    "mention_role",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChunkArrays:
    """What chains need of the ``c`` chunks of a shard, which have ``k`` mentions."""

    roots: Ragged
    names: Ragged
    name_counts: Ragged
    mentions: Ragged
    mention_start: IntArray  # [k]
    mention_len: IntArray  # [k]
    mention_name: IntArray  # [k]
    declares: NDArray[np.bool_]  # [k]

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Self:
        """From a table with :data:`COLUMNS`."""
        table = table.combine_chunks()
        tok, names, counts, mentions, start, length, name = (
            Ragged.from_arrow(table, c) for c in COLUMNS[:-1]
        )
        roles = [chunk.flatten() for chunk in table["mention_role"].chunks]
        declares = pc.is_in(pa.chunked_array(roles, pa.string()), value_set=pa.array(DECLARING))
        return cls(
            roots=tok,
            names=names,
            name_counts=counts,
            mentions=mentions,
            mention_start=start.value,
            mention_len=length.value,
            mention_name=name.value,
            declares=declares.to_numpy().astype(np.bool_),
        )
