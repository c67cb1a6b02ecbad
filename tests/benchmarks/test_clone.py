"""Functions that are alike, at the smallest size: who is like whom, and that nothing tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import clone
from benchmarks.retrieval.clones import Functions, functions
from graphmer_geo.data import DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.errors import UserError
from graphmer_geo.kg import build_kg
from graphmer_geo.results import read_result

_SHAPE = '''
class {name}({base}):
    def area(self, scale):
        """The area of a {name}."""
        first = self.{name}_size
        second = scale * first
        return area_of(first, second, "{name}")

    def {name}_only(self):
        total = 0
        for item in self.{name}_items:
            total += item
        return total


def area_of(first, second, name):
    print(first, second, name)
    return first * second
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    root = tmp_path_factory.mktemp("alike")
    for package in ("one", "two", "three"):
        (root / "code" / package).mkdir(parents=True)
        (root / "code" / package / "__init__.py").write_text("")
        base = _SHAPE.format(name=f"shape_{package}", base="object")
        names = (f"circle_{package}", f"square_{package}")
        made = [_SHAPE.format(name=name, base=f"shape_{package}") for name in names]
        text = f"# {package}\n{base}" + "".join(part.partition("\n\ndef area_of")[0] + "\n" for part in made)
        (root / "code" / package / "shapes.py").write_text(text)
    build_kg([root / "code"], out=root / "kg")
    config = DataConfig(vocab_size=500, max_roots=64, min_roots=4, near_duplicates=0)
    prepare(root / "kg", root / "data", config)
    return DataFolder.open(root / "data")


@pytest.fixture(scope="module")
def found(folder: DataFolder) -> Functions:
    return functions(folder, "train")


def test_overrides_are_alike_and_copies_too(folder: DataFolder, found: Functions) -> None:
    labels = [folder.entities["label"][int(entity)].as_py() for entity in found.entity]
    areas = {row for row, label in enumerate(labels) if label.endswith(".area")}
    assert len(areas) == 3
    for row, label in enumerate(labels):
        others = set(found.relevant["overrides"][row].tolist())
        assert others == (areas - {row} if row in areas else set()), label
    copies = found.relevant["edited copies"]
    assert all(row not in others for row, others in enumerate(copies))
    assert all(row in copies[other] for row, others in enumerate(copies) for other in others.tolist())
    assert any(len(others) for others in copies)


def test_names_and_documentation_are_hidden(folder: DataFolder, found: Functions) -> None:
    chains = LeafyChainDataset(found.pairs.folder, "train")
    labels = folder.entities["label"]
    hidden = {folder.relations["overrides"], folder.relations["overrides^-1"]}
    for row, text in enumerate(found.pairs.code):
        own = labels[int(found.entity[row])].as_py().rpartition(".")[2]
        assert f" {own}(" not in text
        assert '"""' not in text
        chain = found.hide_names(chains[row], row)
        assert not hidden & set(chain["triple_rel"].tolist())
        tails = {labels[tail].as_py().rpartition(".")[2] for tail in chain["triple_tail"].tolist()}
        assert own not in tails
    assert any("area_of(" in text for text in found.pairs.code)


def test_all_scorers_at_the_smallest_size(folder: DataFolder, tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    words = ["--data", str(folder.path), "--work", str(tmp_path), "--steps", "2", "--search_steps", "2",
             "--size", "tiny", "--threads", "1", "--per_batch", "2", "--rivals", "BM25", "TF-IDF",
             "--out", str(tmp_path / "r.json")]  # fmt: skip
    clone.main(words)
    metrics = read_result(tmp_path / "r.json")["metrics"]
    scorers = {"random", "BM25", "TF-IDF", "encoder", "states", "leaves hidden", "text only"}
    for task in metrics["tasks"].values():
        assert set(task["map"]) == scorers
        assert set(task["encoder_minus"]) == scorers - {"encoder"}
        for cells in task["map"].values():
            assert 0 < cells["map"]["mean"] <= 1


def test_a_query_is_no_answer_to_itself() -> None:
    scores = np.array([[9, 1, 2], [1, 9, 2], [1, 2, 9]], np.float32)
    relevant = [np.array([2]), np.array([0]), np.zeros(0, np.int64)]
    values = clone.ranked(scores, np.array([0, 1]), relevant)
    assert values["map"].tolist() == [1.0, 0.5]


def test_nothing_alike_is_an_error(folder: DataFolder) -> None:
    with pytest.raises(UserError, match="no two functions of the train split are alike"):
        functions(folder, "train", limit=1)
