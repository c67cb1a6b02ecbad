"""Checks :mod:`.classfile` against ``javap`` on some classes."""

from __future__ import annotations

import random
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

from benchmarks.exact.classfile import parse

_MEMBER = re.compile(r"^  (?P<head>[^:]*?)(?P<name>[\w$.<>]+)(?:\([^)]*\))?(?: throws (?P<throws>[^;]*))?;$")
_HEADER = re.compile(r"^(?:[a-z-]+ )*(?:class|interface) (?P<name>[\w$.]+).* \{$")


def disagreements(module: Path, javap: Path, count: int, seed: int = 0) -> list[str]:
    """What ``javap -p -s`` says otherwise of a seeded sample of a module's classes.

    The classes are taken from the file of the module: an image linked from it holds some that the linker has
    made anew.
    """
    with zipfile.ZipFile(module) as archive, tempfile.TemporaryDirectory() as folder:
        names = sorted(
            n for n in archive.namelist() if n.endswith(".class") and not n.endswith("-info.class")
        )
        chosen = random.Random(seed).sample(names, min(count, len(names)))
        known = {each.name: each for each in (parse(archive.read(name)) for name in chosen)}
        files = [archive.extract(name, folder) for name in chosen]
        output = subprocess.run([javap, "-p", "-s", *files], capture_output=True, text=True, check=True)
    said = _read(output.stdout)
    found = [f"{name}: not printed" for name in known if name not in said]
    for name, members in said.items():
        mine = {(m.name, m.descriptor) for m in (*known[name].fields, *known[name].methods)}
        found.extend(f"{name}: {member}" for member in sorted(mine ^ members))
    return found


def _read(text: str) -> dict[str, set[tuple[str, str]]]:
    """Class -> name and descriptor of each member."""
    classes: dict[str, set[tuple[str, str]]] = {}
    current, member = "", ""
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header is not None:
            current = header["name"]
            classes[current] = set()
        elif line.startswith("    descriptor: "):
            name = "<init>" if member == current else member
            classes[current].add((name, line.removeprefix("    descriptor: ")))
        elif line.startswith("  static {}"):
            member = "<clinit>"
        else:
            match = _MEMBER.match(line)
            member = match["name"] if match is not None else member
    return classes
