"""The shapes that are SPARQL queries, once more over arrays: one function per shape, named as the shape is.

Each returns a mask [N] of the nodes that violate it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphmer_geo.kg.quads import NO_NUMBER
from graphmer_geo.kg.vocabulary import CONTAINMENT
from graphmer_geo.kg.world import Ids, Mask, World


def span_outside_parent(world: World, parents: Ids, children: Ids) -> Mask:
    """[M] per pair: both lie in one file, and the child's text is not inside its parent's."""
    files = _file(world)
    start, end = (world.values[p].integers(len(world)) for p in ("startByte", "endByte"))
    known = (files[parents] >= 0) & (files[parents] == files[children])
    known &= (start[parents] >= 0) & (start[children] >= 0)
    return known & ((start[children] < start[parents]) | (end[children] > end[parents]))


def other_name(world: World, subjects: Ids, objects: Ids) -> Mask:
    """[M] per pair: both have a name, and the names differ."""
    names = world.values["name"].strings(len(world))
    pairs = ((names[s], names[o]) for s, o in zip(subjects.tolist(), objects.tolist(), strict=True))
    return np.array([a is not None and b is not None and a != b for a, b in pairs], dtype=bool)


def name_not_continued(world: World, parents: Ids, children: Ids) -> Mask:
    """[M] per pair: the child's qualified name is not the parent's, a dot and more.

    Java's anonymous classes (`Outer.$1`) are numbered in the type around them and are let pass, and so is
    what lies in its package without a name (`<default>`).
    """
    names = world.values["qualifiedName"].strings(len(world))
    pairs = ((names[p], names[c]) for p, c in zip(parents.tolist(), children.tolist(), strict=True))
    return np.array(
        [
            bool(a) and a[0] != "<" and b is not None and not b.startswith(f"{a}.") and ".$" not in b
            for a, b in pairs
        ],
        dtype=bool,
    )


def not_inherited(world: World, methods: Ids, others: Ids) -> Mask:
    """[M] per pair of methods: the first's type does not inherit, however far, from the second's.

    Only where both have a type.
    """
    owner: dict[int, list[int]] = {}
    for parent, child in zip(*(a.tolist() for a in world.links["declares"]), strict=True):
        owner.setdefault(child, []).append(parent)
    above = Ancestors(world)
    return np.array(
        [
            any(b not in above.of(a) for a in owner.get(m, ()) for b in owner.get(o, ()))
            for m, o in zip(methods.tolist(), others.tolist(), strict=True)
        ],
        dtype=bool,
    )


class Ancestors:
    """All supertypes of a type, by `extends` and `implements`."""

    def __init__(self, world: World) -> None:
        self._direct: dict[int, list[int]] = {}
        for child, parent in zip(*(a.tolist() for a in world.link("extends", "implements")), strict=True):
            self._direct.setdefault(child, []).append(parent)
        self._known: dict[int, frozenset[int]] = {}

    def of(self, node: int) -> frozenset[int]:
        """Ids of the supertypes; the node itself only if it lies on a cycle."""
        if node not in self._known:
            found: set[int] = set()
            todo = list(self._direct.get(node, ()))
            while todo:
                parent = todo.pop()
                if parent not in found:
                    found.add(parent)
                    todo.extend(self._direct.get(parent, ()))
            self._known[node] = frozenset(found)
        return self._known[node]


def _file(world: World) -> Ids:
    """File id by node [N]; -1 where none is known."""
    files = np.full(len(world), -1, dtype=np.int64)
    subjects, objects = world.links["definedInFile"]
    files[subjects] = objects
    return files


def _mask(world: World, nodes: Ids) -> Mask:
    found = np.zeros(len(world), dtype=bool)
    found[nodes] = True
    return found


def _span_in_parent(world: World) -> Mask:
    parents, children = world.link(*CONTAINMENT)
    return _mask(world, children[span_outside_parent(world, parents, children)])


def _qualified_name(world: World) -> Mask:
    parents, children = world.links["declares"]
    return _mask(world, children[name_not_continued(world, parents, children)])


def _parameter_order(world: World) -> Mask:
    callables, parameters = world.links["hasParameter"]
    index = world.values["parameterIndex"].integers(len(world))
    places: dict[int, list[int]] = {}
    for function, parameter in zip(callables.tolist(), parameters.tolist(), strict=True):
        if index[parameter] >= 0:
            places.setdefault(function, []).append(int(index[parameter]))
    bad = [f for f, found in places.items() if len(set(found)) < len(found) or any(_gaps(set(found)))]
    return _mask(world, np.array(bad, dtype=np.int64))


def _gaps(places: set[int]) -> list[int]:
    return [p for p in places if p > 0 and p - 1 not in places]


def _acyclic(world: World) -> Mask:
    above = Ancestors(world)
    subjects = np.unique(world.link("extends", "implements")[0])
    return _mask(world, np.array([s for s in subjects.tolist() if s in above.of(s)], dtype=np.int64))


def _java_single_inheritance(world: World) -> Mask:
    languages = world.values["language"].strings(len(world))
    java = np.array([language == "java" for language in languages], dtype=bool)
    return java & (np.bincount(world.links["extends"][0], minlength=len(world)) > 1)


def _overrides_same_name(world: World) -> Mask:
    subjects, objects = world.links["overrides"]
    return _mask(world, subjects[other_name(world, subjects, objects)])


def _overrides_inherited(world: World) -> Mask:
    subjects, objects = world.links["overrides"]
    return _mask(world, subjects[not_inherited(world, subjects, objects)])


def _constructor_name(world: World) -> Mask:
    names, languages = (
        np.array(world.values[p].strings(len(world)), dtype=object) for p in ("name", "language")
    )
    named = names != np.array(None)
    java = (languages == "java") & (names != "<init>")
    python = (languages == "python") & (names != "__init__") & (names != "__new__")
    return np.asarray(named & (java | python), dtype=bool)


def _overrides_same_arity(world: World) -> Mask:
    """The places of the parameters are compared, as the query does, not their number."""
    index = world.values["parameterIndex"]
    places: dict[int, set[int]] = {}
    for parameter, place in zip(index.subjects.tolist(), index.numbers.tolist(), strict=True):
        places.setdefault(parameter, set()).add(place)
    taken: dict[int, set[int]] = {}
    for function, parameter in zip(*(a.tolist() for a in world.links["hasParameter"]), strict=True):
        taken.setdefault(function, set()).update(places.get(parameter, ()))
    languages = world.values["language"].strings(len(world))
    method = world.members["Method"]
    bad = [
        s
        for s, o in zip(*(a.tolist() for a in world.links["overrides"]), strict=True)
        if languages[s] == "java"
        and (
            (method[o] and taken.get(s, set()) - taken.get(o, set()))
            or taken.get(o, set()) - taken.get(s, set())
        )
    ]
    return _mask(world, np.array(bad, dtype=np.int64))


def _span_in_file(world: World) -> Mask:
    elements, files = world.links["definedInFile"]
    outside = np.zeros(len(elements), dtype=bool)
    for own, limit, least in (("endByte", "byteSize", NO_NUMBER), ("endLine", "lineCount", 1)):
        end = world.values[own].integers(len(world), missing=NO_NUMBER)
        size = world.values[limit].integers(len(world), missing=np.iinfo(np.int64).max)
        outside |= end[elements] > np.maximum(size[files], least)
    return _mask(world, elements[outside])


RULES: dict[str, Callable[[World], Mask]] = {
    "SpanInParent": _span_in_parent,
    "QualifiedName": _qualified_name,
    "ParameterOrder": _parameter_order,
    "Acyclic": _acyclic,
    "JavaSingleInheritance": _java_single_inheritance,
    "OverridesSameName": _overrides_same_name,
    "OverridesInherited": _overrides_inherited,
    "ConstructorName": _constructor_name,
    "OverridesSameArity": _overrides_same_arity,
    "SpanInFile": _span_in_file,
}
