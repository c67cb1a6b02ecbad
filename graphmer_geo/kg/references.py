"""The occurrence table as RDF: one node per row (definitions are their declarations), and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pyoxigraph as ox

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.emit import literal
from graphmer_geo.kg.occurrences import SCHEMA

_BATCH = 100_000
#: Column -> property, of those that become a literal.
_TEXTS = {"role": "role", "relation": "evidenceFor", "how": "resolutionMethod", "name": "writtenAs"}
_NAMES = dict(zip(("start", "end"), v.NAME_LITERALS, strict=True))  #: of definitions
_NUMBERS = {"start": "startByte", "end": "endByte", "line": "startLine"}


def reference_triples(occurrences: pa.Table) -> Iterator[str]:
    """N-Triples without the final dot, in the table's order.

    Of definitions, which are nodes already, the place of the name is written; local variables are left out.
    """
    alike: Counter[tuple[str, int, int, str]] = Counter()  # of one place: several targets, several relations
    for batch in occurrences.to_batches(_BATCH):
        for row in batch.to_pylist():
            if row["role"] == "definition":
                if row["subject"] == row["entity"]:
                    for column, prop in _NAMES.items():
                        yield f"<{row['entity']}> <{v.gm(prop)}> {literal(row[column])}"
                continue
            place = (row["file"], row["start"], row["end"], row["role"])
            node = f"<{v.REFERENCE_BASE}{place[0]}/{place[1]}-{place[2]}/{place[3]}/{alike[place]}>"
            alike[place] += 1
            yield f"{node} <{v.RDF_TYPE}> <{v.gm(v.REFERENCE_CLASSES[row['role']])}>"
            yield f"{node} <{v.gm('definedInFile')}> <{v.FILE_BASE}{row['file']}>"
            yield f"<{row['subject']}> <{v.gm('hasReference')}> {node}"
            if row["entity"] is not None:
                yield f"{node} <{v.gm('target')}> <{row['entity']}>"
            for column, prop in (_TEXTS | _NUMBERS).items():
                if row[column] is not None:
                    yield f"{node} <{v.gm(prop)}> {literal(row[column])}"


def references_table(store: ox.Store) -> pa.Table:
    """The rows that :func:`reference_triples` wrote, in the order of file, position, role and number."""
    rows: dict[str, dict[str, str | int | None]] = {}
    columns = {v.gm(p): c for c, p in (_TEXTS | _NUMBERS).items()} | {v.gm("target"): "entity"}
    for quad in store.quads_for_pattern(None, None, None, ox.NamedNode(v.REFERENCE_GRAPH)):
        subject, value = quad.subject.value, quad.object.value  # type: ignore[union-attr]
        if quad.predicate.value == v.gm("hasReference"):
            rows.setdefault(value, {})["subject"] = subject
        elif quad.predicate.value == v.gm("definedInFile"):
            rows.setdefault(subject, {})["file"] = value.removeprefix(v.FILE_BASE)
        elif quad.predicate.value in columns:
            column = columns[quad.predicate.value]
            rows.setdefault(subject, {})[column] = int(value) if column in _NUMBERS else value
    order = sorted(rows, key=lambda n: (rows[n]["file"], rows[n]["start"], rows[n]["end"], rows[n]["role"],
                                        int(n.rpartition("/")[2])))  # fmt: skip
    return pa.table({name: [rows[n].get(name) for n in order] for name in SCHEMA.names}, schema=SCHEMA)
