"""A graph that is wrong on purpose: a validator that does not notice is worth nothing."""

from __future__ import annotations

import numpy as np

from graphmer_geo.kg.vocabulary import RELATIONS
from graphmer_geo.kg.world import World


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
