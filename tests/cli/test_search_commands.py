"""Fine-tune, embed and search from the command line, on code that was never prepared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphmer_geo.cli import main
from graphmer_geo.data import ChainConfig, DataConfig, prepare
from graphmer_geo.kg import build_kg
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train
from tests.data import documented
from tests.inference.conftest import TINY


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge graph, data of it, and a run on that data."""
    root = tmp_path_factory.mktemp("commands")
    build_kg([documented.write(root / "code")], out=root / "kg")
    config = DataConfig(vocab_size=600, max_roots=64, min_roots=4, near_duplicates=0)
    prepare(root / "kg", root / "data", config)
    train(root / "data", root / "base", TrainArgs(max_steps=2, threads=1), TINY, ChainConfig(max_triples=12))
    assert main(["finetune", str(root / "base"), "--data", str(root / "data"), "--out", str(root / "run"),
                 "--max_steps", "8", "--learning_rate", "5e-3", "--threads", "1",
                 "--pairs.per_batch", "4", "--pairs.buckets", "512"]) == 0  # fmt: skip
    return root


def test_search_a_graph(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, kg = str(root / "run"), str(root / "kg")
    words = ["search", run, "count the sheep that a path leads to", "--code", kg, "--top", "3"]
    assert main([*words, "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)
    assert len(hits) == 3
    assert "count_sheep" in [hit["name"] for hit in hits]
    assert all(hit["iri"].startswith("https://w3id.org/graphmer/id/python/") for hit in hits)
    assert main(words) == 0  # the index is there now
    assert "count_sheep" in capsys.readouterr().out
    assert len(list((root / "run" / "indexes").iterdir())) == 1
    (root / "code" / "animals" / "more.py").write_text("def more():\n    return 1\n")
    build_kg([root / "code"], out=root / "kg")
    assert main(words) == 2
    assert "is stale: its source_fingerprint" in capsys.readouterr().err
    assert main([*words, "--rebuild"]) == 0
    assert main(words) == 0


def test_embed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "v.npy")
    words = ["embed", str(root / "run"), str(root / "data"), "--out", out, "--of", "files", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["vectors"] > 5


def test_bad_input(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, data = str(root / "run"), str(root / "data")
    assert main(["search", run, "x"]) == 2
    assert "nothing to search: give --code" in capsys.readouterr().err
    assert main(["search", str(root / "base"), "x", "--code", data]) == 2
    assert "no head for search" in capsys.readouterr().err
    words = ["finetune", run, "--data", data, "--max_steps", "2", "--out"]
    assert main([*words, str(tmp_path / "r")]) == 2
    assert "18 pairs do not fill a batch of 64" in capsys.readouterr().err
    assert main([*words, run, "--pairs.per_batch", "4"]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert main(["finetune", run, "--data", data, "--out", str(tmp_path / "r"), "--mlm_prob", "0.3"]) == 2
    assert "mlm_prob" in capsys.readouterr().err
