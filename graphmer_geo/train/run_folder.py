"""What a run folder says about its run, and whether another run may go on in it."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import yaml

from graphmer_geo import __version__
from graphmer_geo.configs import config_path
from graphmer_geo.data.config import ChainConfig
from graphmer_geo.data.folder import MANIFEST, DataFolder
from graphmer_geo.errors import UserError
from graphmer_geo.files import write_json, write_text
from graphmer_geo.models import GraphMERConfig
from graphmer_geo.results import commit, machine, versions
from graphmer_geo.train.args import FIXED, TrainArgs
from graphmer_geo.train.distributed import world
from graphmer_geo.train.saving import UNFINISHED, last_checkpoint, step_of, writing

#: Fields of the model's configuration that the data decides.
FROM_DATA = (
    "vocab_size", "num_relations", "num_entity_kinds", "pad_id", "mask_id", "ontology_version",
    "tokenizer_hash", "relation_map", "entity_kinds",
)  # fmt: skip

#: How a run was made, for programs; and its settings, to be given to ``graphmer train --config`` again.
DESCRIPTION, SETTINGS = "train_args.json", "train.yaml"


@dataclass(frozen=True)
class RunSettings:
    """The resolved configuration of a run."""

    args: TrainArgs
    model: GraphMERConfig
    chain: ChainConfig

    def to_dict(self) -> dict[str, Any]:
        """As ``--config`` reads it, of JSON types; without what the data decides, and without ``resume``."""
        args = {key: value for key, value in asdict(self.args).items() if key != "resume"}
        model = {key: value for key, value in self.model.to_dict().items() if key not in FROM_DATA}
        plain: dict[str, Any] = json.loads(json.dumps(args | {"model": model, "chain": self.chain.to_dict()}))
        return plain

    def to_yaml(self) -> str:
        """:meth:`to_dict` as a file."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False)

    def flat(self) -> dict[str, Any]:
        """:meth:`to_dict` with keys like ``model.hidden_size``."""
        nested = self.to_dict()
        flat = {key: value for key, value in nested.items() if key not in ("model", "chain")}
        return flat | {
            f"{part}.{key}": value for part in ("model", "chain") for key, value in nested[part].items()
        }


def load_settings(config: str | Path, **changes: Any) -> RunSettings:
    """The settings of a YAML file or a shipped configuration, as ``graphmer train --config`` reads them.

    Needs none of the packages of the command line.

    Args:
        config: a file, or the name of a shipped configuration.
        changes: fields to set otherwise; ``model`` and ``chain`` take mappings of theirs.

    Raises:
        UserError: there is no such configuration, or a key is unknown.
    """
    path = config_path(str(config))
    found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    nested = {part: {**(found.pop(part, None) or {}), **changes.pop(part, {})} for part in ("model", "chain")}
    flat = found | changes
    known = {field.name: field for field in fields(TrainArgs)}
    if unknown := sorted(flat.keys() - known.keys()):
        raise UserError(f"{config}: unknown settings {', '.join(unknown)}; remove them or fix their spelling")
    args: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in flat.items()}
    model = GraphMERConfig.small().to_dict() | nested["model"]
    return RunSettings(
        TrainArgs(**args), GraphMERConfig.from_dict(model), ChainConfig.from_dict(nested["chain"])
    )


def chain_of(run: str | Path) -> ChainConfig:
    """Chains as a run was trained on.

    Raises:
        UserError: not the folder of a run.
    """
    path = Path(run) / SETTINGS
    if not path.is_file():
        raise UserError(f"no {path.name} in {run}; give the folder of a training run")
    return ChainConfig.from_dict(yaml.safe_load(path.read_text(encoding="utf-8"))["chain"])


def begin(out: Path, folder: DataFolder, settings: RunSettings) -> Path | None:
    """Write what describes the run; return the checkpoint to resume from, if any.

    Raises:
        UserError: the folder holds a run that is not to be resumed, or not with these settings, or none; or
            it cannot be written.
    """
    args, now = settings.args, _described(folder, settings)
    checkpoint, before = None, None
    if (out / DESCRIPTION).exists():
        if args.resume is False:
            raise UserError(
                f"{out} already holds a run; choose another folder, or continue it with resume=true"
            )
        before = json.loads((out / DESCRIPTION).read_text(encoding="utf-8"))
        _refuse_other_run(before, now, out)
        checkpoint = last_checkpoint(out)
        step = step_of(checkpoint) if checkpoint else 0
        if args.max_steps and step >= args.max_steps:
            raise UserError(f"the run in {out} is complete at step {step}; raise max_steps to train on")
    elif args.resume is True:
        raise UserError(f"there is no run in {out} to resume; leave resume out to start one")
    sessions = before["sessions"] if before else []
    now["sessions"] = [*sessions, _session(step_of(checkpoint) if checkpoint else 0)]
    with writing("the run", out):
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
        shutil.rmtree(out / "checkpoints" / UNFINISHED, ignore_errors=True)
        for name in ("tokenizer.json", "relations.json"):
            shutil.copyfile(folder.path / name, out / name)
        write_text(out / SETTINGS, settings.to_yaml())
        write_json(out / DESCRIPTION, now)
    return checkpoint


def _described(folder: DataFolder, settings: RunSettings) -> dict[str, Any]:
    manifest = (folder.path / MANIFEST).read_bytes()
    described = {
        "train": asdict(settings.args),
        "model": settings.model.to_dict(),
        "chain": settings.chain.to_dict(),
        "data": {
            "path": str(folder.path),
            "fingerprint": folder.manifest.fingerprint,
            "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        },
    }
    plain: dict[str, Any] = json.loads(json.dumps(described))
    return plain


def _session(step: int) -> dict[str, Any]:
    """One process's part in a run: who computed what follows ``step``, and with what."""
    return {
        "from_step": step,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "code": {"version": __version__, "commit": commit()},
        "environment": {
            "versions": versions(),
            "machine": machine(),
            "threads": torch.get_num_threads(),
            "processes": world(),
            "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        },
    }


#: Variables that change numbers or speed.
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PYTORCH_CUDA_ALLOC_CONF")


def _refuse_other_run(before: Mapping[str, Any], now: Mapping[str, Any], out: Path) -> None:
    pairs = [(f"train.{k}", before["train"].get(k), now["train"][k]) for k in FIXED]
    pairs += [
        (f"{part}.{k}", before[part].get(k), v) for part in ("model", "chain") for k, v in now[part].items()
    ]
    pairs.append(("data.fingerprint", before["data"]["fingerprint"], now["data"]["fingerprint"]))
    for name, old, new in pairs:
        if old != new:
            raise UserError(
                f"{name} was {old} in {out} and is {new} now; resume with the same, or start anew"
            )
