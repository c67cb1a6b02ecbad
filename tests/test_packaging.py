"""What a user installs: the wheel has everything it needs, and the tested versions fit the metadata."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LISTED = (
    "scatter", "train", "track", "hpo", "search", "bench", "ray", "viz", "serve", "notebooks", "docs", "dev",
)  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by way of the source distribution, as a release is."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it; its dependencies are those of the running environment."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True)
    # Comes after this environment's own packages on the search path. A .pth file inside the folder named
    # here (the one of the editable install) is not followed, so the checkout cannot be found.
    (Path(site) / "dependencies.pth").write_text(_purelib() + "\n")
    return folder


def _purelib() -> str:
    import sysconfig

    return sysconfig.get_path("purelib")


def run(folder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `graphmer` of the new environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [str(folder / "bin" / "graphmer"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=clean)


def test_wheel_holds_ontology_queries_configs_and_recipes(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    assert {"graphmer_geo/py.typed", "graphmer_geo/resources/ontology/graphmer.ttl"} <= names
    for folder, ending in [("ontology", ""), ("datasets", "")]:
        for file in (ROOT / folder).rglob(f"*{ending}"):
            if file.is_file():
                packed = f"graphmer_geo/resources/{file.relative_to(ROOT).as_posix()}"
                assert sizes.get(packed) == file.stat().st_size, packed
    for config in (ROOT / "graphmer_geo" / "configs").glob("*.yaml"):
        assert f"graphmer_geo/configs/{config.name}" in names
    assert not [name for name in names if name.startswith(("tests/", "ontology/", "datasets/"))]


def test_an_installed_wheel_builds_a_graph_from_another_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text(
        "class Till:\n    def add(self): ...\n\nclass Fast(Till): ...\n"
    )
    assert not (tmp_path / "ontology").exists()
    where = run(installed, "--version", cwd=tmp_path)
    assert where.returncode == 0, where.stderr
    built = run(installed, "kg", "build", "src", "--out", "kg", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    asked = run(
        installed, "kg", "query", "kg", "SELECT ?n { ?s gm:extends ?o . ?o gm:name ?n }", "--format", "csv",
        cwd=tmp_path,
    )  # fmt: skip
    assert asked.stdout.split() == ["n", "Till"], asked.stderr
    source = subprocess.check_output(
        [installed / "bin" / "python", "-c", "import graphmer_geo; print(graphmer_geo.__file__)"],
        text=True, cwd=tmp_path,
    )  # fmt: skip
    assert Path(source.strip()).is_relative_to(installed)


def test_all_is_every_extra_but_the_one_that_conflicts() -> None:
    assert set(EXTRAS) == {*LISTED, "all", "legacy-grammars"}
    (everything,) = [Requirement(text) for text in EXTRAS["all"]]
    assert everything.name == "graphmer-geo"
    assert everything.extras == set(LISTED)


def constraints() -> dict[str, str]:
    """Package -> pinned version."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normalised(name): version for name, version in pins}


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("extra", ["", *LISTED])
def test_every_dependency_has_a_tested_version_that_the_metadata_admits(extra: str) -> None:
    pins = constraints()
    for text in EXTRAS[extra] if extra else PROJECT["dependencies"]:
        requirement = Requirement(text)
        pinned = pins.get(normalised(requirement.name))
        assert pinned is not None, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(pinned), f"{text} does not admit {pinned}"


def test_pins_are_plain_versions() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.\-]+==[0-9][A-Za-z0-9.\-]*", line), line


def test_version_is_the_packages_own() -> None:
    import graphmer_geo

    assert PROJECT["dynamic"] == ["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {graphmer_geo.__version__}\n" in citation
