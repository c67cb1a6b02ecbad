"""Data in pieces: the same rows and chains whatever the size of a piece."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from standin import StandInKG

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.data.mentions import COLUMNS, MentionIndex
from graphmer_geo.data.pack import pack
from graphmer_geo.data.shards import drawn, shard_numbers
from graphmer_geo.data.transductive import transductive
from graphmer_geo.errors import UserError

CONFIG = DataConfig(vocab_size=500, max_roots=64, curriculum=(24,), min_roots=5)
PARTS = (("train", None), ("train", 24), ("validation", None), ("test", None))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[DataFolder]:
    """The same code in a shard per split, in several, and in one per file."""
    root = tmp_path_factory.mktemp("shards")
    kg = StandInKG()
    for size in (10**9, 900, 1):
        prepare(kg, root / str(size), replace(CONFIG, shard_bytes=size))
    return [DataFolder.open(root / str(size)) for size in (10**9, 900, 1)]


def test_rows_do_not_depend_on_the_size_of_shards(folders: list[DataFolder]) -> None:
    whole, some, many = folders
    assert len(whole.shards("train")) == 1 < len(some.shards("train")) < len(many.shards("train"))
    for split, roots in PARTS:
        table = whole.chunks(split, roots)
        for folder in (some, many):
            assert folder.chunks(split, roots).equals(table)
            sizes = [pq.read_metadata(p).num_rows for p in folder.shards(split, roots)]
            assert sizes == folder.shard_sizes(split, roots)
    for folder in (some, many):
        assert folder.entities.equals(whole.entities)
        assert folder.triples.equals(whole.triples)
        assert folder.manifest.counts == whole.manifest.counts
        for name in ("tokenizer.json", "relations.json"):
            assert (folder.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_a_shard_has_whole_files_in_the_order_of_their_hashes(folders: list[DataFolder]) -> None:
    for folder in folders:
        for split, roots in PARTS:
            files = list(dict.fromkeys(folder.chunks(split, roots)["file"].to_pylist()))
            assert files == sorted(files, key=drawn)
            seen: set[str] = set()
            for path in folder.shards(split, roots):
                here = set(pq.read_table(path, columns=["file"])["file"].to_pylist())
                assert not here & seen
                seen |= here
        for long, short in zip(folder.shards("train"), folder.shards("train", 24), strict=True):
            one, other = (pq.read_table(p, columns=["file"])["file"].unique() for p in (long, short))
            assert one.equals(other)  # of every length, a shard is of the same files


def test_chains_do_not_depend_on_the_size_of_shards(folders: list[DataFolder]) -> None:
    for split, roots in PARTS:
        sets = [LeafyChainDataset(folder, split, roots=roots, seed=3) for folder in folders]
        assert len({len(one) for one in sets}) == 1
        for one in sets[1:]:
            assert np.array_equal(one.lengths, sets[0].lengths)
            for index in range(len(one)):
                a, b = one[index].to_dict(), sets[0][index].to_dict()
                assert all(torch.equal(a[k], b[k]) for k in a if isinstance(a[k], torch.Tensor))


def test_what_is_released_is_read_again(folders: list[DataFolder]) -> None:
    dataset = LeafyChainDataset(folders[2], "train")
    chains = [dataset[i]["tok"] for i in range(len(dataset))]
    for shard in range(len(dataset.shards)):
        dataset.release(shard)
        dataset.release(shard)
    assert not dataset._open
    assert [dataset.root_tokens(i).tolist() for i in dataset.shards[1]] == [
        chains[i][: len(dataset.root_tokens(i))].tolist() for i in dataset.shards[1]
    ]
    assert list(dataset._open) == [1]
    for index in (-1, len(dataset)):
        with pytest.raises(IndexError, match=f"chunk {index} of {len(dataset)}"):
            dataset[index]


def test_lengths_are_those_of_a_slow_reference(folders: list[DataFolder]) -> None:
    config = ChainConfig(max_per_head=5, max_triples=9)
    dataset = LeafyChainDataset(folders[1], "train", config=config)
    index, per_tail = dataset.triples, dataset._label_len[dataset.triples.tail].mean()
    for length, row in zip(dataset.lengths, folders[1].chunks("train").to_pylist(), strict=True):
        triples = sum(
            min(int(index.forward_end[head] - index.head_ptr[head]), 5) for head in set(row["mention_entity"])
        )
        assert length == len(row["tok"]) + int(np.ceil(min(triples, 9) * per_tail))


def test_files_are_dealt_to_shards_of_about_one_size() -> None:
    assert shard_numbers([], 10) == []
    assert shard_numbers([0, 0], 10) == [0, 0]
    assert shard_numbers([4, 4, 4, 4], 8) == [0, 0, 1, 1]
    assert shard_numbers([4, 4, 4], 11) == [0, 0, 1]
    assert shard_numbers([1, 90, 1, 1], 10) == [0, 0, 1, 1]  # nine of ten would be empty
    rng = np.random.default_rng(0)
    for most in (50, 333, 10_000):
        sizes = rng.integers(0, 60, 300)
        numbers = shard_numbers(sizes.tolist(), most)
        assert sorted(numbers) == numbers
        assert set(numbers) == set(range(numbers[-1] + 1))
        held = np.bincount(numbers, sizes)
        assert held.max() < most + 60
        assert held.max() - held[:-1].min(initial=held.max()) < 120


def test_a_shard_that_is_gone_is_named(folders: list[DataFolder], tmp_path: Path) -> None:
    prepare(StandInKG(), tmp_path / "d", replace(CONFIG, shard_bytes=900))
    gone = DataFolder.open(tmp_path / "d").shards("train")[1]
    gone.unlink()
    with pytest.raises(UserError, match=r"train/00001\.parquet' is missing; make it with"):
        LeafyChainDataset(tmp_path / "d", "train")


def test_mentions_are_those_of_a_slow_reference() -> None:
    """In whatever parts the table comes, also where a part has rows in no order."""
    kg = StandInKG()
    ids = {iri: number for number, iri in enumerate(kg.entities()["iri"].to_pylist())}
    rows = [o for o in kg.occurrences.to_pylist() if o["entity"] in ids]
    whole = kg.occurrences.select(COLUMNS)
    files = np.array(whole["file"].to_pylist())
    parts = [whole.filter(files == file) for file in sorted(set(files))]
    shuffled = whole.take(np.random.default_rng(0).permutation(len(whole)))
    for tables in ([whole], parts, [shuffled], [whole.slice(0, 0), whole]):
        index = MentionIndex.read(tables, ids)
        for file in {*files, "nowhere"}:
            found = index.of(file)
            columns = (found.start.tolist(), found.end.tolist(), found.entity.tolist(), found.role)
            wanted = [(o["start"], o["end"], ids[o["entity"]], o["role"]) for o in rows if o["file"] == file]
            assert sorted(zip(*columns, strict=True)) == sorted(wanted)
            assert list(zip(columns[0], columns[1], strict=True)) == sorted(o[:2] for o in wanted)


def test_the_real_graph_gives_its_table_in_parts(tmp_path: Path) -> None:
    from graphmer_geo.kg import KnowledgeGraph, build_kg

    shop = Path(__file__).parents[1] / "fixtures" / "shop"
    built = build_kg([shop], tmp_path / "kg")
    kg = KnowledgeGraph.open(tmp_path / "kg")
    wanted = kg.occurrences.select(COLUMNS)
    assert len(wanted) > 300
    for graph in (KnowledgeGraph.open(tmp_path / "kg"), kg, built):
        assert (
            pa.concat_tables(graph.occurrence_parts(COLUMNS)).combine_chunks().equals(wanted.combine_chunks())
        )


def test_data_from_before_there_were_shards_is_read(folders: list[DataFolder], tmp_path: Path) -> None:
    whole = folders[0]
    old = tmp_path / "old"
    shutil.copytree(whole.path, old)
    for name in ("train", "train-24", "validation", "test"):
        (old / "chunks" / name / "00000.parquet").rename(old / "chunks" / f"{name}.parquet")
        (old / "chunks" / name).rmdir()
    manifest = json.loads((old / "manifest.json").read_text())
    del manifest["shards"], manifest["config"]["shard_bytes"]
    (old / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    for split, roots in PARTS:
        assert DataFolder.open(old).chunks(split, roots).equals(whole.chunks(split, roots))
        assert len(LeafyChainDataset(old, split, roots=roots)) == sum(whole.shard_sizes(split, roots))
    pack(old, tmp_path / "packed")
    pack(whole.path, tmp_path / "as whole")
    transductive(old, tmp_path / "held out")
    transductive(whole, tmp_path / "as held out")
    for name in ("packed", "held out"):
        made, wanted = (
            DataFolder.open(tmp_path / name),
            DataFolder.open(tmp_path / f"as {name}".replace("packed", "whole")),
        )
        assert made.manifest == replace(wanted.manifest, config=made.manifest.config)
        assert made.chunks("test").equals(wanted.chunks("test"))
    (old / "chunks" / "test.parquet").unlink()
    with pytest.raises(UserError, match=r"test\.parquet' is missing"):
        LeafyChainDataset(old, "test")
