"""Graphs that are wrong on purpose: a validator that does not notice is worth nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from graphmer_geo.kg.ontology import Ontology
from graphmer_geo.kg.quads import Ids
from graphmer_geo.kg.vocabulary import EXTERNAL, KINDS, RELATIONS
from graphmer_geo.kg.world import World

Links = dict[str, tuple[Ids, Ids]]


def shuffle_tails(world: World, seed: int = 0) -> World:
    """A copy in which the objects of each relation are permuted among its triples.

    Every class, every literal and how often each node is an object stay as they were, so whatever looks at
    one side of a triple only, notices nothing.
    """
    generator = np.random.default_rng(seed)
    links = dict(world.links)
    for relation in RELATIONS:
        subjects, objects = links[relation]
        links[relation] = (subjects, objects[generator.permutation(len(objects))])
    return world.with_links(links)


def random_edges(world: World, share: float = 0.01, seed: int = 0) -> tuple[World, Links]:
    """A copy with more edges, and those edges: relation and both ends are drawn evenly.

    Args:
        world: The graph.
        share: Number of new edges, as a share of the edges there are.
        seed: Of the draw.
    """
    generator = np.random.default_rng(seed)
    nodes = np.flatnonzero(world.member([*sorted(KINDS), EXTERNAL]))
    count = round(share * sum(len(world.links[r][0]) for r in RELATIONS)) if len(nodes) else 0
    relations = generator.integers(len(RELATIONS), size=count)
    ends = nodes[generator.integers(max(len(nodes), 1), size=(count, 2))]
    links, added = dict(world.links), {}
    for code, relation in enumerate(RELATIONS):
        pairs = _new_pairs(world, relation, ends[relations == code])
        added[relation] = (pairs[:, 0], pairs[:, 1])
        subjects, objects = world.links[relation]
        links[relation] = (np.concatenate([subjects, pairs[:, 0]]), np.concatenate([objects, pairs[:, 1]]))
    return world.with_links(links), added


def _new_pairs(world: World, relation: str, pairs: Ids) -> Ids:
    """The pairs, each once, without those that the relation has."""
    subjects, objects = world.links[relation]
    keys = np.unique(pairs @ np.array([len(world), 1]))
    keys = keys[~np.isin(keys, subjects * len(world) + objects)]
    return np.stack(np.divmod(keys, len(world)), axis=1)


def swap_types(world: World, ontology: Ontology, share: float = 0.01, seed: int = 0) -> tuple[World, Ids]:
    """A copy in which some entities bear the class of another one, and the ids of those entities.

    Args:
        world: The graph.
        ontology: Knows superclasses.
        share: Of the entities.
        seed: Of the choice.
    """
    generator = np.random.default_rng(seed)
    names = sorted({*KINDS, EXTERNAL}, key=lambda n: (len(ontology.classes[n].ancestors), n))
    kinds = np.full(len(world), -1)
    for code, name in enumerate(names):  # the most specific class comes last
        kinds[world.members[name]] = code
    nodes = np.flatnonzero(kinds >= 0)
    chosen = generator.choice(nodes, size=round(share * len(nodes)), replace=False)
    given = kinds[generator.choice(nodes, size=len(chosen))] if len(chosen) else chosen
    chosen, given = chosen[given != kinds[chosen]], given[given != kinds[chosen]]
    members = {name: mask.copy() for name, mask in world.members.items()}
    for name, mask in members.items():
        mask[chosen] = [name in ontology.classes[names[code]].ancestors for code in given.tolist()]
    return replace(world, members=members), chosen
