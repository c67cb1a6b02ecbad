"""TypeEvalPy: the types of variables, parameters and results, at the line that gives them.

Which facts count: for a parameter the types of its ``gm:hasType``; for a result those of
``gm:returnsType``; for a variable the rows of the occurrence table at that place that state a type (the
evidence of ``gm:hasType`` where the variable is an entity), since a variable may hold other types on other
lines.

How its names map to ours: ``int`` is our ``builtins.int``; ``Nonetype`` our ``types.NoneType``, which a
function without a ``return`` value has; ``callable`` any function, method, lambda or class; a class of the
case's first module has no module prefix there. Elements of containers (``d['a']``) are no entities of ours:
their lines are scored as missing and counted apart.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from benchmarks.truth.case import Case, Entity, Facts, Outcome

_CALLABLE = ("Function", "Method", "Constructor", "Lambda")
_SPECIAL = {
    "types.NoneType": "Nonetype",
    "types.GeneratorType": "generator",
    "types.FunctionType": "callable",
}


def their_name(entity: Entity, main: str) -> str:
    """The name that TypeEvalPy gives to a type."""
    if entity.kind in _CALLABLE:
        return "callable"
    name = _SPECIAL.get(entity.qualified_name, entity.qualified_name)
    return name.removeprefix("builtins.").removeprefix(f"{main}.")


def score(case: Case, facts: Facts) -> list[Outcome]:
    """One outcome for each annotation: the set of types is equal or not."""
    outcomes = []
    for number, annotation in enumerate(case["annotations"]):
        main = PurePosixPath(annotation["file"]).stem
        found = {their_name(e, main) for e in types_at(annotation, facts)}
        wanted = set(annotation["type"])
        what = annotation.get("variable") or annotation.get("parameter") or annotation.get("function")
        where = f"{annotation['file']}:{annotation['line_number']} {what}"
        missing = (f"{where}: {sorted(found)} for {sorted(wanted)}",) if found != wanted else ()
        part = _part(annotation)
        outcomes.append(Outcome(f"{case['id']}#{number}", case["category"], part, 1, missing))
    return outcomes


def _part(annotation: Case) -> str:
    if "parameter" in annotation:
        return "parameters"
    if "variable" in annotation:
        return "elements" if "[" in annotation["variable"] else "variables"
    return "results"


def types_at(annotation: dict[str, Any], facts: Facts) -> list[Entity]:
    """The types that the graph gives at the place of an annotation."""
    file, line = annotation["file"], annotation["line_number"]
    name = annotation.get("variable") or annotation.get("parameter")
    if name is None:
        named = annotation["function"].rpartition(".")[2]
        return [
            target
            for subject, target in facts.pairs("returnsType")
            if subject.kind in _CALLABLE
            and subject.file == file
            and facts.position(file, subject.name_start)[0] == line
            and (subject.name == named or (named == "lambda" and subject.kind == "Lambda"))
        ]
    if "parameter" in annotation:
        return [
            target
            for subject, target in facts.pairs("hasType")
            if subject.kind == "Parameter"
            and subject.name == name
            and subject.file == file
            and facts.position(file, subject.name_start)[0] == line
        ]
    last = name.rpartition(".")[2]
    found = {
        r.entity: facts.entities[r.entity]
        for r in facts.rows
        if r.file == file
        and r.line == line
        and r.name == last
        and r.role == "type"
        and r.entity in facts.entities
        and "[" not in name
    }
    return list(found.values())
