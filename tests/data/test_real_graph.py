"""The same with a graph that was built from source: what the stand-in of the other tests only spells."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import CONFIG
from standin import SHOP

from graphmer_geo.data import (
    ChainConfig,
    DataFolder,
    LeafyChainDataset,
    Limits,
    chain_to_triples,
    check_batch,
    collate,
    from_hetero,
    prepare,
    to_hetero,
)
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.tokenizer import decode
from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.transforms import EvalQueries, MaskNodes, MaskTokens

JAVA = Path(__file__).parents[2] / "datasets" / "java-library"


@pytest.fixture(scope="module")
def real() -> KnowledgeGraph:
    return build_kg([Source(SHOP, package="shop"), Source(JAVA, package="shelf")])


@pytest.fixture(scope="module")
def real_data(real: KnowledgeGraph, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    out = tmp_path_factory.mktemp("real") / "data"
    prepare(real, out, CONFIG)
    return DataFolder.open(out)


def test_both_languages_are_trained_and_tested_on(real_data):
    for split in ("train", "test"):
        languages = {file.partition("/")[0] for file in real_data.chunks(split)["file"].to_pylist()}
        assert languages == {"java", "python"}


def test_mentions_spell_their_entity(real, real_data):
    """The tokens that a declaration or a call is linked to are its name."""
    names = dict(zip(real.entities()["iri"].to_pylist(), real.entities()["name"].to_pylist(), strict=True))
    iris = real_data.entities["iri"].to_pylist()
    checked = 0
    for split in SPLITS:
        for row in real_data.chunks(split).to_pylist():
            source = real.read_source(row["file"])
            columns = (row[f"mention_{key}"] for key in ("start", "len", "entity", "role"))
            for first, length, entity, role in zip(*columns, strict=True):
                if role == "definition":
                    span = source[row["tok_start"][first] : row["tok_end"][first + length - 1]]
                    assert names[iris[entity]].strip("<>") in (decode(span).strip(), "init")
                    checked += 1
    assert checked > 100


def test_a_method_carries_the_method_it_overrides(real_data):
    labels, names = real_data.entities["label"].to_pylist(), {v: k for k, v in real_data.relations.items()}
    facts = set()
    for split in SPLITS:
        for chain in LeafyChainDataset(real_data, split, config=ChainConfig(max_triples=500)):
            columns = (chain[f"triple_{key}"].tolist() for key in ("head", "rel", "tail"))
            facts |= {(labels[h], names[r], labels[t]) for h, r, t in zip(*columns, strict=True)}
    assert ("Stock.put", "overrides", "Shelf.put") in facts
    assert ("Shelf.put", "overrides^-1", "Stock.put") in facts
    assert ("Invoice.total", "returnsType", "Money") in facts


def test_masked_batches_are_valid(real_data):
    table = real_data.tokenizer.table
    training = LeafyChainDataset(
        real_data, "train", transforms=[MaskTokens(table), MaskNodes(table, prob=0.5)]
    )
    limits = Limits(len(real_data.tokenizer), len(real_data.relations))
    batch = collate(list(training))
    check_batch(batch, limits)
    assert min(batch[key].numel() for key in ("mlm_index", "mnm_index", "rank_index")) > 20
    queries = collate(list(LeafyChainDataset(real_data, "test", transforms=[EvalQueries(table)])))
    check_batch(queries, limits)
    assert set(queries["rank_visible"].tolist()) == {True, False}


def test_chains_read_back(real_data):
    labels = real_data.entities["label_tok"].to_pylist()
    for chain in LeafyChainDataset(real_data, "test"):
        tails = [labels[t] for t in chain["triple_tail"].tolist()]
        assert [list(tail) for _, _, tail in chain_to_triples(chain)] == tails


def test_hetero_round_trip(real):
    columns = (real.triples()[c].to_pylist() for c in ("subject", "relation", "object"))
    assert from_hetero(to_hetero(real)) == sorted(set(zip(*columns, strict=True)))
