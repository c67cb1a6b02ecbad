"""TypeEvalPy: the types of variables, parameters and results, at the line that gives them.

Which facts count: for a parameter, module variable or field the types of its ``gm:hasType``, for a result
those of ``gm:returnsType``. A variable that holds other types on other lines has all of them; local
variables are no entities of ours, so their lines are scored as missing.

How its names map to ours: ``int`` is our ``builtins.int``; ``Nonetype`` our ``types.NoneType``, which a
function without a ``return`` value has; ``callable`` the type of any function, method or class; a class of
the case's first module has no module prefix there. Elements of containers (``d['a']``) are no entities of
ours: their lines are scored as missing and counted apart.
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
    "types.MethodType": "callable",
    "types.BuiltinMethodType": "callable",
    "builtins.type": "callable",
}


def their_name(entity: Entity, main: str) -> str:
    """The name that TypeEvalPy gives to a type."""
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
    if "[" in name:
        return []
    last = name.rpartition(".")[2]
    there = {
        row.entity
        for row in facts.rows
        if row.file == file and row.line == line and row.name == last and row.role in ("definition", "write")
    }
    typed = facts.pairs("hasType")  # a lambda's parameter may have the name of the variable it is assigned to
    return [t for subject, t in typed if subject.iri in there and subject.kind != "Parameter"]
