"""Checkpoints that are complete or not there, whatever happens while they are written."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from graphmer_geo.errors import UserError

logger = logging.getLogger(__name__)

#: Where a checkpoint is while it is written; no checkpoint's name begins like this.
UNFINISHED = ".unfinished"


def last_checkpoint(out: Path) -> Path | None:
    """The newest complete checkpoint of a run folder."""
    complete: list[tuple[int, Path]] = []
    for path in (out / "checkpoints").glob("checkpoint-*"):
        try:
            complete.append((step_of(path), path))
        except (FileNotFoundError, json.JSONDecodeError):
            logger.warning("%s is incomplete and ignored", path)
    return max(complete)[1] if complete else None


def step_of(checkpoint: Path) -> int:
    """The optimiser step a checkpoint was written after."""
    return int(json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))["global_step"])


@contextmanager
def writing(what: str, out: Path) -> Iterator[None]:
    """Turns the errors of a full, read-only or missing disk into one that says what is left.

    Raises:
        UserError: naming the cause and the remedy.
    """
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        cause = _cause(error)
        if cause is None:
            raise
        left = last_checkpoint(out)
        remedy = f"continue from {left} with resume=true" if left else "start again"
        raise UserError(
            f"cannot write {what} in {out}: {cause}; free space or make the folder writable, then {remedy}"
        ) from error


def _cause(error: BaseException) -> str | None:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    text = str(error)
    # torch.save and safetensors wrap what the system said in errors of their own.
    told = isinstance(error, SafetensorError) or "PytorchStreamWriter" in text or "file write" in text
    return text.splitlines()[0] if told else None


def publish(unfinished: Path, target: Path) -> None:
    """Give a written checkpoint its name; one of the same step, from before a resume, makes way."""
    if target.exists():
        shutil.rmtree(target)
    unfinished.rename(target)


def save_batch(batch: Mapping[str, Tensor], path: Path) -> None:
    """Keep a batch for inspection; ``safetensors.torch.load_file`` reads it."""
    save_file({name: value.detach().cpu().contiguous() for name, value in batch.items()}, path)
