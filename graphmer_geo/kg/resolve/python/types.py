"""Types by flow: of which classes the values of parameters, fields, module variables and results are.

They are edges, not occurrences: no text states them. What has a declared type gets no others. A receiver is
of its own class, `*args` a tuple, `**kwargs` a dict, a procedure returns nothing: none of that is worth
an edge.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.objects import NONE, Kind, box_type, looks_like_class
from graphmer_geo.kg.resolve.python.world import Target

MAX_TYPES = 4  #: of one variable; more than that says nothing
_NOTHING = Target(-1, NONE)
_NAMED = ("positionalOnly", "positionalOrKeyword", "keywordOnly")
_FIXED = {
    Kind.FUNCTION: "types.FunctionType",
    Kind.BOUND: "types.MethodType",
    Kind.METHOD: "types.BuiltinMethodType",
    Kind.CLASS: "builtins.type",
    Kind.MODULE: "types.ModuleType",
    Kind.GENERATOR: "types.GeneratorType",
    Kind.PROPERTY: "builtins.property",
    Kind.PARTIAL: "functools.partial",
}


def type_of(flow: Flow, obj: int) -> Target | None:
    """The class of an abstract object; None if that is not known."""
    kind, first, _ = flow.table[obj]
    if kind == Kind.INSTANCE:
        return Target(flow.world.class_entity(first), "")
    if kind == Kind.FOREIGN:
        return Target(-1, first)
    if kind == Kind.VALUE:
        return Target(-1, f"builtins.{first}")
    if kind == Kind.BOX:
        return Target(-1, box_type(first))
    if kind == Kind.EXTERNAL and looks_like_class(first):
        return Target(-1, "builtins.type")
    fixed = _FIXED.get(kind)
    return Target(-1, fixed) if fixed else None


def inferred_types(flow: Flow, file: int) -> Iterator[tuple[int, str, list[Target]]]:
    """(entity, relation, types) of one file; entities have the file's own numbers."""
    syntax = flow.world.syntax[file]
    base = flow.world.variable_base[file]
    values: dict[tuple[int, str], list[int]] = {}
    for entity, variable in syntax.assigned:
        values.setdefault((entity, "hasType"), []).append(variable)
    for info in syntax.functions:
        for index, param in enumerate(info.params):
            if param.kind in _NAMED and param.variable not in syntax.receivers:
                values[(param.entity, "hasType")] = [param.variable]
            if index in info.passed:
                values.setdefault((info.entity, "returnsType"), []).append(param.variable)
        if info.name != "__init__":
            values.setdefault((info.entity, "returnsType"), []).append(info.returned)
        if info.is_generator:
            yield info.entity, "returnsType", [Target(-1, "types.GeneratorType")]
            del values[(info.entity, "returnsType")]
    for (entity, relation), variables in values.items():
        held = dict.fromkeys(obj for v in variables if v for obj in flow.values(base + v))
        types = dict.fromkeys(t for t in (type_of(flow, obj) for obj in held) if t is not None)
        if 0 < len(types) <= MAX_TYPES and not (relation == "returnsType" and list(types) == [_NOTHING]):
            yield entity, relation, list(types)
