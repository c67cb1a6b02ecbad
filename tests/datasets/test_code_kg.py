from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch_geometric.loader import DataLoader

from graphmer_geo.data import from_hetero
from graphmer_geo.datasets import CodeKGDataset, fetch
from graphmer_geo.errors import UserError
from tests.datasets.toy_corpus import PROJECTS, TEST, VALIDATION, make_recipe
from tests.datasets.toy_index import Index


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("code-kg")


@pytest.fixture(scope="module")
def recipe(place: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHMER_CACHE", str(place / "cache"))
        index = Index(place / "index")
        patch.setattr(fetch, "download", index.download)
        yield make_recipe(place, index)


@pytest.fixture(scope="module")
def dataset(place: Path, recipe: Path) -> CodeKGDataset:
    return CodeKGDataset(place / "toy", recipe)


def test_it_is_a_dataset_as_pyg_has_them(dataset: CodeKGDataset) -> None:
    assert str(dataset) == f"CodeKGDataset(toy, all, {len(PROJECTS)})"
    assert len(dataset) == len(PROJECTS)
    assert sorted(graph.project for graph in dataset) == sorted(PROJECTS)
    assert len(dataset[:2]) == 2
    assert len(dataset[torch.tensor([0, 3])]) == 2
    assert {path.rpartition("/")[2] for path in dataset.processed_paths} == {
        "train.pt", "validation.pt", "test.pt", "projects.pt",
    }  # fmt: skip
    for graph in dataset:
        assert graph.validate(raise_on_error=True)
        assert graph.metadata() == dataset[0].metadata()


def test_splits_are_disjoint_and_complete(place: Path, recipe: Path) -> None:
    parts = {s: CodeKGDataset(place / "toy", recipe, s) for s in ("train", "validation", "test")}
    names = {split: {graph.project for graph in part} for split, part in parts.items()}
    assert names["validation"] == set(VALIDATION)
    assert names["test"] == set(TEST)
    assert names["train"] == set(PROJECTS) - set(VALIDATION) - set(TEST)
    assert all(graph.split == split for split, part in parts.items() for graph in part)


def test_projects_hold_every_fact_once(place: Path, recipe: Path, dataset: CodeKGDataset) -> None:
    [whole] = CodeKGDataset(place / "toy", recipe, per_project=False)
    facts = [fact for graph in dataset for fact in from_hetero(graph)]
    assert sorted(facts) == from_hetero(whole)
    assert {relation for _, relation, _ in facts} >= {"calls", "extends", "imports", "raises", "overrides"}
    iris = {iri for kind in whole.node_types for iri in whole[kind].iri}
    assert {iri for graph in dataset for kind in graph.node_types for iri in graph[kind].iri} == iris


def test_nothing_is_made_twice(
    place: Path, recipe: Path, dataset: CodeKGDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CodeKGDataset, "download", None)
    monkeypatch.setattr(CodeKGDataset, "process", None)
    assert len(CodeKGDataset(place / "toy", recipe)) == len(dataset)


def test_pyg_loads_batches_of_projects(dataset: CodeKGDataset) -> None:
    batch = next(iter(DataLoader(dataset, batch_size=len(dataset))))
    assert batch["Method"].num_nodes == sum(graph["Method"].num_nodes for graph in dataset)
    calls = ("Function", "calls", "Function")
    assert batch[calls].edge_index.size(1) == sum(graph[calls].edge_index.size(1) for graph in dataset) > 0


def test_filter_and_transforms(place: Path, recipe: Path) -> None:
    def mark(graph):
        graph.marked = True
        return graph

    def big(graph) -> bool:
        return graph.project != "apple"

    made = CodeKGDataset(place / "other", recipe, pre_filter=big, pre_transform=mark, transform=mark)
    assert sorted(graph.project for graph in made) == sorted(set(PROJECTS) - {"apple"})
    assert made[0].marked


def test_what_a_user_can_get_wrong(place: Path, recipe: Path) -> None:
    with pytest.raises(UserError, match="no split 'dev'"):
        CodeKGDataset(place / "toy", recipe, "dev")
    with pytest.raises(UserError, match="has no split; leave per_project on"):
        CodeKGDataset(place / "toy", recipe, "test", per_project=False)
    with pytest.raises(UserError, match="'demo' names no validation and test units"):
        CodeKGDataset(place / "demo", "demo")
