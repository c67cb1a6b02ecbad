"""A search over settings with Optuna: resumable, pruned, judged on packages that were held out."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import yaml
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from graphmer_geo.data.folder import DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.files import write_json, write_text
from graphmer_geo.models import GraphMER
from graphmer_geo.train.held_out import held_out
from graphmer_geo.train.run import train
from graphmer_geo.train.run_folder import RunSettings
from graphmer_geo.train.tables import Tables

logger = logging.getLogger(__name__)

#: What is tried of each setting; batches are multiples of the given budget, and the curriculum is that for
#: which the data was prepared, up to half of the steps.
SPACE: Mapping[str, tuple[float, ...]] = {
    "learning_rate": (1e-4, 2.5e-4, 5e-4),
    "batch": (0.5, 1.0, 2.0),
    "curriculum": (0.0, 1.0),
    "weight_decay": (0.0, 0.01, 0.1),
    "mnm_weight": (0.5, 1.0, 2.0),
    "rank_weight": (0.5, 1.0, 2.0),
}
OBJECTIVES = ("mlm", "mnm", "rank")


def tune(data: str | Path, out: str | Path, settings: RunSettings, trials: int = 20) -> dict[str, Any]:
    """Search until the study in ``out`` has ``trials`` finished or pruned trials; returns the best settings.

    ``OUT/study.db`` keeps the study, so a search that was stopped goes on. ``OUT/trial-N`` are run folders,
    ``OUT/report.md`` tells the results and what mattered, ``OUT/best.yaml`` is for ``graphmer train``.

    Raises:
        UserError: ``settings`` have no number of steps, or no trial finished.
    """
    folder, target = DataFolder.open(data), Path(out)
    if settings.args.max_steps is None:
        raise UserError("a search needs max_steps: trials of the same number of steps are compared")
    target.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="tune",
        storage=f"sqlite:///{target.resolve() / 'study.db'}",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=settings.args.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=settings.args.max_steps // 4),
    )
    tables = Tables.load(folder)

    def objective(trial: optuna.Trial) -> float:
        tried = suggest(trial, settings, folder)
        run = target / f"trial-{trial.number}"
        pruner = Prune(trial)
        train(folder.path, run, tried.args, tried.model, tried.chain, callbacks=(pruner,))
        if pruner.pruned:
            raise optuna.TrialPruned
        found = held_out(GraphMER.from_pretrained(run), folder, tables, settings.args, tried.chain)
        trial.set_user_attr("held_out", found)
        return sum(found.get(name, 0.0) for name in OBJECTIVES)

    over = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    done = len(study.get_trials(states=over))
    study.optimize(objective, n_trials=max(trials - done, 0))
    if not study.get_trials(states=over[:1]):
        raise UserError(f"no trial in {target} finished; raise trials ({trials})")
    return write_report(study, target, settings, folder)


def suggest(trial: optuna.Trial, settings: RunSettings, folder: DataFolder) -> RunSettings:
    """The settings of a trial."""
    chosen = {name: trial.suggest_categorical(name, list(values)) for name, values in SPACE.items()}
    return resolved(chosen, settings, folder)


def resolved(chosen: Mapping[str, Any], settings: RunSettings, folder: DataFolder) -> RunSettings:
    """``settings`` with what was chosen of :data:`SPACE`."""
    args, config = settings.args, folder.manifest.config
    lengths, switches = args.root_lengths, args.root_steps
    if config.curriculum:
        lengths, switches = (), ()
        if chosen["curriculum"]:
            lengths = (*config.curriculum, config.max_roots)
            half, phases = (args.max_steps or 0) // 2, len(config.curriculum)
            switches = tuple(max(half * (i + 1) // phases, i + 1) for i in range(phases))
    args = replace(
        args,
        learning_rate=chosen["learning_rate"],
        weight_decay=chosen["weight_decay"],
        batch_tokens=max(1, round(args.batch_tokens * chosen["batch"])),
        root_lengths=lengths,
        root_steps=switches,
    )
    weights = {name: chosen[name] for name in ("mnm_weight", "rank_weight")}
    return RunSettings(args, replace(settings.model, **weights), settings.chain)


class Prune(TrainerCallback):
    """Reports the unweighted training losses, and ends a run that is worse than the median of the others."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial, self.pruned = trial, False

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """One line of the log."""
        if logs and "loss" in logs:
            self.trial.report(sum(logs.get(name, 0.0) for name in OBJECTIVES), state.global_step)
            self.pruned = state.global_step < state.max_steps and self.trial.should_prune()
            control.should_training_stop = control.should_training_stop or self.pruned


def write_report(study: optuna.Study, out: Path, settings: RunSettings, folder: DataFolder) -> dict[str, Any]:
    """``report.md`` with ``importance.svg``, ``tune.json`` and ``best.yaml``."""
    finished = [t for t in study.trials if t.state.is_finished()]
    importance = _importance(study)
    best = resolved(study.best_params, settings, folder)
    rows = [
        {"trial": t.number, "state": t.state.name.lower(), "value": t.value, **t.params} for t in finished
    ]
    summary = {
        "best": {"trial": study.best_trial.number, "value": study.best_value, **study.best_params},
        "held_out": study.best_trial.user_attrs["held_out"],
        "importance": importance,
        "trials": rows,
    }
    write_json(out / "tune.json", summary)
    write_text(out / "best.yaml", yaml.safe_dump(best.to_dict(), sort_keys=False))
    names = list(rows[0])
    lines = [
        "# Search\n",
        f"Best: trial {study.best_trial.number}, held-out loss {study.best_value:.4f} "
        f"({' + '.join(OBJECTIVES)}, unweighted). Settings: `best.yaml`.\n",
        "| " + " | ".join(names) + " |",
        "|" + "---|" * len(names),
        *("| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows),
        "\n## What mattered\n",
    ]
    if importance:
        from graphmer_geo.viz.charts import bar_figure

        shares = {name: 100 * value for name, value in importance.items()}
        figure = bar_figure(shares, unit="per cent of the variance between trials")
        figure.savefig(out / "importance.svg", facecolor="white")
        lines.append("![importance of each setting](importance.svg)")
        lines += [f"- {name}: {value:.0%}" for name, value in importance.items()]
    else:
        lines.append("Too few trials finished to tell.")
    write_text(out / "report.md", "\n".join(lines) + "\n")
    plain: dict[str, Any] = json.loads(json.dumps(summary))
    return plain


def _importance(study: optuna.Study) -> dict[str, float]:
    """Share of the variance that each setting explains; empty if too few trials tell."""
    finished = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    if len(finished) < 2 or len({trial.value for trial in finished}) < 2:
        return {}
    found = optuna.importance.get_param_importances(study)
    return {name: round(float(value), 4) for name, value in found.items()}
