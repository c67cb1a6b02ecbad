"""Compiles the modules that build graphs, where an installation asks for it.

``GRAPHMER_GEO_COMPILE=1 pip install .`` does: mypyc turns typed Python into C. The sources are packed beside
what becomes of them, and say the same. Without the variable nothing here has an effect, and no compiler is
needed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "GRAPHMER_GEO_COMPILE"


class Compilation(BuildHookInterface[Any]):
    """Adds extension modules to the wheel. Which ones, ``pyproject.toml`` says."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What compiling needs beside a C compiler."""
        return list(self.config["compiler"]) if _is_wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is packed.

        Raises:
            RuntimeError: If compiling fails: nothing is installed then.
        """
        if not _is_wanted():
            return
        if version == "editable":
            raise RuntimeError(
                f"{SWITCH}=1 with an editable installation: edits would have no effect on compiled modules; "
                "install without --editable, or see `make compile`"
            )
        self._folder = tempfile.TemporaryDirectory()
        out = Path(self._folder.name)
        modules = _modules(Path(self.root), self.config["modules"], self.config["interpreted"])
        done = subprocess.run([sys.executable, __file__, str(out), *modules], cwd=self.root, check=False)
        if done.returncode:
            raise RuntimeError(f"compiling failed; it needs a C compiler. Without {SWITCH} none is needed")
        lib = out / "lib"
        build_data["force_include"] |= {
            str(file): file.relative_to(lib).as_posix() for file in sorted(lib.rglob("*")) if file.is_file()
        }
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


def _is_wanted() -> bool:
    value = os.environ.get(SWITCH, "0")
    if value not in ("0", "1"):
        raise RuntimeError(f"{SWITCH} must be 0 or 1 (got {value!r})")
    return value == "1"


def _modules(root: Path, patterns: list[str], interpreted: list[str]) -> list[str]:
    found = {file.relative_to(root).as_posix() for pattern in patterns for file in root.glob(pattern)}
    packages = {file for file in found if file.endswith("/__init__.py")}
    unknown = sorted(set(interpreted) - found)
    if unknown:
        raise RuntimeError(f"tool.hatch…custom.interpreted names {unknown[0]!r}, which is no module")
    return sorted(found - packages - set(interpreted))


def _compile(out: Path, modules: list[str]) -> None:
    """Extension modules of these sources, as a tree below ``out/lib``."""
    from mypyc.build import mypycify
    from setuptools import setup

    flags = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={out / 'cache'}"]
    extensions = mypycify(
        [*flags, *modules], opt_level="1", debug_level="0", target_dir=str(out / "c")
    )
    command = ["build_ext", f"--build-lib={out / 'lib'}", f"--build-temp={out / 'temp'}"]
    setup(name="graphmer-geo", packages=[], py_modules=[], ext_modules=extensions, script_args=command)


if __name__ == "__main__":
    _compile(Path(sys.argv[1]), sys.argv[2:])
