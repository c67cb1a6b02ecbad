"""Which files to read.

Source trees are hostile: nothing here follows a link, runs code or reads without a bound.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

from graphmer_geo.errors import UserError

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 2_000_000  #: larger files are generated or data; they are skipped and recorded
MAX_DEPTH = 64
MAX_FILES = 500_000
MAX_PROJECT_FILE_BYTES = 1_000_000

_NEVER = {"__pycache__", "node_modules", "site-packages", "dist-packages"}
#: Folders that tools write, if they lie beside a build file; elsewhere these are ordinary package names.
_BUILD_OUTPUT = {"build", "dist", "target", "out", "bin"}
_BUILD_FILES = {"pyproject.toml", "setup.py", "setup.cfg", "pom.xml", "build.gradle", "build.gradle.kts"}


@dataclass(frozen=True)
class Source:
    """A source root to read.

    Args:
        path: A folder or a single file. A folder that has an ``__init__.py`` is itself a package: its parent
            is the root that module names are relative to.
        package: Name of the distribution in IRIs (default: from ``pyproject.toml`` or ``pom.xml`` in the
            folder, else the folder's name).
        version: Its version (default: from the same file, else ``0``).
        include: Paths, folders or glob patterns (``**`` crosses folders), relative to ``path``, of what to
            read (default: everything).
    """

    path: str | Path
    package: str | None = None
    version: str | None = None
    include: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a known language, before it is read. ``path`` is POSIX, relative to ``root``."""

    root: Path
    path: str
    language: str
    package: str
    version: str
    size: int = 0
    problem: str | None = None  #: why it must not be read


@dataclass(frozen=True)
class _Root:
    folder: Path  # what to walk
    base: Path  # what paths are relative to
    package: str
    version: str
    include: tuple[str, ...] | None
    named: bool = field(default=True)  # the package name was given or declared, not taken from the folder


def find_files(sources: Sequence[str | Path | Source], extensions: Mapping[str, str]) -> list[FoundFile]:
    """All files of the given languages under the sources, sorted, each once.

    Args:
        sources: Folders, files or :class:`Source` objects.
        extensions: File ending (with the dot) -> language name.

    Raises:
        UserError: If there is no source, a path does not exist, or a source holds no file of these languages.
    """
    if not sources:
        raise UserError("no source given; name at least one folder or file")
    found: dict[Path, FoundFile] = {}
    for root in _tell_apart([_resolve(s if isinstance(s, Source) else Source(s)) for s in sources]):
        before = len(found)
        seen_any = False
        for file in _walk(root, extensions):
            seen_any = True
            found.setdefault(root.base / file.path, file)
            if len(found) > MAX_FILES:
                raise UserError(f"more than {MAX_FILES:,} files under {root.folder}; split the corpus")
        if not seen_any:
            endings = ", ".join(sorted(extensions))
            limit = f" that match {list(root.include)}" if root.include else ""
            raise UserError(f"no source files ({endings}) under {str(root.folder)!r}{limit}; check the path")
        log.info("%s: %d files", root.folder, len(found) - before)
    return sorted(found.values(), key=_order)


def _order(file: FoundFile) -> tuple[str, ...]:
    """By path, but a package comes before a module of its name, as for Python's import: the first counts."""
    place = file.path.removesuffix("/__init__.py")
    return file.language, file.package, file.version, place, file.path, str(file.root)


def read_bounded(root: Path, path: str) -> bytes:
    """The bytes of a regular file inside the root.

    Raises:
        OSError: If it cannot be read, has become a link or something else than a file, or is too large.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(root / path, flags)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise OSError(_too_large(len(data)))
    return data


def _too_large(size: int) -> str:
    return f"larger than {MAX_FILE_BYTES:,} bytes ({size:,})"


# Roots
# --------------------------------------------------------------------------------------------------------


def _resolve(source: Source) -> _Root:
    given = Path(source.path)
    if not given.exists():
        raise UserError(f"source {str(given)!r} does not exist; check the path")
    path = given.resolve()
    include = None if source.include is None else tuple(source.include)
    if path.is_file():
        path, include = path.parent, (path.name,)
    elif not path.is_dir():
        raise UserError(f"source {str(given)!r} is neither a folder nor a file")
    name, version = _declared_project(path)
    base = path.parent if (path / "__init__.py").is_file() and include is None else path
    return _Root(
        folder=path,
        base=base,
        package=source.package or name or path.name or "root",
        version=source.version or version or "0",
        include=include,
        named=bool(source.package or name),
    )


def _tell_apart(roots: list[_Root]) -> list[_Root]:
    """Two folders called ``src`` are two packages unless they were named."""
    taken: dict[tuple[str, str], set[Path]] = {}
    for root in roots:
        taken.setdefault((root.package, root.version), set()).add(root.base)
    return [
        root
        if root.named or len(taken[root.package, root.version]) == 1
        else replace(root, package=f"{root.folder.parent.name}-{root.package}")
        for root in roots
    ]


def _declared_project(folder: Path) -> tuple[str | None, str | None]:
    for name, read in (("pyproject.toml", _read_pyproject), ("pom.xml", _read_pom)):
        file = folder / name
        if file.is_file() and file.stat().st_size <= MAX_PROJECT_FILE_BYTES:
            try:
                return read(file.read_bytes())
            except (ValueError, ElementTree.ParseError, OSError) as error:
                log.warning("%s is not readable (%s); using the folder's name", file, error)
    return None, None


def _read_pyproject(data: bytes) -> tuple[str | None, str | None]:
    project = tomllib.loads(data.decode("utf-8")).get("project")
    if not isinstance(project, dict):
        return None, None
    name, version = project.get("name"), project.get("version")
    return (name if isinstance(name, str) else None), (version if isinstance(version, str) else None)


def _read_pom(data: bytes) -> tuple[str | None, str | None]:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("it has a document type declaration")
    tree = ElementTree.fromstring(data)
    texts: dict[str, str] = {}
    for element in [*tree.findall("{*}parent/{*}version"), *tree]:
        text = (element.text or "").strip()
        if text and "${" not in text:
            texts[element.tag.rpartition("}")[2]] = text
    return texts.get("artifactId"), texts.get("version")


# The walk
# -----------------------------------------------------------------------------------------------------


def _walk(root: _Root, extensions: Mapping[str, str]) -> Iterator[FoundFile]:
    included = None if root.include is None else _Included(root.include)
    for path in _files(root.folder, 0):
        language = extensions.get(path.suffix)
        if language is None:
            continue
        inside = path.relative_to(root.folder).as_posix()
        if included is not None and not included.match(inside):
            continue
        relative = path.relative_to(root.base).as_posix()
        readable = relative.encode("utf-8", "backslashreplace").decode("utf-8")
        size, problem = _check(path)
        if readable != relative:
            problem = "its name is not valid UTF-8"
        yield FoundFile(root.base, readable, language, root.package, root.version, size, problem)
    for pattern in included.unused if included else ():
        log.warning("nothing under %s matches %r", root.folder, pattern)


def _check(path: Path) -> tuple[int, str | None]:
    try:
        info = path.lstat()
    except OSError as error:
        return 0, f"unreadable: {error.strerror}"
    if stat.S_ISLNK(info.st_mode):
        return 0, "a symbolic link; links are not followed"
    if not stat.S_ISREG(info.st_mode):
        return 0, "not a regular file"
    if info.st_size > MAX_FILE_BYTES:
        return info.st_size, _too_large(info.st_size)
    return info.st_size, None


def _files(folder: Path, depth: int) -> Iterator[Path]:
    if depth > MAX_DEPTH:
        log.warning("%s: nested deeper than %d folders; not read", folder, MAX_DEPTH)
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        log.warning("%s: %s; not read", folder, error.strerror)
        return
    beside_build_file = any(e.name in _BUILD_FILES for e in entries)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not _skipped(Path(entry.path), beside_build_file):
                yield from _files(Path(entry.path), depth + 1)
        elif not (entry.is_symlink() and entry.is_dir()):
            yield Path(entry.path)


def _skipped(folder: Path, beside_build_file: bool) -> bool:
    name = folder.name
    if name.startswith(".") or name in _NEVER or name.endswith((".egg-info", ".dist-info")):
        return True
    if (folder / "pyvenv.cfg").exists():
        return True
    return beside_build_file and name in _BUILD_OUTPUT and not (folder / "__init__.py").exists()


class _Included:
    """Which paths the patterns of a source name, and which patterns were of no use.

    Paths and folders without wildcards are looked up, so that a list of thousands of files costs nothing.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        texts = {pattern: pattern.strip("/").removeprefix("./") for pattern in patterns}
        self._plain = {text: pattern for pattern, text in texts.items() if not re.search(r"[*?]", text)}
        self._globs = [(_glob(text), pattern) for pattern, text in texts.items() if text not in self._plain]
        self._unused = dict.fromkeys(patterns)

    def match(self, path: str) -> bool:
        """Whether a pattern names this POSIX path or a folder that it lies in."""
        parts = path.split("/")
        prefixes = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        hits = [self._plain[prefix] for prefix in prefixes if prefix in self._plain]
        hits += [pattern for glob, pattern in self._globs if glob.fullmatch(path)]
        for pattern in hits:
            self._unused.pop(pattern, None)
        return bool(hits)

    @property
    def unused(self) -> list[str]:
        """The patterns that have matched nothing so far."""
        return list(self._unused)


def _glob(text: str) -> re.Pattern[str]:
    """A glob as a regular expression over POSIX paths."""
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    glob = "".join(pieces.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", text))
    return re.compile(f"{glob}(?:/.*)?")
