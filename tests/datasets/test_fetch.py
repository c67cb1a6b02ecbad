from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from graphmer_geo.datasets import fetch, fetch_corpus, load_recipe
from graphmer_geo.errors import UserError
from tests.datasets.toy_index import Index, write_recipe

SOURCE = "def area(width, height):\n    return width * height\n"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_only_sources_and_licences_are_unpacked(index: Index, tmp_path: Path) -> None:
    entry = index.add("shapes", {"shapes/area.py": SOURCE, "shapes/big.json": "{}", "shapes/x.so": "ELF"})
    [project] = fetch.fetch(load_recipe(write_recipe(tmp_path, [entry])))
    assert files(project.folder) == ["shapes-1.0.dist-info/METADATA", "shapes/area.py"]
    assert (project.folder / "shapes" / "area.py").read_text() == SOURCE
    assert not os.access(project.folder / "shapes" / "area.py", os.X_OK)


def test_what_is_in_the_cache_is_not_fetched_again(index: Index, tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path, [index.add("shapes", {"shapes/area.py": SOURCE})]))
    first = fetch.fetch(recipe)
    index.online = False
    assert fetch.fetch(recipe) == first
    assert index.asked == ["shapes==1.0"]


def test_an_interrupted_fetch_keeps_what_is_complete_and_goes_on(
    index: Index, tmp_path: Path, cache: Path
) -> None:
    entries = [index.add(name, {f"{name}/m.py": SOURCE + f"# {name}\n"}) for name in ("one", "two", "three")]
    recipe = load_recipe(write_recipe(tmp_path, entries))
    (index.folder / "two-1.0-py3-none-any.whl").rename(tmp_path / "away.whl")
    with pytest.raises(FileNotFoundError):
        fetch.fetch(recipe)
    assert [path.name[:6] for path in sorted((cache / "corpora").glob("[!w]*"))] == ["one-1."]
    assert [path.name for path in (cache / "corpora" / "wheels").iterdir()] == ["one-1.0-py3-none-any.whl"]
    (tmp_path / "away.whl").rename(index.folder / "two-1.0-py3-none-any.whl")
    assert [p.name for p in fetch.fetch(recipe)] == ["one", "two", "three"]
    assert index.asked == ["one==1.0", "two==1.0", "two==1.0", "three==1.0"]


def test_another_file_than_the_pinned_one_never_enters_the_cache(
    index: Index, tmp_path: Path, cache: Path
) -> None:
    recipe = load_recipe(write_recipe(tmp_path, [index.add("shapes", {"shapes/area.py": SOURCE})]))
    index.add("shapes", {"shapes/area.py": "evil = 1\n"})
    with pytest.raises(UserError, match=r"has SHA-256 .*, the recipe says .*do not use it"):
        fetch.fetch(recipe)
    assert files(cache / "corpora") == []


def test_a_wheel_that_was_damaged_in_the_cache_is_an_error(index: Index, tmp_path: Path, cache: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path, [index.add("shapes", {"shapes/area.py": SOURCE})]))
    wheels = cache / "corpora" / "wheels"
    wheels.mkdir(parents=True)
    (wheels / "shapes-1.0-py3-none-any.whl").write_bytes(b"half of")
    with pytest.raises(UserError, match=r"has SHA-256 .*; delete it and try again"):
        fetch.fetch(recipe)
    assert (wheels / "shapes-1.0-py3-none-any.whl").read_bytes() == b"half of"


def test_a_killed_download_leaves_nothing_under_a_final_name(
    index: Index, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe(write_recipe(tmp_path, [index.add("shapes", {"shapes/area.py": SOURCE})]))

    def killed(requirement: str, folder: Path) -> Path:
        (folder / "shapes-1.0-py3-none-any.whl").write_bytes(b"PK\3\4 hal")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fetch, "download", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch.fetch(recipe)
    assert files(cache) == []
    assert [p.name for p in fetch.fetch(recipe)] == ["shapes"]


def test_pip_that_fails_is_one_line_with_its_reason(cache: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    entry = f'{{name: no-such-thing-here, version: "1", license: MIT, sha256: {"ab" * 32}}}'
    with pytest.raises(UserError, match=r"cannot fetch no-such-thing-here==1 \(.*is the package index reach"):
        fetch.fetch(load_recipe(write_recipe(tmp_path, [entry])))


def test_the_standard_library_is_that_of_this_interpreter(cache: Path) -> None:
    [project] = fetch.fetch(load_recipe("stdlib"))
    assert "json/decoder.py" in project.include
    assert not [path for path in project.include if {"test", "tests", "site-packages"} & set(path.split("/"))]


def jdk(folder: Path, modules: list[str]) -> Path:
    (folder / "lib").mkdir(parents=True)
    with zipfile.ZipFile(folder / "lib" / "src.zip", "w") as archive:
        for module in modules:
            archive.writestr(f"{module}/a/{module.replace('.', '')}.java", f"class X {{}} // {module}")
    return folder


def test_jdk_modules_are_projects(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe("jdk17")
    [source] = recipe.sources
    home = jdk(tmp_path / "jdk", list(source.modules))
    for place in (home, home / "lib" / "src.zip"):
        projects = fetch.fetch(recipe, jdk=place)
        assert [p.name for p in projects] == list(source.modules)
        assert projects[0].sha256 == fetch.sha256_of(home / "lib" / "src.zip")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert fetch.fetch(recipe) == projects
    unpacked = projects[0].folder.parent
    assert [p.folder for p in fetch.fetch(recipe, jdk=unpacked)] == [p.folder for p in projects]


def test_a_jdk_that_is_missing_or_another_one(cache: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UserError, match=r"set JAVA_HOME or give its src.zip with --jdk"):
        fetch.fetch(load_recipe("jdk17"))
    with pytest.raises(UserError, match=r"holds neither src.zip nor java.base"):
        fetch.fetch(load_recipe("jdk17"), jdk=tmp_path)
    with pytest.raises(UserError, match=r"have no module 'java.compiler'"):
        fetch.fetch(load_recipe("jdk17"), jdk=jdk(tmp_path / "jdk", ["java.base"]))


def test_code_that_changes_under_its_version_is_an_error(index: Index, tmp_path: Path, cache: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path, [index.add("shapes", {"shapes/area.py": SOURCE})]))
    corpus = fetch_corpus(recipe)
    note = (cache / "datasets" / "toy.json").read_bytes()
    assert fetch_corpus(recipe) == corpus
    (corpus.projects[0].project.folder / "shapes" / "area.py").write_text(SOURCE + "# edited\n")
    with pytest.raises(UserError, match=r"the code of shapes 1.0 has changed: its SHA-256 is .*, it was "):
        fetch_corpus(recipe)
    assert (cache / "datasets" / "toy.json").read_bytes() == note


def test_a_project_is_named_once(index: Index, tmp_path: Path) -> None:
    entry = index.add("shapes", {"shapes/area.py": SOURCE})
    with pytest.raises(UserError, match="names 'shapes' twice"):
        fetch.fetch(load_recipe(write_recipe(tmp_path, [entry, entry])))
    with pytest.raises(UserError, match="splits 'colours', which it does not fetch"):
        fetch.fetch(load_recipe(write_recipe(tmp_path, [entry], ", test: [colours]")))
