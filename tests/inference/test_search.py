"""Vectors of code, and an index of them: complete, equal to comparing with everything, and never stale."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, prepare
from graphmer_geo.data.functions import pieces
from graphmer_geo.data.pairs import PairConfig, mine_pairs
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.errors import UserError
from graphmer_geo.inference import Embedder, SearchIndex, embed
from graphmer_geo.inference.embed import Embedded
from graphmer_geo.inference.search import MANIFEST, default_folder
from graphmer_geo.models.graphmer import word_bags
from graphmer_geo.train.args import TrainArgs
from graphmer_geo.train.run import train
from graphmer_geo.train.search import finetune
from tests.data import documented
from tests.data.standin import StandInKG
from tests.inference.conftest import TINY

ARGS = TrainArgs(max_steps=30, learning_rate=5e-3, threads=1)
QUERY = "count the sheep that a path leads to"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("searched")
    config = DataConfig(vocab_size=600, max_roots=64, min_roots=4, near_duplicates=0)
    prepare(StandInKG(documented.write(root / "code")), root / "data", config)
    return root / "data"


@pytest.fixture(scope="module")
def base(data: Path) -> Path:
    args = TrainArgs(max_steps=3, batch_tokens=512, threads=1)
    return train(data, data.parent / "base", args, TINY, ChainConfig(max_triples=12))


@pytest.fixture(scope="module")
def run(data: Path, base: Path) -> Path:
    return finetune(base, data, data.parent / "run", ARGS, PairConfig(per_batch=4, same_unit=2, buckets=512))


@pytest.fixture(scope="module")
def index(run: Path, data: Path) -> SearchIndex:
    return SearchIndex.build(run, data, default_folder(run, data))


@pytest.fixture(scope="module")
def lines(data: Path) -> Path:
    path = data.parent / "code.jsonl"
    folder = DataFolder.open(data)
    texts = [piece.text(folder.tokenizer).decode() for s in SPLITS for piece in pieces(folder, s)]
    rows = [json.dumps({"code": text, "name": f"f{n}"}) for n, text in enumerate(texts)]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_every_function_has_one_vector(run: Path, data: Path, tmp_path: Path) -> None:
    count = embed(run, data, tmp_path / "v.parquet")
    table = pq.read_table(tmp_path / "v.parquet")
    folder = DataFolder.open(data)
    expected = [(p.file, p.start, p.end) for split in SPLITS for p in pieces(folder, split)]
    assert count == len(table) == len(expected)
    assert list(zip(*(table[c].to_pylist() for c in ("file", "start", "end")), strict=True)) == expected
    vectors = np.array(table["vector"].to_pylist())
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    embed(run, data, tmp_path / "v.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), vectors.astype(np.float32))
    assert pq.read_table(tmp_path / "v.items.parquet") == table.drop_columns("vector")
    assert embed(run, data, tmp_path / "t.npy", split="test") < count


def test_vectors_do_not_depend_on_what_is_embedded_beside_them(run: Path, data: Path) -> None:
    embedder = Embedder(run)
    chains = next(iter(embedder.reader.folder(DataFolder.open(data), "train"))).chains
    together = embedder.vectors(chains)
    alone = np.concatenate([embedder.vectors([chain]) for chain in chains])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_file_is_the_mean_of_its_pieces(run: Path, data: Path) -> None:
    folder, embedder = DataFolder.open(data), Embedder(run)
    found = list(embedder.source(data, split="train", of="files"))
    files = [file for block in found for file in block.items["file"].to_pylist()]
    assert sorted(files) == sorted(set(folder.chunks("train")["file"].to_pylist()))
    parts = next(iter(embedder.reader.folder(folder, "train", "files")))
    vectors = embedder.vectors(parts.chains)
    for block in found:
        for row, file in enumerate(block.items["file"].to_pylist()):
            own = [n for n, name in enumerate(parts.items["file"].to_pylist()) if name == file]
            mean = vectors[own].sum(0)
            np.testing.assert_allclose(block.vectors[row], mean / np.linalg.norm(mean), atol=1e-5)
            words = parts.words.take(own)
            assert sorted(block.words.take([row]).word.tolist()) == sorted(words.word.tolist())


def test_a_run_that_has_not_learnt_to_search_has_vectors_only(base: Path, data: Path, tmp_path: Path) -> None:
    assert embed(base, data, tmp_path / "v.npy") == embed(base, data, tmp_path / "w.parquet")
    with pytest.raises(UserError, match="no head for search"):
        SearchIndex.build(base, data, tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_the_index_ranks_as_the_model_scores(index: SearchIndex, run: Path, data: Path) -> None:
    """Against all pairs of queries and functions, as in training."""
    embedder = Embedder(run)
    blocks = list(embedder.source(data))
    vectors = torch.from_numpy(np.concatenate([block.vectors for block in blocks]))
    words = blocks[0].words
    for block in blocks[1:]:
        words = words.followed_by(block.words)
    queries = [QUERY, "sort a tree", "nothing like it"]
    asked = embedder.queries(queries)
    tensors = asked.words.tensors("query")
    with torch.no_grad():
        scores = embedder.model.searcher(
            torch.from_numpy(asked.vectors), vectors, word_bags(tensors, "query", 3), embedder.bags(words)
        )
    for hits, row in zip(index.search_many(queries, top=len(index)), scores, strict=True):
        assert [hit.row for hit in hits[:1]] == [int(row.argmax())]
        expected = row[[hit.row for hit in hits]]
        np.testing.assert_allclose([hit.score for hit in hits], expected, rtol=1e-3, atol=1e-3)
        assert sorted(hit.row for hit in hits) == list(range(len(index)))


def test_what_is_asked_for_is_found(index: SearchIndex) -> None:
    names = [hit.name for hit in index.search(QUERY, top=3)]
    assert "count_sheep" in names
    hit = index.search(QUERY, top=1)[0]
    assert hit.score == pytest.approx(hit.vector_score + hit.word_score)


def test_large_indexes_find_by_neighbours_what_comparing_with_all_finds(
    index: SearchIndex, run: Path, data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    graph = SearchIndex.build(run, data, tmp_path / "graph", exact_up_to=5)
    assert graph.manifest.approximate
    assert not index.manifest.approximate
    opened = SearchIndex.open(run, tmp_path / "graph", data)
    for query in (QUERY, "read the hammer"):
        exact = [hit.row for hit in index.search(query, top=5)]
        assert [hit.row for hit in opened.search(query, top=5)] == exact


def test_code_without_a_graph(run: Path, lines: Path, tmp_path: Path) -> None:
    index = SearchIndex.build(run, lines, tmp_path / "index")
    text = lines.read_text().splitlines()
    assert len(index) == len(text)
    hit = index.search(QUERY, top=1)[0]
    assert "count_sheep" in text[hit.start - 1]
    assert hit.name == json.loads(text[hit.start - 1])["name"]


def test_a_stale_index_is_an_error(
    index: SearchIndex, run: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    assert SearchIndex.open(run, index.folder, data).search(QUERY, 2) == index.search(QUERY, 2)
    other = finetune(base, data, tmp_path / "other", TrainArgs(max_steps=2, threads=1),
                     PairConfig(per_batch=4, buckets=512))  # fmt: skip
    with pytest.raises(UserError, match="is stale: its model_hash is"):
        SearchIndex.open(other, index.folder)
    changed = tmp_path / "changed"
    prepare(StandInKG(documented.write(tmp_path / "code")), changed, DataConfig(vocab_size=600, max_roots=63))
    with pytest.raises(UserError, match="is stale: its source_fingerprint is"):
        SearchIndex.open(run, index.folder, changed)
    manifest = asdict(index.manifest) | {"ontology_version": "0.1"}
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in index.folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"its ontology_version is '0\.1'"):
        SearchIndex.open(run, copy)
    (copy / MANIFEST).write_text(json.dumps(asdict(index.manifest) | {"count": 3}))
    with pytest.raises(UserError, match="is damaged: files differ in length"):
        SearchIndex.open(run, copy)
    (copy / MANIFEST).write_text("{}")
    with pytest.raises(UserError, match="is no manifest of an index"):
        SearchIndex.open(run, copy)
    with pytest.raises(UserError, match="there is no index in"):
        SearchIndex.open(run, tmp_path)


def test_bad_input(index: SearchIndex, run: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the question is empty"):
        index.search("  ")
    with pytest.raises(UserError, match="top is 0"):
        index.search("x", top=0)
    with pytest.raises(UserError, match=r"v\.csv.; end it with"):
        embed(run, data, tmp_path / "v.csv")
    with pytest.raises(UserError, match="no split 'dev'"):
        embed(run, data, tmp_path / "v.npy", split="dev")
    bad = {"{": "line 1 is not JSON", '{"text": 1}': "line 1 has no text 'code'", "": "there are no"}
    for text, message in bad.items():
        (tmp_path / "bad.jsonl").write_text(text)
        with pytest.raises(UserError, match=message):
            embed(run, tmp_path / "bad.jsonl", tmp_path / "v.npy")
    with pytest.raises(UserError, match="does not exist"):
        embed(run, tmp_path / "nowhere", tmp_path / "v.npy")
    with pytest.raises(UserError, match="exists and is no index"):
        SearchIndex.build(run, data, data)
    assert not list(tmp_path.glob("v.*"))
    assert not list(tmp_path.glob(".v*"))


def test_an_empty_block_of_words_is_nothing(run: Path) -> None:
    asked: Embedded = Embedder(run).queries(["???"])
    assert asked.vectors.shape == (1, 32)
    assert len(asked.words.word) == 0


def test_queries_of_the_train_split_only_shaped_the_model(run: Path, data: Path) -> None:
    said = json.loads((run / "search.json").read_text())["mined"]
    assert said["pairs"] == len(mine_pairs(DataFolder.open(data), "train", PairConfig(buckets=512)))
