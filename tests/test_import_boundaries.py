"""Imports point one way: layers know nothing of RDF or parsers, the graph knows nothing of torch."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

RDF_AND_PARSERS = ("rdflib", "pyoxigraph", "oxrdflib", "pyshacl", "tree_sitter", "pyarrow")
TENSORS = ("torch", "torch_geometric", "transformers", "tokenizers")
#: Import names of what only extras bring, where they differ from the names of the packages.
IMPORT_NAMES = {
    "faiss-cpu": "faiss", "myst-nb": "myst_nb", "scikit-learn": "sklearn", "torch-scatter": "torch_scatter",
}  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter has loaded after running ``code``."""
    script = (
        f"{code}\nimport json, sys\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", ["graphmer_geo.nn", "graphmer_geo.models"])
def test_layers_work_where_rdf_parsers_and_trainers_are_missing(package: str) -> None:
    missing = (*RDF_AND_PARSERS, "transformers", "tokenizers", "graphmer_geo.kg", "graphmer_geo.data")
    loaded_after(f"import sys\nfor name in {missing}: sys.modules[name] = None\nimport {package}")


@pytest.mark.parametrize("package", ["graphmer_geo.nn", "graphmer_geo.models"])
def test_layers_load_no_rdf_and_no_parser(package: str) -> None:
    assert not loaded_after(f"import {package}") & (set(RDF_AND_PARSERS) - {"pyarrow"})  # pandas loads that


@pytest.mark.parametrize(
    "code",
    [
        "import graphmer_geo.kg",
        "import graphmer_geo.cli.kg",
        "from graphmer_geo.kg import build_kg, KnowledgeGraph",
        "import graphmer_geo.resources",
    ],
)
def test_the_graph_does_not_know_tensors(code: str) -> None:
    assert not loaded_after(code) & set(TENSORS)


def test_running_kg_commands_loads_no_torch(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.py").write_text("def f(): return g()\ndef g(): return 1\n")
    out = tmp_path / "kg"
    code = "\n".join(
        [
            "from graphmer_geo.cli import main",
            f"assert main(['kg', 'build', {str(tmp_path)!r}, '--out', {str(out)!r}]) == 0",
            f"assert main(['kg', 'query', {str(out)!r}, 'SELECT ?f {{ ?f a gm:Function }}']) == 0",
        ]
    )
    assert not loaded_after(code) & set(TENSORS)


def test_importing_the_package_pulls_nothing_optional() -> None:
    declared = [Requirement(text) for text in requires("graphmer-geo") or []]
    optional = {
        IMPORT_NAMES.get(r.name, r.name.replace("-", "_")) for r in declared if "extra" in str(r.marker)
    }
    assert "matplotlib" in optional
    loaded = loaded_after("import graphmer_geo, graphmer_geo.cli")
    assert not loaded & (optional | set(RDF_AND_PARSERS) | set(TENSORS))
