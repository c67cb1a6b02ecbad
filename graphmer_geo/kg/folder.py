"""A folder that is replaced as a whole, so that a build that is killed leaves the previous one intact."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HISTORIES = "links"  #: sub-folder of a graph: how the files of each language were linked

log = logging.getLogger(__name__)


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """A new, empty folder that takes the place of ``target`` when the block ends well, else goes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    _remove_stale(target)
    building = target.with_name(f".{target.name}.building-{os.getpid()}")
    building.mkdir()
    try:
        yield building
        _swap(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def recover(target: Path) -> None:
    """Put the previous folder back if a build died between the two renames of its swap."""
    previous = _previous(target)
    if previous.exists() and not target.exists():
        log.warning("%s: putting back the previous version", target)
        previous.rename(target)


def _swap(building: Path, target: Path) -> None:
    previous = _previous(target)
    if target.exists():
        target.rename(previous)
    building.rename(target)
    shutil.rmtree(previous, ignore_errors=True)


def _previous(target: Path) -> Path:
    return target.with_name(f".{target.name}.previous")


def _remove_stale(target: Path) -> None:
    for folder in sorted(target.parent.glob(f".{target.name}.building-*")):
        pid = folder.name.rpartition("-")[2]
        if not pid.isdigit() or int(pid) == os.getpid() or not _alive(int(pid)):
            log.info("removing %s, left by a build that was killed", folder)
            shutil.rmtree(folder, ignore_errors=True)
    if target.exists():
        shutil.rmtree(_previous(target), ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
