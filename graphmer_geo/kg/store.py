"""The knowledge graph: an Oxigraph store, the occurrence table and the manifest behind one object."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyoxigraph as ox

from graphmer_geo.errors import UserError
from graphmer_geo.kg import tables
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.bindings import bind
from graphmer_geo.kg.folder import recover
from graphmer_geo.kg.manifest import Manifest
from graphmer_geo.kg.occurrences import read_occurrence_parts, read_occurrences
from graphmer_geo.kg.queries import named_query
from graphmer_geo.kg.remote import RemoteStore, is_endpoint, ontology_version
from graphmer_geo.kg.sources import read_bounded
from graphmer_geo.kg.terms import to_python, to_term
from graphmer_geo.kg.update import STORE, resume

if TYPE_CHECKING:
    from rdflib import Dataset

    from graphmer_geo.kg.validate import ValidationReport


class KnowledgeGraph:
    """Declarations and references of a code corpus, in RDF.

    The default graph of queries is the union of all named graphs: one per source file, one per file for
    heuristic edges, one per inference rule, the ontology and the provenance.

    Attributes:
        store: The Oxigraph store. It is read-only when opened from a folder, unless ``writable`` was asked
            for.
        manifest: What was read and how it went.
        folder: Where the graph lies, or None in memory.
    """

    def __init__(
        self,
        store: ox.Store,
        occurrences: pa.Table | None,
        manifest: Manifest,
        *,
        folder: Path | None = None,
        writable: bool = True,
    ) -> None:
        self.store = store
        self.manifest = manifest
        self.folder = folder
        self.writable = writable
        self._occurrences = occurrences

    @classmethod
    def open(cls, path: str | Path, *, writable: bool = False) -> KnowledgeGraph:
        """Open a graph's folder. Any number of readers may; a writer must be alone.

        The URL of a SPARQL 1.1 endpoint (``http://…``) opens a remote graph: queries and the tables of
        entities and triples work as for a folder; what needs files (occurrences, sources, export) does not.

        Raises:
            UserError: If the folder is not a knowledge graph, another process holds it for writing, or the
                endpoint cannot be reached.
        """
        if is_endpoint(str(path)):
            return cls._open_remote(str(path), writable)
        folder = Path(path)
        recover(folder)
        resume(folder)
        manifest = Manifest.load(folder)
        place = folder / STORE
        if not place.is_dir():
            raise UserError(f"{str(folder)!r} has no {STORE}/ folder; build the graph again")
        try:
            store = ox.Store(place) if writable else ox.Store.read_only(str(place))
        except OSError as error:
            reason = str(error).splitlines()[0][:200]
            raise UserError(
                f"cannot open {str(place)!r} ({reason}); close its writer or build it again"
            ) from None
        return cls(store, None, manifest, folder=folder.resolve(), writable=writable)

    @classmethod
    def _open_remote(cls, url: str, writable: bool) -> KnowledgeGraph:
        if writable:
            raise UserError(f"{url} is a remote graph, which can only be read")
        store = RemoteStore(url)
        manifest = Manifest("", ontology_version(store), {}, ())
        return cls(cast(ox.Store, store), None, manifest, writable=False)

    @property
    def ontology_version(self) -> str:
        """Version of the ontology the graph was built with."""
        return self.manifest.ontology_version

    @property
    def occurrences(self) -> pa.Table:
        """One row per place where a name is declared or used; see :mod:`graphmer_geo.kg.occurrences`."""
        if self._occurrences is None:
            if self.folder is None:
                raise UserError("a remote graph has no occurrence table; for this, open a folder")
            self._occurrences = read_occurrences(self.folder)
        return self._occurrences

    def occurrence_parts(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns of :attr:`occurrences`, in tables of whole files that need not all be in memory."""
        if self._occurrences is None and self.folder is not None:
            return read_occurrence_parts(self.folder, columns)
        return iter([self.occurrences.select(list(columns))])

    @cached_property
    def graph(self) -> Dataset:
        """The store as an rdflib Dataset whose default graph is the union of all graphs."""
        import rdflib
        from oxrdflib import OxigraphStore

        dataset = rdflib.Dataset(store=OxigraphStore(store=self.store), default_union=True)
        for prefix, namespace in v.PREFIXES.items():
            dataset.bind(prefix, namespace)
        return dataset

    def query(self, sparql: str, **bindings: Any) -> list[dict[str, Any]]:
        """Run a SPARQL query; the usual prefixes (``gm:``, ``rdfs:``, …) need no declaration.

        Args:
            sparql: SELECT, ASK, CONSTRUCT or DESCRIBE.
            **bindings: Values for variables of the query, as terms: a value can never become syntax. A
                string that begins with ``http://``, ``https://`` or ``urn:`` is an IRI; pass an rdflib or
                pyoxigraph literal where it is not meant as one.

        Returns:
            One dict per row, variable name -> Python value (IRIs as ``str``; unbound variables are left
            out). ASK gives one row ``{"ask": bool}``; CONSTRUCT and DESCRIBE give ``subject``,
            ``predicate``, ``object``.

        Raises:
            UserError: If the query is not valid SPARQL.
        """
        bound = bind(sparql, {name: to_term(value) for name, value in bindings.items()})
        try:
            result = self.store.query(bound, prefixes=v.PREFIXES, use_default_graph_as_union=True)
        except SyntaxError as error:
            raise UserError(f"the query is not valid SPARQL: {str(error).strip()}") from None
        if isinstance(result, ox.QueryBoolean):
            return [{"ask": bool(result)}]
        if isinstance(result, (ox.QueryTriples, list)):
            names = ("subject", "predicate", "object")
            return [{n: to_python(getattr(t, n)) for n in names} for t in result]
        columns = [variable.value for variable in result.variables]
        return [
            {name: to_python(term) for name, term in zip(columns, row, strict=True) if term is not None}
            for row in result
        ]

    def run(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one of the queries that ship with graphmer-geo; see ``ontology/queries``.

        Raises:
            UserError: If there is no query of this name, or a parameter is missing or unknown.
        """
        query = named_query(name)
        if set(parameters) != set(query.parameters):
            wanted = "; ".join(f"{p}: {meaning}" for p, meaning in query.parameters.items()) or "none"
            raise UserError(f"query {name!r} got the parameters {sorted(parameters)}; it takes {wanted}")
        rows = self.query(query.text, **parameters)
        if not query.then:
            return rows
        from graphmer_geo.kg.answers import STEPS  # networkx takes a while

        return STEPS[query.then](rows)

    @cached_property
    def _entities(self) -> pa.Table:
        return self._read_entities(tables.ENTITIES.names)

    @cached_property
    def _triples(self) -> pa.Table:
        return tables.triple_table(self.store)

    def entities(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Every entity, sorted by IRI; see :data:`graphmer_geo.kg.tables.ENTITIES`.

        Args:
            columns: Read these only, which takes less time (default: all; read once, then kept).
        """
        if columns is None or "_entities" in self.__dict__:
            return self._entities.select(list(columns or self._entities.column_names))
        return self._read_entities(columns)

    def _read_entities(self, columns: Sequence[str]) -> pa.Table:
        is_local = self._occurrences is not None or self.folder is not None
        has_names = is_local and not tables.NAME_COLUMNS.keys().isdisjoint(columns)
        return tables.entity_table(self.store, columns, self.occurrences if has_names else None)

    def triples(self) -> pa.Table:
        """Every asserted relation between two entities; see :data:`graphmer_geo.kg.tables.TRIPLES`."""
        return self._triples

    def read_source(self, file_key: str) -> bytes:
        """The bytes of a source file, exactly as they were when the graph was built.

        Raises:
            UserError: If the graph has no such file, or it has moved or changed since.
        """
        record = self.manifest.file(file_key)
        try:
            data = read_bounded(Path(record.root), record.path)
        except OSError as error:
            place = str(Path(record.root) / record.path)
            reason = error.strerror or error
            raise UserError(
                f"cannot read {place!r} ({reason}); put the sources back or build again"
            ) from None
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise UserError(f"{file_key!r} has changed since the graph was built; build the graph again")
        return data

    def validate(self) -> ValidationReport:
        """Check the graph against the shapes of the ontology; see :mod:`graphmer_geo.kg.validate`."""
        from graphmer_geo.kg.validate import validate

        return validate(self)

    def infer(self) -> dict[str, int]:
        """Add what the ontology entails, one named graph per rule; see :mod:`graphmer_geo.kg.reasoning`.

        Returns:
            Rule -> number of triples.

        Raises:
            UserError: If the graph was opened read-only.
        """
        from graphmer_geo.kg.reasoning import infer

        self._check_writable()
        return infer(self.store)

    def forget_inferred(self) -> None:
        """Remove everything that :meth:`infer` added.

        Raises:
            UserError: If the graph was opened read-only.
        """
        from graphmer_geo.kg.reasoning import forget

        self._check_writable()
        forget(self.store)

    def _check_writable(self) -> None:
        if not self.writable:
            raise UserError(
                "the knowledge graph is open read-only; use KnowledgeGraph.open(path, writable=True)"
            )
