"""The shapes' constraints as array operations. A test proves each equal to pySHACL, violation by violation.

Every check returns the ids of the focus nodes that violate it, once per result that SHACL would report.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.quads import NO_NUMBER
from graphmer_geo.kg.rules import RULES
from graphmer_geo.kg.shapes import Constraint, Shape
from graphmer_geo.kg.world import Ids, Mask, World


def focus_nodes(world: World, shape: Shape) -> Ids:
    """The nodes a shape speaks about, sorted."""
    mask = np.zeros(len(world), dtype=bool)
    for kind, name in shape.targets:
        if kind == "class":
            mask |= world.members[name]
        else:
            subjects, objects = world.links[name]
            mask[subjects if kind == "subjectsOf" else objects] = True
    return np.flatnonzero(mask)


def violations(world: World, shape: Shape) -> Ids:
    """Focus nodes that violate the shape, once per result, sorted."""
    focus = np.zeros(len(world), dtype=bool)
    focus[focus_nodes(world, shape)] = True
    found = [_CHECKS[c.kind](world, shape, c, focus) for c in shape.constraints]
    return np.sort(np.concatenate([*found, np.zeros(0, dtype=np.int64)]))


def _pairs(world: World, shape: Shape, focus: Mask) -> tuple[Ids, Ids]:
    """(focus node, value node) along the shape's path; without a path each focus node is its own value."""
    if shape.path is None:
        nodes = np.flatnonzero(focus)
        return nodes, nodes
    subjects, objects = world.links[shape.path]
    starts, values = (objects, subjects) if shape.inverse else (subjects, objects)
    kept = focus[starts]
    return starts[kept], values[kept]


def _literals(world: World, shape: Shape, focus: Mask) -> tuple[Ids, list[str], list[str]]:
    assert shape.path is not None
    values = world.values[shape.path]
    kept = np.flatnonzero(focus[values.subjects])
    rows = kept.tolist()
    return values.subjects[kept], [values.texts[i] for i in rows], [values.datatypes[i] for i in rows]


def _count(world: World, shape: Shape, focus: Mask) -> Ids:
    starts = (
        _literals(world, shape, focus)[0] if shape.path in world.values else _pairs(world, shape, focus)[0]
    )
    return np.bincount(starts, minlength=len(world))


def _min_count(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    return np.flatnonzero(focus & (_count(world, shape, focus) < int(constraint.values[0])))


def _max_count(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    return np.flatnonzero(focus & (_count(world, shape, focus) > int(constraint.values[0])))


def _class(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    starts, values = _pairs(world, shape, focus)
    return starts[~world.member(constraint.values)[values]]


def _datatype(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    starts, _, datatypes = _literals(world, shape, focus)
    return starts[[d != constraint.values[0] for d in datatypes]]


def _in(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    starts, texts, datatypes = _literals(world, shape, focus)
    allowed = set(constraint.values)
    bad = [t not in allowed or d != v.XSD + "string" for t, d in zip(texts, datatypes, strict=True)]
    return starts[bad]


def _min_inclusive(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    values = world.values[shape.path or ""]
    # NO_NUMBER lies below every bound, so what is no number violates
    return values.subjects[focus[values.subjects] & (values.numbers < int(constraint.values[0]))]


def _pattern(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    starts, texts, _ = _literals(world, shape, focus)
    pattern = re.compile(constraint.values[0])
    return starts[[not pattern.search(t) for t in texts]]


def _less_than_or_equals(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    """Every value against every limit of the same node, as SHACL counts them."""
    values, limits = world.values[shape.path or ""], world.values[constraint.values[0]]
    kept = focus[values.subjects]
    starts, numbers = values.subjects[kept], values.numbers[kept]
    first = np.searchsorted(limits.subjects, starts, "left")
    count = np.searchsorted(limits.subjects, starts, "right") - first
    row = np.repeat(np.arange(len(starts)), count)
    limit = limits.numbers[np.arange(count.sum()) - np.repeat(count.cumsum() - count, count) + first[row]]
    known = (numbers[row] != NO_NUMBER) & (limit != NO_NUMBER)
    return starts[row[~(known & (numbers[row] <= limit))]]


def _closed(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    open_properties = set(constraint.values)
    found = [s[focus[s]] for name, (s, _) in world.links.items() if name not in open_properties]
    found += [
        p.subjects[focus[p.subjects]] for name, p in world.values.items() if name not in open_properties
    ]
    return np.concatenate([*found, world.undeclared[focus[world.undeclared]]])


def _sparql(world: World, shape: Shape, constraint: Constraint, focus: Mask) -> Ids:
    return np.flatnonzero(RULES[shape.name](world) & focus)


_CHECKS: dict[str, Callable[[World, Shape, Constraint, Mask], Ids]] = {
    "minCount": _min_count,
    "maxCount": _max_count,
    "class": _class,
    "datatype": _datatype,
    "in": _in,
    "minInclusive": _min_inclusive,
    "pattern": _pattern,
    "lessThanOrEquals": _less_than_or_equals,
    "closed": _closed,
    "sparql": _sparql,
}
