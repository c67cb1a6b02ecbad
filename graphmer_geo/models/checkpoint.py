"""Models as folders: ``model.safetensors`` and ``config.json``, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from graphmer_geo.errors import UserError
from graphmer_geo.models.config import GraphMERConfig

if TYPE_CHECKING or find_spec("huggingface_hub") is None:

    class HubMixin:
        """Stands in for ``PyTorchModelHubMixin`` where ``huggingface_hub`` is not installed."""

else:
    from huggingface_hub import PyTorchModelHubMixin

    HubMixin = PyTorchModelHubMixin

WEIGHTS, CONFIG = "model.safetensors", "config.json"
Model = TypeVar("Model", bound=torch.nn.Module)


def save_model(model: torch.nn.Module, config: GraphMERConfig, folder: Path) -> None:
    """Writes weights (each once: the decoder is tied by use, not by a second name) and configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    config.save(folder / CONFIG)


def load_model(cls: type[Model], folder: Path, expected: Mapping[str, Any]) -> Model:
    """Builds ``cls`` from a folder and loads all its weights, in evaluation mode.

    Args:
        cls: takes a :class:`GraphMERConfig`.
        folder: of :func:`save_model`.
        expected: settings that must equal those of the saved configuration; ``None`` values are not checked.

    Raises:
        UserError: if a file is missing or damaged, a setting differs, or weights do not fit.
    """
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise UserError(f"no {name} in {folder}; give the folder of a saved model")
    config = GraphMERConfig.load(folder / CONFIG)
    for name, value in expected.items():
        if value is not None:
            _refuse_other(name, getattr(config, name), value, folder)
    try:
        state = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise UserError(
            f"{folder / WEIGHTS} is damaged ({error}); save or download the model again"
        ) from error
    model = cls(config)
    _refuse_other_weights(model.state_dict(), state, folder)
    model.load_state_dict(state, strict=True)
    return model.eval()


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
