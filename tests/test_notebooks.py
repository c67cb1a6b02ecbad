"""Every notebook runs as a reader would run it, and is kept without what it printed."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.ipynb"))

#: What the last line of output must show.
EXPECTED = {
    "code_search.ipynb": r"searched \d\d+ functions",
    "hgat_in_your_gnn.ipynb": r"times the attention of an average edge",
    "kg_and_sparql.ipynb": r"as tensors: \d\d+ nodes of \d+ types, \d\d+ edges",
    "link_prediction_and_pykeen.ipynb": r"encoder +MRR 0\.\d\d\d",
    "train_and_evaluate.ipynb": r"hidden tails: model 0\.\d+, at random 0\.0\d+",
    "what_attention_looked_at.ipynb": r"attention to leaves, last layer: 0\.\d\d of 1",
}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    if "pykeen" in notebook.name and find_spec("pykeen") is None:
        pytest.skip("compares with PyKEEN, which is not installed (extra dev)")
    content = nbformat.read(notebook, as_version=4)
    NotebookClient(
        content, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    printed = [
        output["text"]
        for cell in content.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    ]
    assert re.search(EXPECTED[notebook.name], "".join(printed).splitlines()[-1]), printed


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_stripped(notebook: Path) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        assert not cell["metadata"]
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    assert set(content["metadata"]) <= {"kernelspec", "language_info"}
    assert set(content["metadata"]["language_info"]) == {"name"}


def test_every_notebook_says_what_it_ends_with() -> None:
    assert {path.name for path in NOTEBOOKS} == set(EXPECTED)
