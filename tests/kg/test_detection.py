"""Corrupted copies: they are what they claim to be, and validation notices them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from graphmer_geo.kg import KnowledgeGraph, Source, build_kg
from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.consistency import Evidence
from graphmer_geo.kg.corrupt import random_edges, swap_types
from graphmer_geo.kg.detection import detect
from graphmer_geo.kg.ontology import load_ontology
from graphmer_geo.kg.shapes import load_shapes
from graphmer_geo.kg.world import World, read_world

ONTOLOGY = load_ontology()


@pytest.fixture(scope="module")
def kg() -> KnowledgeGraph:
    library = Path(json.__file__).parent.parent
    return build_kg([Source(library, "stdlib", "3", ["json/*.py", "logging/*.py"])], languages=["python"])


@pytest.fixture(scope="module")
def world(kg: KnowledgeGraph) -> World:
    return read_world(kg.store, ONTOLOGY)


def test_corruption_is_noticed_and_the_graph_itself_hardly_alarms(kg: KnowledgeGraph, world: World) -> None:
    found = {d.corruption: d for d in detect(world, ONTOLOGY, Evidence(world, kg.occurrences), load_shapes())}
    assert all(d.corrupted > 5 for d in found.values())
    assert found["rejected-unstated"].rate > 0.5  # nothing but classes can be checked of them
    assert found["type-violating-edges"].rate == 1.0
    assert found["random-edges"].rate > 0.95
    assert found["shuffled-tails"].rate > 0.9
    assert found["swapped-types"].rate > 0.5
    assert found["false-alarms"].rate < 0.05


def test_random_edges_are_new_and_as_many_as_asked_for(world: World) -> None:
    noisy, added = random_edges(world, share=0.1, seed=1)
    before = sum(len(world.links[r][0]) for r in v.RELATIONS)
    count = sum(len(s) for s, _ in added.values())
    assert 0.09 * before < count <= 0.1 * before + 1
    for relation, (subjects, objects) in added.items():
        own = set(zip(*(a.tolist() for a in world.links[relation]), strict=True))
        new = list(zip(subjects.tolist(), objects.tolist(), strict=True))
        assert own.isdisjoint(new)
        assert len(noisy.links[relation][0]) == len(own) + len(set(new))
    again = random_edges(world, share=0.1, seed=1)[1]
    assert all(np.array_equal(again[r][0], added[r][0]) for r in added)


def test_swapped_entities_have_another_class_and_all_others_their_own(world: World) -> None:
    swapped, nodes = swap_types(world, ONTOLOGY, share=0.2, seed=2)
    differs = np.zeros(len(world), dtype=bool)
    for name, mask in world.members.items():
        differs |= mask != swapped.members[name]
    assert np.array_equal(np.flatnonzero(differs), np.sort(nodes))
    assert len(nodes) > 0.1 * len(world)
