"""Models as folders: ``model.safetensors`` and ``config.json``, read strictly."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from graphmer_geo.errors import UserError
from graphmer_geo.files import replacing, write_json
from graphmer_geo.models.config import GraphMERConfig

if TYPE_CHECKING or find_spec("huggingface_hub") is None:

    class HubMixin:
        """Stands in for ``PyTorchModelHubMixin`` where ``huggingface_hub`` is not installed."""

else:
    from huggingface_hub import PyTorchModelHubMixin

    HubMixin = PyTorchModelHubMixin

WEIGHTS, CONFIG = "model.safetensors", "config.json"
#: Names the file of each weight where there are several.
INDEX = "model.safetensors.index.json"
#: What else belongs to a model, and goes with it when it is loaded and saved elsewhere.
COMPANIONS = ("tokenizer.json", "relations.json", "metrics.json", "train.yaml", "search.json", "README.md")
Model = TypeVar("Model", bound=torch.nn.Module)


def save_model(
    model: torch.nn.Module,
    config: GraphMERConfig,
    folder: Path,
    *,
    dtype: torch.dtype | None = None,
    max_shard_size: int | None = None,
) -> None:
    """Writes weights (each once: the decoder is tied by use, not by a second name) and configuration.

    Each file takes its place when it is complete.

    Args:
        model: what to save; companions of the folder it was loaded from go along.
        config: its configuration.
        folder: where to; weights there before are replaced.
        dtype: of the saved parameters, for a smaller file; counted buffers keep theirs.
        max_shard_size: bytes of tensors in one file; more go to several, with :data:`INDEX` beside them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parameters = {name for name, _ in model.named_parameters()}
    state = {
        name: value.detach().to("cpu", dtype if name in parameters else None).contiguous()
        for name, value in model.state_dict().items()
    }
    shards = _shards(state, max_shard_size)
    names = [WEIGHTS]
    if len(shards) > 1:
        names = [f"model-{i + 1:05}-of-{len(shards):05}.safetensors" for i in range(len(shards))]
    for name, shard in zip(names, shards, strict=True):
        with replacing(folder / name) as part:
            save_file({key: state[key] for key in shard}, part, metadata={"format": "pt"})
    if len(shards) > 1:
        places = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
        total = sum(value.nbytes for value in state.values())
        write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": places})
        names.append(INDEX)
    for old in (*folder.glob("model-*-of-*.safetensors"), folder / WEIGHTS, folder / INDEX):
        if old.name not in names:
            old.unlink(missing_ok=True)
    config.save(folder / CONFIG)
    source: Path | None = getattr(model, "folder", None)
    if source is not None and source.resolve() != folder.resolve():
        for name in COMPANIONS:
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name)


def _shards(state: Mapping[str, torch.Tensor], limit: int | None) -> list[list[str]]:
    """Names of tensors, in order, as many together as fit; one that is too large is alone."""
    shards: list[list[str]] = [[]]
    size = 0
    for name, value in state.items():
        if limit is not None and shards[-1] and size + value.nbytes > limit:
            shards.append([])
            size = 0
        shards[-1].append(name)
        size += value.nbytes
    return shards


def model_folder(name: str | Path) -> Path:
    """A local folder; what is none but looks like ``owner/name`` is fetched from the Hugging Face Hub.

    Raises:
        UserError: it cannot be fetched.
    """
    folder = Path(name)
    if folder.is_dir() or not isinstance(name, str) or not _HUB_NAME.fullmatch(name):
        return folder
    if find_spec("huggingface_hub") is None:
        raise UserError(f"{name} is no folder, and huggingface_hub, which could fetch it, is not installed")
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError

    wanted = ["*.safetensors", INDEX, CONFIG, *COMPANIONS]
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=wanted))
    except (HfHubHTTPError, OSError, ValueError) as error:
        cause = str(error).strip().splitlines()[0]
        raise UserError(f"{name} is no folder, and not to be had from the Hub: {cause}") from error


def model_hash(folder: str | Path) -> str:
    """SHA-256 of a model's weights and configuration: equal if everything that it computes is.

    Raises:
        UserError: it is not the folder of a saved model.
    """
    found = sorted(Path(folder).glob("*.safetensors"))
    if not found or not (Path(folder) / CONFIG).is_file():
        raise UserError(f"no {CONFIG} or no {WEIGHTS} in {folder}; give the folder of a saved model")
    digest = hashlib.sha256()
    for path in (Path(folder) / CONFIG, *found):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def load_model(cls: type[Model], folder: Path, expected: Mapping[str, Any]) -> Model:
    """Builds ``cls`` from a folder and loads all its weights, in evaluation mode.

    Args:
        cls: takes a :class:`GraphMERConfig`.
        folder: of :func:`save_model`.
        expected: settings that must equal those of the saved configuration; ``None`` values are not checked.

    Raises:
        UserError: if a file is missing or damaged, a setting differs, or weights do not fit.
    """
    if not (folder / CONFIG).is_file():
        raise UserError(f"no {CONFIG} in {folder}; give the folder of a saved model")
    config = GraphMERConfig.load(folder / CONFIG)
    for name, value in expected.items():
        if value is not None:
            _refuse_other(name, getattr(config, name), value, folder)
    state = _read_weights(folder)
    model = cls(config)
    _refuse_other_weights(model.state_dict(), state, folder)
    model.load_state_dict(state, strict=True)
    model.folder = folder  # type: ignore[assignment]  # where its companions are
    return model.eval()


def _read_weights(folder: Path) -> dict[str, torch.Tensor]:
    files = [WEIGHTS]
    if not (folder / WEIGHTS).is_file() and (folder / INDEX).is_file():
        places = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
        files = sorted(set(places.values()))
    state: dict[str, torch.Tensor] = {}
    for name in files:
        if not (folder / name).is_file():
            raise UserError(f"no {name} in {folder}; give the folder of a saved model")
        try:
            state |= load_file(folder / name)
        except SafetensorError as error:
            raise UserError(
                f"{folder / name} is damaged ({error}); save or download the model again"
            ) from error
    return state


def _refuse_other(name: str, saved: Any, given: Any, folder: Path) -> None:
    if isinstance(saved, Mapping) and isinstance(given, Mapping):
        differing = sorted(key for key in saved.keys() | given.keys() if saved.get(key) != given.get(key))
        if differing:
            key = differing[0]
            raise UserError(
                f"{len(differing)} entries of {name} differ, e.g. {key!r}: {saved.get(key)} in {folder}, "
                f"{given.get(key)} in the data; use the data this model was trained with"
            )
    elif saved != given:
        raise UserError(
            f"{name} is {saved!r} in {folder} but {given!r} in the data; "
            "use the data this model was trained with"
        )


def _refuse_other_weights(
    wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor], folder: Path
) -> None:
    for name in sorted(wanted.keys() | found.keys()):
        want = tuple(wanted[name].shape) if name in wanted else "nothing"
        have = tuple(found[name].shape) if name in found else "nothing"
        if want != have:
            raise UserError(
                f"{WEIGHTS} in {folder} has {have} for {name}, its {CONFIG} asks for {want}; "
                "these two files do not belong together, save the model again"
            )
