from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from graphmer_geo.data import ChainConfig, LeafyChainDataset, chain_to_triples, check_batch, collate
from graphmer_geo.data.splits import SPLITS
from graphmer_geo.data.tokenizer import decode
from graphmer_geo.errors import UserError
from graphmer_geo.transforms import MaskNodes, MaskTokens

EVERYTHING = ChainConfig(
    max_triples=10_000, max_per_head=10_000, max_leaves_per_tail=40, inverse_of_references=True
)


def tensors(chain):
    return {key: value for key, value in chain.to_dict().items() if isinstance(value, torch.Tensor)}


def same(a, b):
    a, b = tensors(a), tensors(b)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def facts_of(data, split):
    """(head, relation, tail) of triples asserted in a split, inverses included."""
    ids = data.relations
    names = {index: name for name, index in ids.items()}
    found = set()
    for t in data.triples.to_pylist():
        if t["split"] == split:
            found.add((t["head"], t["relation"], t["tail"]))
            found.add((t["tail"], ids[names[t["relation"]] + "^-1"], t["head"]))
    return found


def rows(chain):
    columns = (chain[f"triple_{key}"].tolist() for key in ("head", "rel", "tail", "target", "visible"))
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("split", SPLITS)
def test_chains_carry_all_facts_of_all_heads_in_the_chunk(data, split):
    """Against a slow reference: heads are declarations and references, tails come from anywhere."""
    dataset = LeafyChainDataset(data, split, config=EVERYTHING)
    allowed = facts_of(data, "train") | facts_of(data, split)
    for index, row in enumerate(data.chunks(split).to_pylist()):
        heads = set(row["mention_entity"])
        wanted = {fact for fact in allowed if fact[0] in heads}
        wanted -= {(t, r, h) for h, r, t in wanted if h == t and r % 2 == 0}  # a loop is its own inverse
        assert {r[:3] for r in rows(dataset[index])} == wanted


def test_inverse_facts_hang_where_their_head_is_declared(data):
    config = replace(EVERYTHING, inverse_of_references=False)
    dataset, everything = (LeafyChainDataset(data, "train", config=c) for c in (config, EVERYTHING))
    names = {index: name for name, index in data.relations.items()}
    fewer = 0
    for index, row in enumerate(data.chunks("train").to_pylist()):
        roles = zip(row["mention_entity"], row["mention_role"], strict=True)
        declared = {entity for entity, role in roles if role in ("definition", "chunk")}
        wanted = [r for r in rows(everything[index]) if r[0] in declared or not names[r[1]].endswith("^-1")]
        assert sorted(r[:3] for r in rows(dataset[index])) == sorted(r[:3] for r in wanted)
        fewer += len(rows(everything[index])) - len(wanted)
    assert fewer > 50


def test_declared_heads_hang_at_their_declaration(data):
    dataset = LeafyChainDataset(data, "train")
    for epoch in range(3):
        dataset.set_epoch(epoch)
        for index, row in enumerate(data.chunks("train").to_pylist()):
            columns = (row[f"mention_{key}"] for key in ("entity", "role", "start"))
            place = {e: start for e, role, start in zip(*columns, strict=True) if role == "definition"}
            chain = dataset[index]
            for head, start in zip(
                chain["triple_head"].tolist(), chain["triple_head_start"].tolist(), strict=True
            ):
                assert place.get(head, start) == start


def test_only_facts_asserted_in_the_own_split_are_targets(data):
    own = {split: facts_of(data, split) for split in SPLITS}
    for split in SPLITS:
        targets = set()
        for chain in LeafyChainDataset(data, split, config=EVERYTHING):
            for head, rel, tail, target, _ in rows(chain):
                if target:
                    targets.add((head, rel, tail))
        assert targets
        assert targets <= own[split]
    assert not any(
        fact in own["test"] | own["validation"]
        for chain in LeafyChainDataset(data, "train", config=EVERYTHING)
        for fact in [r[:3] for r in rows(chain)]
    )


def test_containment_is_never_a_target(data):
    names = {index: name for name, index in data.relations.items()}
    seen = Counter()
    for chain in LeafyChainDataset(data, "train", config=EVERYTHING):
        for _, rel, _, target, _ in rows(chain):
            seen[names[rel].removesuffix("^-1"), target] += 1
    assert all(seen[name, False] for name in ("declares", "hasParameter"))
    assert not seen["declares", True] + seen["hasParameter", True]
    assert all(seen[name, True] for name in ("calls", "hasType"))
    only = ChainConfig(target_relations=("calls",))
    chains = LeafyChainDataset(data, "train", config=only)
    assert {names[r[1]] for c in chains for r in rows(c) if r[3]} == {"calls", "calls^-1"}


def test_visible_against_a_slow_reference(kg, data):
    """Visible: the simple name is an identifier of the chunk's text outside the head's own span."""
    entities = data.entities.to_pylist()
    visible = Counter()
    for index, row in enumerate(data.chunks("train").to_pylist()):
        source = kg.read_source(row["file"])
        chain = LeafyChainDataset(data, "train", config=EVERYTHING)[index]
        for k, (_, _, tail, _, flag) in enumerate(rows(chain)):
            start = chain["triple_head_start"][k].item()
            end = start + chain["triple_head_len"][k].item() - 1
            head = source[row["tok_start"][start] : row["tok_end"][end]] if start else b""
            label = entities[tail]["label"]
            parts = label.split(".")
            name = parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]
            names = Counter(re.findall(r"[^\W\d]\w*", decode(source[row["start"] : row["end"]])))
            names.subtract(re.findall(r"[^\W\d]\w*", decode(head)))
            assert flag == (names[name] > 0), (label, index)
            visible[flag] += 1
    assert visible[True] > 50
    assert visible[False] > 50


def test_deterministic_in_seed_epoch_and_index(data):
    config = ChainConfig(max_triples=3)
    first, again = (LeafyChainDataset(data, "train", config=config, seed=1) for _ in range(2))
    backwards = {i: again[i] for i in reversed(range(len(again)))}
    assert all(same(first[i], backwards[i]) for i in range(len(first)))
    first.set_epoch(1)
    assert not all(same(first[i], backwards[i]) for i in range(len(first)))
    other = LeafyChainDataset(data, "train", config=config, seed=2)
    assert not all(same(other[i], backwards[i]) for i in range(len(other)))


def test_masks_are_drawn_anew_in_every_epoch_also_on_validation(data):
    table = data.tokenizer.table
    for split in ("train", "validation"):
        dataset = LeafyChainDataset(
            data, split, transforms=[MaskTokens(table), MaskNodes(table, prob=0.5)], seed=0
        )
        epochs = []
        for epoch in (0, 1, 0):
            dataset.set_epoch(epoch)
            epochs.append([tensors(dataset[i]) for i in range(len(dataset))])
        for key in ("mlm_index", "rank_tail"):
            zero, one, again = (torch.cat([c[key] for c in e]).tolist() for e in epochs)
            assert zero != one, key
            assert zero == again, key


def test_rare_relations_ride_along_as_often_as_frequent_ones(data):
    """A chunk whose head has one `returnsType` and many `declares` facts must not be all `declares`."""
    everything = LeafyChainDataset(data, "train", config=EVERYTHING)
    index = max(range(len(everything)), key=lambda i: len(rows(everything[i])))
    available = Counter(r[1] for r in rows(everything[index]))
    common, rare = available.most_common()[0][0], available.most_common()[-1][0]
    assert available[common] >= 5 * available[rare]
    dataset = LeafyChainDataset(data, "train", config=replace(EVERYTHING, max_triples=4))
    drawn = Counter()
    for epoch in range(300):
        dataset.set_epoch(epoch)
        drawn.update(r[1] for r in rows(dataset[index]))
    share = {relation: drawn[relation] / drawn.total() for relation in (common, rare)}
    assert 0.3 < share[rare] / share[common] < 3
    assert set(drawn) == set(available)


def test_frequent_heads_are_capped(data):
    config = replace(EVERYTHING, max_per_head=3)
    dataset = LeafyChainDataset(data, "train", config=config)
    seen = set()
    for epoch in range(30):
        dataset.set_epoch(epoch)
        for chain in dataset:
            assert max(Counter(r[0] for r in rows(chain)).values(), default=0) <= 3
            seen.update(r[:3] for r in rows(chain))
    everything = {r[:3] for c in LeafyChainDataset(data, "train", config=EVERYTHING) for r in rows(c)}
    assert len(seen) > 0.9 * len(everything)  # no fact of a frequent head is out of reach


def test_tails_over_capacity_are_counted(data):
    dataset = LeafyChainDataset(data, "train", config=replace(EVERYTHING, max_leaves_per_tail=2))
    roomy = LeafyChainDataset(data, "train", config=EVERYTHING)
    assert roomy.triples.tails_over_capacity == 0
    assert dataset.triples.tails_over_capacity == len(roomy.triples.tail) - len(dataset.triples.tail) > 0
    assert max(c["slot"].max() for c in dataset) <= 1


def test_chains_read_back_as_labels_and_are_valid(data):
    dataset = LeafyChainDataset(data, "train")
    labels = data.entities["label_tok"].to_pylist()
    for chain in dataset:
        for (_, rel, tail), row in zip(chain_to_triples(chain), rows(chain), strict=True):
            assert rel == row[1]
            assert list(tail) == labels[row[2]]
    check_batch(collate(list(dataset)), dataset.limits)


def test_lengths_bound_batches_well(data):
    dataset = LeafyChainDataset(data, "train")
    actual = np.array([chain.num_nodes for chain in dataset])
    assert np.corrcoef(actual, dataset.lengths)[0, 1] > 0.9
    assert abs(actual.sum() / dataset.lengths.sum() - 1) < 0.25


def test_without_inverses(data):
    dataset = LeafyChainDataset(data, "train", config=ChainConfig(inverse=False))
    names = {index: name for name, index in data.relations.items()}
    assert not any(names[r[1]].endswith("^-1") for c in dataset for r in rows(c))


def test_errors(data):
    with pytest.raises(UserError, match="max_roots is 32, but the data was prepared with 64"):
        LeafyChainDataset(data, "train", config=ChainConfig(max_roots=32))
    with pytest.raises(UserError, match="no split 'all'"):
        LeafyChainDataset(data, "all")
    with pytest.raises(IndexError):
        LeafyChainDataset(data, "train")[10_000]
