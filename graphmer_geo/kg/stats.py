"""Counts of what is in a knowledge graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from graphmer_geo.kg.store import KnowledgeGraph


def statistics(kg: KnowledgeGraph) -> dict[str, Any]:
    """Counts, as JSON types.

    Returns:
        ``totals``; ``classes``, ``relations``, ``languages`` (entities) and ``resolution`` (occurrences that
        refer to something, by how their target was found), each name -> count, the largest first;
        ``unresolved_share`` of the occurrences that refer to something; ``ontology_version``.
    """
    entities, triples, occurrences = kg.entities(), kg.triples(), kg.occurrences
    resolution = _references(occurrences)
    references = sum(resolution.values())
    return {
        "totals": {
            "files": sum(r.status != "skipped" for r in kg.manifest.files),
            "lines": sum(r.lines for r in kg.manifest.files if r.status != "skipped"),
            "entities": entities.num_rows,
            "relations": triples.num_rows,
            "heuristic relations": sum(triples["heuristic"].to_pylist()),
            "occurrences": occurrences.num_rows,
            "quads": len(kg.store),
        },
        "classes": _counts(entities["kind"].to_pylist()),
        "relations": _counts(triples["relation"].to_pylist()),
        "languages": _counts(entities["language"].to_pylist()),
        "resolution": resolution,
        "unresolved_share": round(resolution.get("unresolved", 0) / references, 4) if references else 0.0,
        "ontology_version": kg.ontology_version,
    }


def _references(occurrences: pa.Table) -> dict[str, int]:
    rows = zip(occurrences["role"].to_pylist(), occurrences["how"].to_pylist(), strict=True)
    return _counts(how for role, how in rows if role != "definition")


def _counts(values: Iterable[str]) -> dict[str, int]:
    counted = Counter(values)
    return {name: counted[name] for name in sorted(counted, key=lambda n: (-counted[n], n))}
