"""Choose and pin the packages of a recipe: versions, hashes and licences as the package index has them today.

Run: python -m benchmarks.pin_packages [--names benchmarks/configs/pypi-200.txt] [--recipe pypi-200]
     [--count 200] [--seed 0]

pip downloads everything, so index and proxies are those that pip is configured for, and nothing is installed
or run. Wheels are kept in the cache folder: an interrupted run goes on. A candidate without a pure-Python
wheel or without a licence of the list below is left out, and the reason printed.
Of the others as many as asked for are drawn. A tenth is drawn for validation, a tenth for test.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import numpy as np

from graphmer_geo.datasets.cache import cache_folder
from graphmer_geo.datasets.fetch import download, keep, sha256_of, wheels_folder
from graphmer_geo.errors import UserError

ROOT = Path(__file__).resolve().parents[1]

#: Trove classifier or free text of the licence, in lower case -> SPDX expression
_SPDX = {
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mit-license": "MIT",
    "expat license": "MIT",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "python software foundation license": "PSF-2.0",
    "psf license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "mit no attribution license (mit-0)": "MIT-0",
}
#: Licences that a package may have, alone or joined by AND and OR.
PERMISSIVE = {
    "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "ISC", "PSF-2.0", "Python-2.0",
    "Unlicense", "CNRI-Python", "HPND", "Zlib",
}  # fmt: skip


@dataclass(frozen=True)
class Pin:
    """One package as it is today."""

    name: str
    version: str
    license: str
    sha256: str


def licence_of(metadata: Message) -> str | None:
    """The SPDX expression of a permissive licence, or None if there is none or it cannot be told."""
    if expression := metadata["License-Expression"]:
        return expression if is_permissive(expression) else None
    classifiers = [c for c in metadata.get_all("Classifier", []) if c.startswith("License ::")]
    texts = [*(c.rpartition(" :: ")[2] for c in classifiers), metadata["License"] or ""]
    stated = [" ".join(text.split()) for text in texts]
    if any("GPL" in text or "MPL" in text or "GNU" in text for text in stated if len(text) < 200):
        return None
    expressions = [_SPDX.get(text.lower(), text) for text in stated]
    return next((expression for expression in expressions if is_permissive(expression)), None)


def is_permissive(expression: str) -> bool:
    """Whether every licence of an SPDX expression is one of :data:`PERMISSIVE`."""
    words = expression.replace("(", " ").replace(")", " ").split()
    names = [w for w in words if w not in ("AND", "OR", "WITH")]
    return bool(names) and all(name in PERMISSIVE for name in names)


def ask(name: str) -> Pin | str:
    """The newest pure-Python wheel of a package, or why it cannot be used."""
    known = cache_folder() / "pins" / f"{name}.json"
    if not known.is_file():
        known.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=wheels_folder(), prefix=".part-") as folder:
            try:
                wheel = keep(download(name, Path(folder)))
            except UserError as error:
                return str(error).partition(";")[0]
        known.write_text(json.dumps(wheel.name), encoding="utf-8")
    wheel = wheels_folder() / json.loads(known.read_text(encoding="utf-8"))
    with zipfile.ZipFile(wheel) as archive:
        [path] = [n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)]
        metadata = message_from_bytes(archive.read(path))
        if not any(n.endswith(".py") for n in archive.namelist()):
            return "its wheel holds no code"
    licence = licence_of(metadata)
    if licence is None:
        stated = metadata["License-Expression"] or metadata["License"]
        return f"no permissive licence is stated ({stated!r:.60})"
    return Pin(name, metadata["Version"], licence, sha256_of(wheel))


def pins(names: list[str], count: int, seed: int) -> list[Pin]:
    """``count`` usable packages, drawn with the seed."""
    kept: list[Pin] = []
    with ThreadPoolExecutor(4) as pool:
        for name, found in zip(names, pool.map(ask, names), strict=True):
            if isinstance(found, Pin):
                kept.append(found)
            else:
                print(f"{name}: left out, {found}", flush=True)
    if len(kept) < count:
        raise UserError(
            f"only {len(kept)} of {len(names)} candidates can be used; name more or lower --count"
        )
    drawn = np.random.default_rng((seed, 1)).permutation(len(kept))[:count]
    return sorted((kept[i] for i in drawn.tolist()), key=lambda pin: pin.name)


def recipe_text(name: str, packages: list[Pin], seed: int) -> str:
    """The recipe as YAML."""
    order = np.random.default_rng(seed).permutation(len(packages))
    share = len(packages) // 10
    parts = {"validation": order[:share], "test": order[share : 2 * share]}
    lines = [
        f"# {len(packages)} PyPI packages written by hand in Python, of permissive licences.",
        "#",
        f"# Made by `python -m benchmarks.pin_packages --seed {seed}`. Wheels for any platform: fetching one",
        "# runs no code of it. sha256 is the wheel's. Split: whole packages, drawn with that seed.",
        f"name: {name}",
        "split:",
        "  by: project",
    ]
    for split, rows in parts.items():
        chosen = sorted(packages[i].name for i in rows.tolist())
        lines += [f"  {split}: >-", *_wrapped(chosen)]
    lines += ["sources:", "  - kind: pypi", "    packages:"]
    for pin in packages:
        lines += [
            f'      - {{name: {pin.name}, version: "{pin.version}", license: {pin.license},',
            f"         sha256: {pin.sha256}}}",
        ]
    return "\n".join(lines) + "\n"


def _wrapped(words: list[str]) -> list[str]:
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 105:
            lines, line = [*lines, line], ""
        line += f" {word}" if line else f"    {word}"
    return [*lines, line]


def main() -> None:
    """Write the recipe."""
    parser = argparse.ArgumentParser(description="Pin the packages of a recipe.")
    parser.add_argument("--names", type=Path, default=ROOT / "benchmarks" / "configs" / "pypi-200.txt")
    parser.add_argument("--recipe", default="pypi-200")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    lines = arguments.names.read_text(encoding="utf-8").splitlines()
    names = list(dict.fromkeys(w for line in lines if not line.startswith("#") for w in line.split()))
    try:
        packages = pins(names, arguments.count, arguments.seed)
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    path = ROOT / "datasets" / f"{arguments.recipe}.yaml"
    part = path.with_name(path.name + ".part")
    part.write_text(recipe_text(arguments.recipe, packages, arguments.seed), encoding="utf-8")
    part.replace(path)
    print(path)


if __name__ == "__main__":
    main()
