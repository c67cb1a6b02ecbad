from __future__ import annotations

import hashlib
import json
import os
import signal
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from graphmer_geo.cli.parser import arguments_of, build_parser
from graphmer_geo.cli.registry import COMMANDS
from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, prepare
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMER, GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import TrainingInterrupted, model_config, train
from graphmer_geo.train.saving import last_checkpoint
from graphmer_geo.train.tables import ENTITY_KINDS, Tables
from tests.data.standin import StandInKG

TINY = GraphMERConfig.small(hidden_size=32, num_layers=1, num_heads=2, ffn_size=64, popularity_buckets=64)


def args(**changes: object) -> TrainArgs:
    settings = {"max_steps": 4, "batch_tokens": 1024, "log_steps": 1, "save_steps": 2} | changes
    return TrainArgs(**settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, min_roots=5))
    return DataFolder.open(path)


def test_the_run_folder_is_complete(folder: DataFolder, tmp_path: Path) -> None:
    out = train(folder.path, tmp_path / "run", args(), TINY)
    assert {p.name for p in out.iterdir()} == {
        "model.safetensors", "config.json", "tokenizer.json", "relations.json", "train_args.json",
        "train.yaml", "README.md", "log.jsonl", "metrics.json", "checkpoints",
    }  # fmt: skip
    model = GraphMER.from_pretrained(out, relation_map=folder.relations, vocab_size=len(folder.tokenizer))
    assert model.config.entity_kinds == ENTITY_KINDS
    assert model.config.mask_id == folder.tokenizer.mask_id
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["steps"] == 4
    assert metrics["parameters"] == model.num_parameters_by_part()
    assert metrics["last"].keys() >= {"mlm", "rank", "loss"}
    assert len((out / "log.jsonl").read_text().splitlines()) == 4


def test_the_published_model_trains_and_loads(folder: DataFolder, tmp_path: Path) -> None:
    """Span boundaries instead of ranking, matrices of its own for each relation, no positions."""
    sizes = {"hidden_size": 32, "num_layers": 1, "num_heads": 2, "ffn_size": 64}
    out = train(folder.path, tmp_path / "run", args(), GraphMERConfig.paper(**sizes), ChainConfig.paper())
    last = json.loads((out / "metrics.json").read_text())["last"]
    assert {"mlm", "sbo", "sbo_acc", "loss"} <= last.keys()
    assert "rank" not in last
    model = GraphMER.from_pretrained(out, vocab_size=len(folder.tokenizer))
    assert model.ranking_head is None
    assert model.sbo_head is not None


def test_a_run_says_how_it_was_made(folder: DataFolder, tmp_path: Path) -> None:
    out = train(folder.path, tmp_path / "run", args(save_steps=2), TINY)
    train(folder.path, out, args(max_steps=5, resume=True), TINY)
    said = json.loads((out / "train_args.json").read_text())
    manifest = (folder.path / "manifest.json").read_bytes()
    assert said["data"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert said["train"]["max_steps"] == 5
    assert said["model"]["vocab_size"] == len(folder.tokenizer)
    assert [session["from_step"] for session in said["sessions"]] == [0, 4]
    for session in said["sessions"]:
        assert session["code"].keys() == {"version", "commit"}
        assert session["environment"]["versions"]["torch"] == str(version("torch"))
        assert session["environment"]["machine"]["cores"]
    # the settings are a configuration that trains the same again
    command = next(c for c in COMMANDS if c.name == "train")
    function = command.load()
    words = ["--config", str(out / "train.yaml"), "--data", str(folder.path), "--out", "again"]
    parser = build_parser(command, function)
    got = arguments_of(function, vars(parser.instantiate(parser.parse_args(words))))
    assert got["args"] == args(max_steps=5)
    assert model_config(folder, got["model"]) == model_config(folder, TINY)


def test_the_model_card_tells_what_it_is(folder: DataFolder, tmp_path: Path) -> None:
    out = train(folder.path, tmp_path / "run", args(), TINY)
    card = (out / "README.md").read_text()
    header = yaml.safe_load(card.split("---")[1])
    assert header["library_name"] == "graphmer-geo"
    model = GraphMER.from_pretrained(out)
    metrics = json.loads((out / "metrics.json").read_text())
    for text in (
        "# run",
        "| states / layers / heads / feed-forward | 32 / 1 / 2 / 64 |",
        f"| parameters | {sum(model.num_parameters_by_part().values()):,} |",
        f"| ontology version | {model.config.ontology_version} |",
        f"| loss: masked tokens | {metrics['last']['mlm']:.4g} |",
        hashlib.sha256((folder.path / "manifest.json").read_bytes()).hexdigest(),
        *folder.manifest.units,
    ):
        assert text in card, text


def test_resume_auto_starts_or_goes_on(folder: DataFolder, tmp_path: Path) -> None:
    with pytest.raises(TrainingInterrupted, match="stopped at step 1;"):
        train(folder.path, tmp_path / "run", args(resume="auto", session_seconds=1e-6), TINY)
    out = train(folder.path, tmp_path / "run", args(resume="auto"), TINY)
    whole = train(folder.path, tmp_path / "whole", args(), TINY)
    a, b = (GraphMER.from_pretrained(run).state_dict() for run in (whole, out))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_seed_gives_the_same_weights(folder: DataFolder, tmp_path: Path) -> None:
    runs = [train(folder.path, tmp_path / name, args(), TINY) for name in "ab"]
    a, b = (GraphMER.from_pretrained(run).state_dict() for run in runs)
    assert all(torch.equal(a[name], b[name]) for name in a)
    other = GraphMER.from_pretrained(train(folder.path, tmp_path / "c", args(seed=1), TINY)).state_dict()
    assert not torch.equal(a["embedding.token.weight"], other["embedding.token.weight"])


def test_an_interrupted_run_is_resumed_to_the_same_weights(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphmer_geo.train.trainer import LeafyChainTrainer

    whole = train(folder.path, tmp_path / "whole", args(max_steps=5), TINY)
    original = LeafyChainTrainer.compute_loss

    def interrupt(self: LeafyChainTrainer, *rest: object, **kwargs: object) -> object:
        if self.state.global_step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, *rest, **kwargs)  # type: ignore[arg-type]

    out = tmp_path / "parts"
    with monkeypatch.context() as patch:
        patch.setattr(LeafyChainTrainer, "compute_loss", interrupt)
        with pytest.raises(TrainingInterrupted, match="resume=true"):
            train(folder.path, out, args(max_steps=5, save_steps=100), TINY)
    assert not (out / "model.safetensors").exists()
    train(folder.path, out, args(max_steps=5, resume=True), TINY)
    a, b = (GraphMER.from_pretrained(run).state_dict() for run in (whole, out))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_is_never_overwritten_or_mixed(folder: DataFolder, tmp_path: Path) -> None:
    out = train(folder.path, tmp_path / "run", args(), TINY)
    with pytest.raises(UserError, match="already holds a run"):
        train(folder.path, out, args(), TINY)
    with pytest.raises(UserError, match="complete at step 4"):
        train(folder.path, out, args(resume=True), TINY)
    with pytest.raises(UserError, match=r"train\.learning_rate was 0\.0005"):
        train(folder.path, out, args(resume=True, max_steps=8, learning_rate=1e-3), TINY)
    with pytest.raises(UserError, match=r"model\.hidden_size was 32"):
        train(folder.path, out, args(resume=True, max_steps=8), GraphMERConfig.small())
    with pytest.raises(UserError, match="no run in"):
        train(folder.path, tmp_path / "none", args(resume=True), TINY)
    train(folder.path, out, args(resume=True, max_steps=6), TINY)
    assert json.loads((out / "metrics.json").read_text())["steps"] == 6


def test_half_written_checkpoints_are_passed_over(folder: DataFolder, tmp_path: Path) -> None:
    out = train(folder.path, tmp_path / "run", args(max_steps=5), TINY)
    newest = last_checkpoint(out)
    assert newest is not None
    assert newest.name == "checkpoint-5"
    (newest / "trainer_state.json").write_text('{"global_st')
    assert last_checkpoint(out) == out / "checkpoints" / "checkpoint-4"


def test_missing_data_is_an_error(tmp_path: Path) -> None:
    """An earlier system fell back to one synthetic sample."""
    with pytest.raises(UserError, match="prepared data"):
        train(tmp_path / "nothing", tmp_path / "run", args(), TINY)


def test_what_a_unit_repeats_is_counted_once(folder: DataFolder) -> None:
    tables = Tables.load(folder)
    relation, tail = tables.once_per_unit()
    rows = tables.triples[tables.in_train]
    units = tables.triple_unit[tables.in_train]
    expected = {(u, r, tables.labels[t]) for u, (_, r, t) in zip(units, rows.tolist(), strict=True)}
    assert len(relation) == len(expected)
    assert {(r, tables.labels[t]) for r, t in zip(relation, tail, strict=True)} == {e[1:] for e in expected}


def test_tables_hold_both_directions(folder: DataFolder) -> None:
    tables = Tables.load(folder)
    names = {index: name for name, index in tables.relations.items()}
    rows = {(h, names[r], t) for h, r, t in tables.triples.tolist()}
    assert len(rows) == 2 * folder.triples.num_rows
    for h, r, t in rows:
        inverse = r.removesuffix("^-1") if r.endswith("^-1") else f"{r}^-1"
        assert (t, inverse, h) in rows
    assert not set(tables.triples[tables.in_train][:, 0]) - set(np.flatnonzero(tables.known_to_train))
    chosen = np.array([3, 0])
    tok, ptr, kind = tables.names(chosen)
    spelled = [folder.tokenizer.decode(tok[ptr[i] : ptr[i + 1]].tolist()) for i in range(2)]
    assert spelled == [tables.labels[3], tables.labels[0]]
    assert kind.tolist() == tables.kinds[chosen].tolist()
