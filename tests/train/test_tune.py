"""A search is judged on held-out packages, goes on where it stopped, and ends what is worse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("optuna")

import optuna

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, prepare
from graphmer_geo.errors import UserError
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run_folder import RunSettings, load_settings
from graphmer_geo.train.tune import SPACE, Prune, resolved, tune
from tests.data.standin import StandInKG

from .fakes import tiny_trainer

TINY = GraphMERConfig.small(hidden_size=16, num_layers=1, num_heads=2, ffn_size=32, popularity_buckets=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(StandInKG(), path, DataConfig(vocab_size=500, max_roots=64, curriculum=(24,), min_roots=5))
    return DataFolder.open(path)


def settings(**changes: object) -> RunSettings:
    values = {
        "max_steps": 4,
        "batch_tokens": 512,
        "log_steps": 2,
        "save_steps": 100,
        "candidates": 8,
    } | changes
    return RunSettings(TrainArgs(**values), TINY, ChainConfig())  # type: ignore[arg-type]


def test_a_search_goes_on_and_reports(folder: DataFolder, tmp_path: Path) -> None:
    tune(folder.path, tmp_path, settings(), trials=1)
    found = tune(folder.path, tmp_path, settings(), trials=3)
    assert [row["trial"] for row in found["trials"]] == [0, 1, 2]
    values = [row["value"] for row in found["trials"] if row["state"] == "complete"]
    assert found["best"]["value"] == min(values)
    held_out = found["held_out"]
    assert sum(held_out[name] for name in ("mlm", "mnm", "rank")) == pytest.approx(min(values), abs=1e-6)
    assert all(row[name] in SPACE[name] for row in found["trials"] for name in SPACE)
    best = load_settings(tmp_path / "best.yaml")
    assert best.args.learning_rate == found["best"]["learning_rate"]
    assert best.model.mnm_weight == found["best"]["mnm_weight"]
    report = (tmp_path / "report.md").read_text()
    assert f"Best: trial {found['best']['trial']}" in report
    assert json.loads((tmp_path / "tune.json").read_text()) == found
    if found["importance"]:
        assert "<svg" in (tmp_path / "importance.svg").read_text()
        assert sum(found["importance"].values()) == pytest.approx(1.0, abs=0.01)


def test_what_is_chosen_is_what_trains(folder: DataFolder) -> None:
    chosen = {
        "learning_rate": 1e-4, "batch": 2.0, "curriculum": 1.0, "weight_decay": 0.1, "mnm_weight": 0.5,
        "rank_weight": 2.0,
    }  # fmt: skip
    made = resolved(chosen, settings(max_steps=100), folder)
    assert (made.args.learning_rate, made.args.batch_tokens, made.args.weight_decay) == (1e-4, 1024, 0.1)
    assert (made.args.root_lengths, made.args.root_steps) == ((24, 64), (50,))
    assert (made.model.mnm_weight, made.model.rank_weight) == (0.5, 2.0)
    assert resolved(chosen | {"curriculum": 0.0}, settings(), folder).args.root_lengths == ()
    with pytest.raises(UserError, match="needs max_steps"):
        tune(folder.path, "unused", settings(max_steps=None, max_seconds=1.0))


def test_a_trial_that_is_worse_than_the_others_is_ended(tmp_path: Path) -> None:
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=0))
    good = study.ask()
    good.report(0.001, 1)
    study.tell(good, 0.001)
    trial = study.ask()
    trainer, prune = tiny_trainer(tmp_path, max_steps=6), Prune(trial)
    trainer.add_callback(prune)
    trainer.train()
    assert prune.pruned
    assert trainer.state.global_step == 1
