"""Functions whole again, and pairs: of documented functions, of one split, without the answer in the code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphmer_geo.data import ChainConfig, DataConfig, DataFolder, LeafyChainDataset, prepare
from graphmer_geo.data.functions import PieceFolder, chunk_table, pieces
from graphmer_geo.data.pack import pack
from graphmer_geo.data.pairs import PairConfig, mine_pairs
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.words import CODE, LEAF, NAME, LeafWords, WordTable, words_of
from graphmer_geo.errors import UserError
from graphmer_geo.metrics.lexical import sub_tokens
from tests.data import documented
from tests.data.standin import StandInKG


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> StandInKG:
    return StandInKG(documented.write(tmp_path_factory.mktemp("documented")))


@pytest.fixture(scope="module")
def folder(kg: StandInKG, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Windows so short that functions are cut into several."""
    path = tmp_path_factory.mktemp("pairs") / "data"
    config = DataConfig(vocab_size=600, max_roots=40, min_roots=4, near_duplicates=0,
                        test_units=("shop/tools",), validation_units=("shop/plants",))  # fmt: skip
    prepare(kg, path, config)
    return DataFolder.open(path)


@pytest.fixture(scope="module")
def table(folder: DataFolder) -> PieceFolder:
    return PieceFolder.of(folder, chunk_table(pieces(folder, "train"), folder.tokenizer, 400))


def test_pieces_are_whole_functions(kg: StandInKG, folder: DataFolder) -> None:
    seen = set()
    for piece in pieces(folder, "train"):
        source = kg.read_source(piece.file)[piece.start : piece.end]
        assert piece.text(folder.tokenizer) == source
        assert source.startswith(b"def ")
        seen.add(folder.entities["label"][piece.entity].as_py())
    assert {"read_horse", "horse_of", "Horse.__init__", "Horse.shared"} <= seen
    assert len(folder.chunks("train")) > len(seen)  # some had several windows


def test_mentions_of_pieces_are_where_their_names_are(folder: DataFolder) -> None:
    labels, checked = folder.entities["label"].to_pylist(), 0
    for piece in pieces(folder, "train"):
        bare = piece.without([(piece.text(folder.tokenizer).find(b'"""'), 60)], folder.tokenizer).cut(30)
        for whole in (piece, bare):
            assert len(whole.mention_role) == len(whole.mention_start) == len(whole.mention_entity)
            columns = (whole.mention_start, whole.mention_len, whole.mention_entity)
            for start, length, entity in zip(*(column.tolist() for column in columns), strict=True):
                name = labels[entity].rpartition(".")[2]
                if start >= 0 and name.isidentifier():
                    written = folder.tokenizer.decode(whole.tok[start : start + length])
                    assert name in written
                    checked += 1
    assert checked > 50


def test_chains_of_pieces_have_leaves(table: PieceFolder) -> None:
    dataset = LeafyChainDataset(table, "train", config=ChainConfig(max_roots=400))
    assert sum(dataset[row]["triple_rel"].numel() for row in range(len(dataset))) > len(dataset)
    without = PieceFolder.of(table, table.table, ["calls", "calls^-1"])
    hidden = {without.relations["calls"], without.relations["calls^-1"]}
    assert not hidden & set(without.triples["relation"].to_pylist())
    assert hidden & set(table.triples["relation"].to_pylist())


def test_pairs_are_documented_functions_without_their_documentation(folder: DataFolder) -> None:
    pairs = mine_pairs(folder, "train", PairConfig(per_batch=2))
    assert len(pairs) == 18
    assert pairs.query[pairs.names.index("count_sheep")] == "Count the sheep that a path leads to."
    for query, code, words in zip(pairs.query, pairs.code, range(len(pairs)), strict=True):
        assert '"""' not in code
        assert "leads to" not in code
        assert code.startswith("def ")
        assert code.rstrip().endswith("return result")
        bag = pairs.query_words.take([words])
        assert set(bag.word.tolist()) == set(words_of(query, 65536))
    assert pairs.skipped == {
        "no documentation": 3, "special or without name": 3, "summary of several": 3
    }  # fmt: skip


def test_mined_pairs_come_from_the_train_split_alone(folder: DataFolder) -> None:
    """No unit, function or summary of another split is among what search learns from."""
    mined = {split: mine_pairs(folder, split) for split in SPLITS}
    units = {split: set(p.folder.chunks(split)["unit"].to_pylist()) for split, p in mined.items()}
    assert units["train"] == {u for u, s in folder.manifest.units.items() if s == "train"} == {"shop/animals"}
    for split in ("validation", "test"):
        assert units[split] == {u for u, s in folder.manifest.units.items() if s == split}
        for column in ("query", "code", "names"):
            assert not set(getattr(mined["train"], column)) & set(getattr(mined[split], column))


def test_a_packed_copy_has_the_same_pairs(folder: DataFolder, tmp_path: Path) -> None:
    pack(folder.path, tmp_path / "packed")
    found, expected = (mine_pairs(data, "train") for data in (DataFolder.open(tmp_path / "packed"), folder))
    assert (found.query, found.code) == (expected.query, expected.code)


def test_what_makes_no_pair(folder: DataFolder) -> None:
    assert len(mine_pairs(folder, "train", PairConfig(min_lines=4))) == 18
    with pytest.raises(UserError, match=r"no function of the train split .* has documentation"):
        mine_pairs(folder, "train", PairConfig(min_lines=5))
    with pytest.raises(UserError, match="no split 'all'"):
        mine_pairs(folder, "all")
    with pytest.raises(UserError, match="per_batch is 1"):
        PairConfig(per_batch=1)
    with pytest.raises(UserError, match="leafless is 2"):
        PairConfig(leafless=2)
    with pytest.raises(UserError, match="roots is 0"):
        PairConfig(roots=0)


def test_word_tables() -> None:
    texts = [[(NAME, "readFile"), (CODE, "read read_it")], [], [(LEAF, "file")]]
    table = WordTable.of(texts, 997)
    read, file, it = words_of("read file it", 997)
    assert table.row.tolist() == [0, 0, 0, 0, 2]
    columns = (column.tolist() for column in (table.field, table.word, table.times))
    assert sorted(zip(*columns, strict=True)) == sorted(
        [(NAME, read, 1), (NAME, file, 1), (CODE, read, 2), (CODE, it, 1), (LEAF, file, 1)]
    )
    turned = table.take([2, 1, 0])
    assert turned.word.tolist() == [file, *table.word[:4].tolist()]
    joined = table.joined(turned)
    assert np.diff(joined.ptr).tolist() == [5, 0, 5]
    assert joined.word[:5].tolist() == [*table.word[:4].tolist(), file]
    after = table.followed_by(turned)
    assert np.diff(after.ptr).tolist() == [4, 0, 1, 1, 0, 4]
    assert np.diff(after.merged([0, 3, 5]).ptr).tolist() == [5, 1]


def test_words_of_leaves(table: PieceFolder) -> None:
    dataset = LeafyChainDataset(table, "train", config=ChainConfig(max_roots=400))
    chains = [dataset[row] for row in range(4)]
    found = LeafWords(table, 65536).of(chains)
    labels = table.entities["label"].to_pylist()
    for row, chain in enumerate(chains):
        words = sorted(w for tail in chain["triple_tail"].tolist() for w in sub_tokens(labels[tail]))
        bag = found.take([row])
        assert sorted(np.repeat(bag.word, bag.times).tolist()) == sorted(words_of(" ".join(words), 65536))
        assert set(bag.field.tolist()) <= {LEAF}


def test_data_for_a_trained_model_has_its_tokenizer(
    kg: StandInKG, folder: DataFolder, tmp_path: Path
) -> None:
    manifest = prepare(kg, tmp_path / "d", DataConfig(min_roots=4), tokenizer=folder.tokenizer)
    assert set(manifest.units.values()) == {"train"}
    data = DataFolder.open(tmp_path / "d")
    assert (data.path / "tokenizer.json").read_bytes() == (folder.path / "tokenizer.json").read_bytes()
    other = prepare(kg, tmp_path / "e", DataConfig(min_roots=4, near_duplicates=0))
    assert other.fingerprint != manifest.fingerprint
