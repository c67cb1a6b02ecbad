"""``graphmer models``: the registry, and copies of models."""

from __future__ import annotations

from typing import Literal

from graphmer_geo.cli.output import write_json, write_line, write_table


def register(run: str, name: str, uri: str = "") -> None:
    """Make a trained model the next version of a name in the registry.

    Args:
        run: Run folder of `graphmer train`.
        name: Name in the registry.
        uri: MLflow server or database; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db.

    Example:
        graphmer models register run/ --name code-encoder
    """
    from graphmer_geo.registry import Registry

    version = Registry(uri).register(run, name)
    write_line(
        f"{name} version {version}: try `graphmer models promote {name} --version {version} --stage staging`"
    )


def list_models(uri: str = "", json: bool = False) -> None:
    """List the versions of every model in the registry.

    Args:
        uri: MLflow server or database; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db.
        json: Print JSON.

    Example:
        graphmer models list
    """
    from graphmer_geo.registry import Registry

    rows = Registry(uri).models()
    if json:
        write_json(rows)
    else:
        write_table(rows, list(dict.fromkeys(key for row in rows for key in row)))


def show(name: str, version: str = "", uri: str = "", json: bool = False) -> None:
    """Show what is known of a model: stage, metrics, settings, and where its files are.

    Args:
        name: Name in the registry.
        version: A version, or a stage; default: the newest.
        uri: MLflow server or database; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db.
        json: Print JSON.

    Example:
        graphmer models show code-encoder --version production
    """
    from graphmer_geo.registry import Registry

    found = Registry(uri).show(name, version)
    if json:
        write_json(found)
        return
    for part in ("metrics", "settings"):
        found |= {f"{part}: {key}": value for key, value in sorted(found.pop(part).items())}
    write_table([{"": key, "value": str(value)} for key, value in found.items()], ["", "value"])


def promote(
    name: str, version: str, stage: Literal["staging", "production", "archived"] = "production", uri: str = ""
) -> None:
    """Let a stage point at a version.

    Args:
        name: Name in the registry.
        version: The version, or a stage that points at it.
        stage: Which stage.
        uri: MLflow server or database; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db.

    Example:
        graphmer models promote code-encoder --version 3 --stage production
    """
    from graphmer_geo.registry import Registry

    Registry(uri).promote(name, version, stage)
    write_line(f"{name}: {stage} is version {version} now")


def fetch(name: str, out: str, version: str = "", uri: str = "") -> None:
    """Copy a model from the registry into a folder.

    Args:
        name: Name in the registry.
        out: Folder to write.
        version: A version, or a stage; default: the newest.
        uri: MLflow server or database; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db.

    Example:
        graphmer models fetch code-encoder --version production --out model/
    """
    from graphmer_geo.registry import Registry

    write_line(str(Registry(uri).fetch(name, version, out)))


def export(run: str, out: str, dtype: Literal["fp32", "bf16"] = "bf16", shard_mb: int | None = None) -> None:
    """Copy a model, smaller and in pieces, to be carried elsewhere.

    Args:
        run: Run folder, or one of its checkpoints.
        out: Folder to write.
        dtype: Of the weights.
        shard_mb: Most megabytes of one weights file; default: one file.

    Example:
        graphmer models export run/ --out small/ --dtype bf16 --shard_mb 50
    """
    import torch

    from graphmer_geo.models import GraphMER

    model = GraphMER.from_pretrained(run)
    limit = None if shard_mb is None else shard_mb * 1_000_000
    model.save_pretrained(
        out, dtype={"fp32": torch.float32, "bf16": torch.bfloat16}[dtype], max_shard_size=limit
    )
    write_line(out)
