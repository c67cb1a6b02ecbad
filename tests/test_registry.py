"""The model registry, on a real MLflow server with a SQLite database."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("mlflow")

from graphmer_geo.cli import main
from graphmer_geo.data import DataConfig, prepare
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train
from tests.data.standin import StandInKG

TINY = GraphMERConfig.small(hidden_size=16, num_layers=1, num_heads=2, ffn_size=32, popularity_buckets=64)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1",
    ]  # fmt: skip
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, "the server ended"
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_from_a_tracked_run_to_a_promoted_model(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    data = tmp_path / "data"
    prepare(StandInKG(), data, DataConfig(vocab_size=500, max_roots=64, min_roots=5))
    run, settings = tmp_path / "run", {"batch_tokens": 1024, "log_steps": 1, "save_steps": 2}
    train(data, run, TrainArgs(max_steps=2, trackers=("mlflow",), **settings), TINY)  # type: ignore[arg-type]
    resumed = TrainArgs(max_steps=4, trackers=("mlflow",), resume=True, **settings)  # type: ignore[arg-type]
    train(data, run, resumed, TINY)

    from mlflow import MlflowClient

    client = MlflowClient(server)
    tracked = json.loads((run / "mlflow.json").read_text())
    assert tracked["tracking_uri"] == server
    history = client.get_metric_history(tracked["run_id"], "loss")
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [(m.step, m.value) for m in history] == [(line["step"], line["loss"]) for line in lines]
    parameters = client.get_run(tracked["run_id"]).data.params
    assert (parameters["model.hidden_size"], parameters["batch_tokens"]) == ("16", "1024")

    for version in (1, 2):
        assert main(["models", "register", str(run), "--name", "tiny"]) == 0
        assert f"tiny version {version}" in capsys.readouterr().out
    assert main(["models", "promote", "tiny", "--version", "1", "--stage", "production"]) == 0
    assert main(["models", "promote", "tiny", "--version", "2", "--stage", "staging"]) == 0
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["version"], row["stage"]) for row in rows] == [
        ("tiny", 1, "production"),
        ("tiny", 2, "staging"),
    ]
    assert rows[0]["steps"] == "4"
    assert main(["models", "promote", "tiny", "--version", "staging"]) == 0  # version 2 takes production over
    capsys.readouterr()
    assert main(["models", "show", "tiny", "--version", "production", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["version"], shown["stage"]) == (2, "production, staging")
    assert shown["metrics"]["loss"] == lines[-1]["loss"]
    assert shown["settings"]["model.hidden_size"] == "16"

    out = tmp_path / "fetched"
    assert main(["models", "fetch", "tiny", "--version", "production", "--out", str(out)]) == 0
    fetched = {path.name for path in out.iterdir()}
    assert fetched >= {"model.safetensors", "config.json", "tokenizer.json", "relations.json", "README.md"}
    assert GraphMER.from_pretrained(out).config == GraphMER.from_pretrained(run).config
    assert (out / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()

    capsys.readouterr()
    for words, message in (
        (["show", "none"], "no model 'none'"),
        (["show", "tiny", "--version", "9"], "no version or stage '9'; versions: 1, 2"),
        (["register", str(tmp_path), "--name", "x"], "no config.json"),
    ):
        assert main(["models", *words]) == 2
        assert message in capsys.readouterr().err
