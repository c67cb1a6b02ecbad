"""A graph behind a SPARQL 1.1 endpoint, for graphs that outgrow one machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pyoxigraph as ox

from graphmer_geo.errors import UserError

MAX_BYTES = 2_000_000_000  #: of one answer
SECONDS = 300.0  #: for one answer
_RESULTS, _TRIPLES = "application/sparql-results+json", "application/n-triples"

Answer = ox.QuerySolutions | ox.QueryBoolean | list[ox.Triple]


def is_endpoint(place: str) -> bool:
    """Whether this names an endpoint and no folder."""
    return place.startswith(("http://", "https://"))


class RemoteStore:
    """As much of an Oxigraph store as a query endpoint can give: answers to queries.

    Queries ask for the union of all named graphs, in Oxigraph's way; any other endpoint must have that union
    as its default graph.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def query(
        self,
        query: str,
        *,
        prefixes: Mapping[str, str] | None = None,
        use_default_graph_as_union: bool = False,
    ) -> Answer:
        """The answer to a query.

        Raises:
            UserError: If the endpoint cannot be reached, refuses the query, or answers something else.
        """
        head = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in (prefixes or {}).items())
        form = {"query": head + query}
        if use_default_graph_as_union:
            form["union-default-graph"] = "true"
        kind, data = self._post(urlencode(form).encode())
        try:
            if kind == _RESULTS:
                return ox.parse_query_results(data, format=ox.QueryResultsFormat.JSON)
            if kind == _TRIPLES:
                return [quad.triple for quad in ox.parse(data, format=ox.RdfFormat.N_TRIPLES)]
        except SyntaxError as error:
            raise UserError(f"{self.url} gave a damaged answer ({error})") from None
        raise UserError(f"{self.url} answered with {kind or 'no type'!r}; is it a SPARQL query endpoint?")

    def _post(self, form: bytes) -> tuple[str, bytes]:
        accept = {"Accept": f"{_RESULTS}, {_TRIPLES};q=0.9"}
        try:
            with urlopen(Request(self.url, form, accept), timeout=SECONDS) as answer:
                data: bytes = answer.read(MAX_BYTES + 1)
                kind = str(answer.headers.get_content_type())
        except HTTPError as error:
            reason = error.read(500).decode("utf-8", "replace").strip() or error.reason
            raise UserError(f"{self.url} refuses the query ({error.code}): {reason}") from None
        except OSError as error:
            why = error.reason if isinstance(error, URLError) else error
            raise UserError(f"cannot reach {self.url} ({why}); check the address and the server") from None
        if len(data) > MAX_BYTES:
            raise UserError(f"{self.url} answered with more than {MAX_BYTES:,} bytes; ask for less (LIMIT)")
        return kind, data

    def __len__(self) -> int:
        rows: Any = self.query("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
        return sum(int(row["n"].value) for row in rows)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UserError(f"{self.url} is a remote graph, which answers queries only; for this, open a folder")


def ontology_version(store: RemoteStore) -> str:
    """Version of the ontology a remote graph was built with; empty if it does not say.

    Raises:
        UserError: If the endpoint cannot be asked.
    """
    rows: Any = store.query(
        "SELECT ?v { <https://w3id.org/graphmer> <http://www.w3.org/2002/07/owl#versionInfo> ?v }",
        use_default_graph_as_union=True,
    )
    return next((str(row["v"].value) for row in rows), "")
