"""A graph behind a SPARQL endpoint: Oxigraph behind the standard library's HTTP server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pyoxigraph as ox
import pytest

from graphmer_geo.cli import main
from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg.tables import NAME_COLUMNS


class Endpoint(BaseHTTPRequestHandler):
    store: ox.Store

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        union = form.get("union-default-graph") == ["true"]
        if self.path != "/query":
            return self._answer(200, "text/html", b"<p>hello</p>")
        try:
            result = self.store.query(form["query"][0], use_default_graph_as_union=union)
        except SyntaxError as error:
            return self._answer(400, "text/plain", str(error).encode())
        if isinstance(result, ox.QueryTriples):
            data = result.serialize(format=ox.RdfFormat.N_TRIPLES)
            return self._answer(200, "application/n-triples", data or b"")
        data = result.serialize(format=ox.QueryResultsFormat.JSON)
        return self._answer(200, "application/sparql-results+json", data or b"")

    def _answer(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    root = tmp_path_factory.mktemp("remote")
    (root / "shop.py").write_text(
        'class A:\n    """Some \\"text\\"\twith a tab."""\n\n'
        "class B(A):\n    def f(self): g()\n\ndef g(): pass\n"
    )
    return build_kg([root])


@pytest.fixture(scope="module")
def url(local: KnowledgeGraph) -> Iterator[str]:
    handler = type("Handler", (Endpoint,), {"store": local.store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/query"
    server.shutdown()
    server.server_close()


def test_queries_and_tables_are_those_of_the_local_graph(local: KnowledgeGraph, url: str) -> None:
    remote = KnowledgeGraph.open(url)
    assert remote.ontology_version == local.ontology_version
    assert len(remote.store) == len(local.store)
    for name, values in (
        ("callers", {"function": "shop.g"}),
        ("subclasses", {"type": "shop.A"}),
        ("fan", {}),
    ):
        assert remote.run(name, **values) == local.run(name, **values) != []
    assert remote.query("ASK { ?x a gm:Class }") == [{"ask": True}]
    construct = "CONSTRUCT { ?x a gm:Class } WHERE { ?x a gm:Class }"
    rows = [sorted(row["subject"] for row in kg.query(construct)) for kg in (remote, local)]
    assert rows[0] == rows[1] != []
    names = list(NAME_COLUMNS)  # these come from the occurrence table, which a remote graph has not
    assert remote.entities().drop_columns(names).equals(local.entities().drop_columns(names))
    assert all(remote.entities()[name].null_count == remote.entities().num_rows for name in names)
    assert remote.triples().equals(local.triples())


def test_on_the_command_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kg", "query", url, "--name", "subclasses", "--bind", "type=shop.A", "--format", "csv"]) == 0
    assert "shop.B" in capsys.readouterr().out


def test_what_goes_wrong_is_one_line(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=r"refuses the query \(400\)"):
        KnowledgeGraph.open(url).query("SELEC ?x")
    with pytest.raises(UserError, match=r"cannot reach http://127\.0\.0\.1:9/query"):
        KnowledgeGraph.open("http://127.0.0.1:9/query")
    with pytest.raises(UserError, match="'text/html'; is it a SPARQL query endpoint"):
        KnowledgeGraph.open(url.replace("query", "index.html"))
    with pytest.raises(UserError, match="can only be read"):
        KnowledgeGraph.open(url, writable=True)
    with pytest.raises(UserError, match="no occurrence table"):
        _ = KnowledgeGraph.open(url).occurrences
    assert main(["kg", "export", url, "--format", "nq", "--out", str(tmp_path / "x.nq")]) == 2
    assert "answers queries only" in capsys.readouterr().err
