"""A graph's folder is changed where its files have changed, in one step.

The store's transaction is the step. It leaves a mark in the store; the new table and manifest lie in
``next/`` by then and take their places after it. Whoever opens the folder after an update was killed looks
for the mark: with it the rest is done, without it ``next/`` is thrown away.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyoxigraph as ox

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.folder import HISTORIES
from graphmer_geo.kg.languages.base import History
from graphmer_geo.kg.manifest import Manifest
from graphmer_geo.kg.occurrence_parts import save_part
from graphmer_geo.kg.occurrences import FILE_NAME as OCCURRENCES
from graphmer_geo.kg.outputs import Outputs

log = logging.getLogger(__name__)

STORE = "store"
MAX_CHANGES = 200_000  #: quads; beyond that a new store is faster than a transaction
_NEXT = "next"
_MARK = f"<{v.GRAPH_BASE}update>"
_MARKED = f"{_MARK} <{v.PROV}wasGeneratedBy> <{v.EXTRACTION}>"

_Graph = ox.NamedNode | ox.BlankNode
Triples = Mapping[_Graph, frozenset[bytes]]


def update(
    folder: Path,
    old: Outputs,
    new: Outputs,
    quads: bytes,
    parts: Mapping[str, pa.Table],
    manifest: Manifest,
    histories: Mapping[str, History],
) -> bool:
    """Make the folder's graph that of a new build. False, and nothing has changed, if a rebuild is better.

    Args:
        folder: The graph.
        old: What its build noted.
        new: What the new build notes.
        quads: N-Quads of all files whose output differs, and of the graphs that all files share.
        parts: The parts of the occurrence table that are written anew, by name.
        manifest: The new manifest.
        histories: How files were linked, of languages in which some were, by name.
    """
    try:
        store = ox.Store(folder / STORE)
    except OSError as error:
        log.info("%s cannot be opened for writing (%s); it is built again", folder, error)
        return False
    kept = {
        key
        for key, output in new.files.items()
        if key in old.files and old.files[key].digest == output.digest
    }
    dropped, before = _replaced(store, kept)
    fresh = ox.Store()
    fresh.bulk_load(quads, ox.RdfFormat.N_QUADS, lenient=True)
    after = {graph: _triples(fresh, graph) for graph in fresh.named_graphs()}
    lost, found = _less(before, after), _less(after, before)
    if sum(map(len, (*lost.values(), *found.values()))) > MAX_CHANGES:
        return False
    _prepare(folder, new, parts, manifest, histories)
    dropped |= before.keys() - after.keys()
    commands = [f"DROP SILENT GRAPH {graph}" for graph in sorted(map(str, dropped))]
    commands += _data("DELETE", {graph: lines for graph, lines in lost.items() if graph not in dropped})
    commands += _data("INSERT", found)
    store.update(" ;\n".join([*commands, f"INSERT DATA {{ GRAPH {_MARK} {{ {_MARKED} }} }}"]))
    store.flush()
    _finish(folder, store)
    return True


def resume(folder: Path) -> None:
    """Finish or forget an update that was killed, unless its process still lives."""
    if not (folder / _NEXT).is_dir():
        return
    try:
        store = ox.Store(folder / STORE)
    except OSError:
        return  # its writer is at work, or the folder is read-only
    if store.contains_named_graph(ox.NamedNode(_MARK[1:-1])):
        log.warning("%s: finishing an update that was interrupted", folder)
        _finish(folder, store)
    else:
        log.warning("%s: forgetting an update that was interrupted", folder)
        shutil.rmtree(folder / _NEXT)


def _replaced(store: ox.Store, kept: set[str]) -> tuple[set[_Graph], Triples]:
    """Graphs that no fresh build has, and the triples of all graphs that may change."""
    dropped: set[_Graph] = set()
    before: dict[_Graph, frozenset[bytes]] = {}
    for graph in store.named_graphs():
        if not isinstance(graph, ox.NamedNode) or graph.value == v.ONTOLOGY_GRAPH:
            continue
        if graph.value.startswith((v.FILE_GRAPHS, v.HEURISTIC_GRAPHS)):
            key = graph.value.removeprefix(v.GRAPH_BASE).split("/", 2)[2]
            if key in kept:
                continue
        elif graph.value not in (v.SHARED_GRAPH, v.PROVENANCE_GRAPH):
            dropped.add(graph)
            continue
        before[graph] = _triples(store, graph)
    return dropped, before


def _triples(store: ox.Store, graph: _Graph) -> frozenset[bytes]:
    """The lines of a graph: as objects, those that all files share would take half a second."""
    text = store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph)
    assert text is not None
    return frozenset(text.splitlines())


def _less(one: Triples, other: Triples) -> Triples:
    """What one has and the other has not."""
    found = {graph: lines - other.get(graph, frozenset()) for graph, lines in one.items()}
    return {graph: lines for graph, lines in found.items() if lines}


def _data(verb: str, triples: Triples) -> Iterator[str]:
    if triples:
        graphs = [
            f"GRAPH {graph} {{\n" + b"\n".join(sorted(triples[graph])).decode() + "\n}"
            for graph in sorted(triples, key=str)
        ]
        yield f"{verb} DATA {{\n" + "\n".join(graphs) + "\n}"


def _prepare(
    folder: Path,
    outputs: Outputs,
    parts: Mapping[str, pa.Table],
    manifest: Manifest,
    histories: Mapping[str, History],
) -> None:
    part = folder / f"{_NEXT}.part"
    for stale in (part, folder / _NEXT):
        shutil.rmtree(stale, ignore_errors=True)
    (part / OCCURRENCES).mkdir(parents=True)
    for name, table in parts.items():
        save_part(table, part / OCCURRENCES / name)
    outputs.save(part)
    for language, history in histories.items():
        history.save(part / HISTORIES / language)
    manifest.save(part)
    part.rename(folder / _NEXT)


def _finish(folder: Path, store: ox.Store) -> None:
    """What follows the transaction; each step may be repeated."""
    for file in sorted((folder / _NEXT).rglob("*.*")):
        if file.is_file():
            place = folder / file.relative_to(folder / _NEXT)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, place)
    store.update(f"DROP SILENT GRAPH {_MARK}")
    store.flush()
    shutil.rmtree(folder / _NEXT)
