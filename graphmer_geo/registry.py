"""Models with names, versions and stages, in MLflow's registry: a server or a local SQLite database."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from graphmer_geo.errors import UserError
from graphmer_geo.models.checkpoint import COMPANIONS, CONFIG, INDEX, WEIGHTS

#: Aliases that :meth:`Registry.promote` knows; each points at one version of a model.
STAGES = ("staging", "production", "archived")
#: Folder of a model among the files of its MLflow run.
FOLDER = "model"


def tracking_uri(uri: str = "") -> str:
    """Where MLflow keeps its things: as given, as the environment says, or a database in this folder."""
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


class Registry:
    """The registry at an address.

    Args:
        uri: MLflow server or database; empty: ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db``.
    """

    def __init__(self, uri: str = "") -> None:
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", str(sys.stderr.isatty()).lower())
        from mlflow import MlflowClient

        self.uri = tracking_uri(uri)
        self.client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def register(self, run: str | Path, name: str, experiment: str = "graphmer") -> int:
        """Upload a trained model and make it the next version of ``name``; returns the version.

        A run that was tracked in MLflow here gets the model; another one an MLflow run of its own.

        Raises:
            UserError: ``run`` holds no complete model, or the registry cannot be reached.
        """
        folder = Path(run)
        config = _read(folder / CONFIG)
        metrics = _read(folder / "metrics.json")
        files = [folder / n for n in (WEIGHTS, INDEX, CONFIG, *COMPANIONS) if (folder / n).is_file()]
        files += sorted(folder.glob("model-*-of-*.safetensors"))
        with reaching(self.uri):
            run_id = self._run_of(folder, experiment)
            for file in files:
                self.client.log_artifact(run_id, str(file), FOLDER)
            if not self.client.search_registered_models(f"name = '{name}'"):
                self.client.create_registered_model(name)
            source = f"{self.client.get_run(run_id).info.artifact_uri}/{FOLDER}"
            tags = {
                "ontology_version": config["ontology_version"],
                "steps": str(metrics["steps"]),
                "parameters": str(sum(metrics["parameters"].values())),
            }
            made = self.client.create_model_version(name, source, run_id, tags=tags)
        return int(made.version)

    def models(self) -> list[dict[str, Any]]:
        """One row per version of each model."""
        with reaching(self.uri):
            names = [model.name for model in self.client.search_registered_models()]
            return [self._row(name, version) for name in sorted(names) for version in self._versions(name)]

    def show(self, name: str, version: str = "") -> dict[str, Any]:
        """What is known of a version: a number or a stage; default: the newest."""
        with reaching(self.uri):
            found = self._find(name, version)
            run = self.client.get_run(found.run_id)
            return self._row(name, found) | {
                "source": found.source,
                "run": found.run_id,
                "metrics": dict(run.data.metrics),
                "settings": dict(run.data.params),
            }

    def promote(self, name: str, version: str, stage: str) -> None:
        """Let a stage point at a version; the version it pointed at before loses it."""
        if stage not in STAGES:
            raise UserError(f"no stage {stage!r}; use one of {', '.join(STAGES)}")
        with reaching(self.uri):
            found = self._find(name, version)
            self.client.set_registered_model_alias(name, stage, found.version)

    def fetch(self, name: str, version: str, out: str | Path) -> Path:
        """Copy the files of a version into the folder ``out``, for ``GraphMER.from_pretrained``."""
        with reaching(self.uri), TemporaryDirectory() as scratch:
            found = self._find(name, version)
            files = Path(self.client.download_artifacts(found.run_id, FOLDER, scratch))
            Path(out).mkdir(parents=True, exist_ok=True)
            for file in sorted(files.iterdir()):
                shutil.copyfile(file, Path(out) / file.name)
        return Path(out)

    def _run_of(self, folder: Path, experiment: str) -> str:
        note = folder / "mlflow.json"
        if note.is_file():
            noted = _read(note)
            if noted["tracking_uri"] == self.uri:
                return str(noted["run_id"])
        found = self.client.get_experiment_by_name(experiment)
        experiment_id = found.experiment_id if found else self.client.create_experiment(experiment)
        run_id = str(self.client.create_run(experiment_id, run_name=folder.resolve().name).info.run_id)
        for key, value in _read(folder / "metrics.json")["last"].items():
            if isinstance(value, int | float):
                self.client.log_metric(run_id, key, value)
        with redirect_stdout(sys.stderr):  # it prints where to look
            self.client.set_terminated(run_id)
        return run_id

    def _versions(self, name: str) -> list[Any]:
        found = self.client.search_model_versions(f"name = '{name}'")
        return sorted(found, key=lambda version: int(version.version))

    def _find(self, name: str, version: str) -> Any:
        versions = self._versions(name)
        if not versions:
            known = ", ".join(sorted(model.name for model in self.client.search_registered_models()))
            raise UserError(f"no model {name!r} in {self.uri}; there are: {known or 'none'}")
        if not version:
            return versions[-1]
        aliases = self.client.get_registered_model(name).aliases
        number = str(aliases.get(version, version))
        for found in versions:
            if str(found.version) == number:
                return found
        numbers = ", ".join(str(found.version) for found in versions)
        raise UserError(f"{name} has no version or stage {version!r}; versions: {numbers}")

    def _row(self, name: str, version: Any) -> dict[str, Any]:
        aliases: Mapping[str, Any] = self.client.get_registered_model(name).aliases
        created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
        return {
            "name": name,
            "version": int(version.version),
            "stage": ", ".join(sorted(a for a, v in aliases.items() if str(v) == str(version.version))),
            "created": created.isoformat(timespec="seconds"),
            **dict(version.tags),
        }


@contextmanager
def reaching(uri: str) -> Iterator[None]:
    """Turns MLflow's errors into one line."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        cause = str(error).strip().splitlines()[0]
        raise UserError(f"MLflow at {uri}: {cause}") from error


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"no {path.name} in {path.parent}; give the folder of a finished training run")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
