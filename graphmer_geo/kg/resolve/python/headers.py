"""What the linking of other files may need to know of a Python file: small, and without its text."""

from __future__ import annotations

from dataclasses import dataclass

from graphmer_geo.kg.facts import FileFacts, SourceFile
from graphmer_geo.kg.languages.python.ir import (
    Binding,
    ClassInfo,
    Declarations,
    FunctionInfo,
    Op,
    PythonSyntax,
)


@dataclass(slots=True)
class Header:
    """Numbers of entities and variables are the file's own."""

    source: SourceFile
    namespace: str
    entities: int  # how many there are
    visible: list[tuple[int, str, str]]  # (entity, kind, descriptor) of those that others may refer to
    functions: list[FunctionInfo]
    classes: list[ClassInfo]
    imports: list[Binding]
    stars: list[str]
    exports: dict[str, int]
    all_names: list[str] | None
    declarations: dict[int, Declarations]  # of what is exported, what classes have and metaclasses
    assigned: list[str]  # names of attributes that are assigned somewhere,
    outside: list[str]  # and not only on an instance in a method of its class


def header(facts: FileFacts) -> Header:
    """What a file shares."""
    syntax: PythonSyntax = facts.syntax
    shown = {*syntax.exports.values(), *(v for c in syntax.classes for v in c.attributes.values())}
    shown.update(c.metaclass for c in syntax.classes)
    declarations = syntax.declarations
    assigned, outside = _assigned(syntax)
    return Header(
        facts.source,
        syntax.namespace,
        len(facts.entities),
        [(i, e.kind, e.descriptor) for i, e in enumerate(facts.entities) if e.kind != "Parameter"],
        syntax.functions,
        syntax.classes,
        syntax.imports,
        syntax.stars,
        syntax.exports,
        syntax.all_names,
        {variable: declarations[variable] for variable in sorted(shown & declarations.keys())},
        assigned,
        outside,
    )


def _assigned(syntax: PythonSyntax) -> tuple[list[str], list[str]]:
    """Names of attributes that a file assigns: all, and those not only assigned on ``self``."""
    classes = {
        info.params[0].variable
        for info in syntax.functions
        if info.params and (info.binding == "class" or info.name == "__new__")
    }
    own = syntax.receivers.keys() - classes
    pairs = {(op[2], op[1] in own) for op in syntax.ops if op[0] == Op.SETATTR}
    return sorted({name for name, _ in pairs}), sorted({name for name, on_self in pairs if not on_self})
