"""What is tested on must not be known from training, in any way that we know of."""

from __future__ import annotations

import numpy as np
import pytest

from graphmer_geo.data import ChainConfig, CodeTokenizer, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.data.config import INVERSE
from graphmer_geo.data.folder import relation_ids
from graphmer_geo.data.near_duplicates import jaccard, shingles
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.tokenizer import decode
from graphmer_geo.datasets import Corpus, chain_loader, fetch, fetch_corpus
from graphmer_geo.kg import KnowledgeGraph, build_kg
from graphmer_geo.kg.vocabulary import RELATIONS
from tests.datasets.toy_corpus import PROJECTS, TEST, VALIDATION, make_recipe
from tests.datasets.toy_index import Index


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    place = tmp_path_factory.mktemp("leaks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHMER_CACHE", str(place / "cache"))
        index = Index(place / "index")
        patch.setattr(fetch, "download", index.download)
        return fetch_corpus(make_recipe(place, index))


@pytest.fixture(scope="module")
def kg(corpus: Corpus) -> KnowledgeGraph:
    return build_kg(corpus.sources)


@pytest.fixture(scope="module")
def data(corpus: Corpus, kg: KnowledgeGraph, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = tmp_path_factory.mktemp("data") / "toy"
    prepare(kg, folder, corpus.data_config(vocab_size=400, max_roots=96))
    return DataFolder.open(folder)


def facts(data: DataFolder, split: str) -> set[tuple[int, int, int]]:
    table = data.triples.to_pylist()
    return {(row["head"], row["relation"], row["tail"]) for row in table if row["split"] == split}


def texts(data: DataFolder, kg: KnowledgeGraph, split: str, kind: str | None = None) -> list[bytes]:
    rows = sorted(data.chunks(split).to_pylist(), key=lambda row: (row["file"], row["start"]))
    return [
        kg.read_source(row["file"])[row["start"] : row["end"]]
        for row in rows
        if kind is None or row["kind"] == kind
    ]


def test_no_project_is_in_two_splits(data: DataFolder) -> None:
    found = {split: set(data.chunks(split)["unit"].to_pylist()) for split in SPLITS}
    assert found["validation"] == set(VALIDATION)
    assert found["test"] == set(TEST)
    assert found["train"] == set(PROJECTS) - set(VALIDATION) - set(TEST)


def test_no_file_is_in_two_projects(corpus: Corpus) -> None:
    assert corpus.removed == {"duplicate": 1}
    [forge] = [p for p in corpus.projects if p.project.name == "forge"]
    assert "forge/intervals.py" not in forge.project.include


def test_no_function_is_nearly_one_of_another_split(data: DataFolder, kg: KnowledgeGraph) -> None:
    assert data.manifest.counts["test"]["near_duplicates_dropped"] == 1  # the edited copy, which was planted
    sets = {split: [shingles(text) for text in texts(data, kg, split, "callable")] for split in SPLITS}
    assert all(sets.values())
    for earlier, later in (("train", "validation"), ("train", "test"), ("validation", "test")):
        worst = max(jaccard(a, b) for a in sets[earlier] for b in sets[later])
        assert worst < data.manifest.config.near_duplicates, (earlier, later)


def test_no_test_triple_inverse_or_twin_is_in_train(data: DataFolder) -> None:
    held = facts(data, "test") | facts(data, "validation")
    known = facts(data, "train")
    assert held
    assert not held & known
    inverse = {index: data.relations[name + INVERSE] for name, index in data.relations.items()
               if name + INVERSE in data.relations}  # fmt: skip
    assert not {(tail, inverse[relation], head) for head, relation, tail in held} & known
    pairs = {frozenset((head, tail)) for head, _, tail in known}  # a twin says it in another relation's name
    assert not {frozenset((head, tail)) for head, _, tail in held} & pairs


def test_training_chains_carry_and_ask_for_nothing_of_other_splits(data: DataFolder) -> None:
    held = facts(data, "test") | facts(data, "validation")
    held |= {(tail, -relation, head) for head, relation, tail in held}
    names = {index: name for name, index in data.relations.items()}
    dataset = LeafyChainDataset(data, "train", config=ChainConfig(max_triples=200, max_per_head=200))
    seen = set()
    for index in range(len(dataset)):
        chain = dataset[index]
        for head, relation, tail in zip(
            chain.triple_head.tolist(), chain.triple_rel.tolist(), chain.triple_tail.tolist(), strict=True
        ):
            name = names[relation]
            if name.endswith(INVERSE):
                relation = -data.relations[name.removesuffix(INVERSE)]
            seen.add((head, relation, tail))
    assert len(seen) > 50
    assert not seen & held


def test_tokenizer_and_relations_are_not_of_the_test_split(data: DataFolder, kg: KnowledgeGraph) -> None:
    train = [decode(text) for text in texts(data, kg, "train")]
    again = CodeTokenizer.train(train, data.manifest.config.vocab_size)
    assert len(again) == len(data.tokenizer)
    tokens = {bytes(token) for token in data.tokenizer.token_bytes}
    assert any(b"apple" in token for token in tokens)
    assert not any(b"lantern" in token or b"ignite" in token for token in tokens)
    assert data.relations == relation_ids(RELATIONS)  # the ontology's, whatever the code says


def test_loaders_of_the_splits_share_no_text(data: DataFolder) -> None:
    rows = {}
    for split in SPLITS:
        batches = list(chain_loader(data, split, batch_tokens=512))
        assert sum(int(batch["ptr"].numel()) - 1 for batch in batches) == data.chunks(split).num_rows
        rows[split] = {
            tuple(batch["tok"][a:b][batch["slot"][a:b] < 0].tolist())
            for batch in batches
            for a, b in zip(batch["ptr"][:-1].tolist(), batch["ptr"][1:].tolist(), strict=True)
        }
    assert not rows["train"] & rows["test"]
    assert not rows["train"] & rows["validation"]
    assert not rows["validation"] & rows["test"]


def test_epochs_differ_and_repeat(data: DataFolder) -> None:
    def order(epoch: int) -> list[list[int]]:
        return [batch["tok"].tolist() for batch in chain_loader(data, "train", batch_tokens=256, epoch=epoch)]

    assert order(0) == order(0) != order(1)
    assert np.sum([len(batch) for batch in order(0)]) > 500
