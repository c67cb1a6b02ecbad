"""Unpacking archives that others made: bounded in size, number and place, and links are never made."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from graphmer_geo.errors import UserError


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to."""

    files: int = 100_000
    bytes: int = 2_000_000_000
    file_bytes: int = 100_000_000
    depth: int = 64


def unpack(
    archive: Path, target: Path, wanted: Callable[[str], bool], limits: Limits | None = None
) -> None:
    """Write the wanted regular files of a zip or tar archive below ``target``, which must not exist.

    The folder appears when it is complete. Links, devices and whatever is not wanted are passed over.

    Args:
        archive: ``.whl``, ``.zip``, or ``.tar`` with any compression.
        target: Folder to make.
        wanted: Whether to write a member, by its path.
        limits: Of what is written.

    Raises:
        UserError: The archive is broken, leads outside the folder, or is larger than the limits.
    """
    limits = limits or Limits()
    part = target.with_name(f".{target.name}.part-{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _write(archive, part, wanted, limits)
        if target.is_dir():  # another process was faster
            return
        part.rename(target)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
        raise UserError(
            f"{str(archive)!r} cannot be unpacked ({error}); delete it and fetch it again"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(archive: Path, folder: Path, wanted: Callable[[str], bool], limits: Limits) -> None:
    files = total = 0
    for name, member in _members(archive):
        path = _inside(name, archive, limits)
        if not wanted(str(path)):
            continue
        files += 1
        if files > limits.files:
            raise UserError(f"{str(archive)!r} holds more than {limits.files:,} files; it is not unpacked")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with closing(member()) as source, open(folder / path, "xb") as sink:
            size = 0
            # Sizes that an archive states may be wrong: what is read is counted.
            while block := source.read(1 << 20):
                size += len(block)
                if size > limits.file_bytes or total + size > limits.bytes:
                    raise UserError(f"{str(archive)!r} unpacks to too much ({name}); it is not unpacked")
                sink.write(block)
            total += size


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Regular files, and how to open each."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if not info.is_dir() and kind in (0, stat.S_IFREG):
                    yield info.filename, lambda info=info: packed.open(info)  # type: ignore[misc]
        return
    with tarfile.open(archive) as tape:
        for member in tape:
            if member.isreg():
                yield member.name, lambda member=member: tape.extractfile(member)  # type: ignore[misc]


def _inside(name: str, archive: Path, limits: Limits) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in path.parts[0]:
        raise UserError(f"{str(archive)!r} has {name!r}, which leads out of the folder; it is not unpacked")
    if len(path.parts) > limits.depth:
        raise UserError(f"{str(archive)!r} is nested deeper than {limits.depth} folders; it is not unpacked")
    return path
