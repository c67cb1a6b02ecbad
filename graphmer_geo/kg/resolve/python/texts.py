"""A header as text, and names of its parts that survive an edit of the file.

Functions, classes and variables are numbered by their place in a file. What is noted for later calls a
function or class by its descriptor, and a variable by how others come to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from graphmer_geo.kg.facts import SourceFile
from graphmer_geo.kg.languages.python.ir import Binding, ClassInfo, FunctionInfo, Param
from graphmer_geo.kg.resolve.python.headers import Header


def header_text(header: Header) -> str:
    """A line that the numbering of all files needs, and one for whoever wants to know more."""
    source = header.source
    summary = [
        [source.language, source.package, source.version, source.path, source.module],
        header.namespace, header.entities, len(header.functions), len(header.classes),
        header.assigned, header.outside,
    ]  # fmt: skip
    details = [
        header.visible,
        [_function_row(info) for info in header.functions],
        [_class_row(info) for info in header.classes],
        header.imports, header.stars, header.exports, header.all_names, list(header.declarations.items()),
    ]  # fmt: skip
    return json.dumps(summary) + "\n" + json.dumps(details)


def _function_row(info: FunctionInfo) -> list[Any]:
    return [
        info.entity, info.name, info.klass, info.binding, info.params, info.returned, info.yielded,
        info.is_generator, info.passed, info.returns_type,
    ]  # fmt: skip


def _class_row(info: ClassInfo) -> list[Any]:
    return [info.entity, info.bases, info.metaclass, info.attributes, info.fields, info.methods]


class Summary:
    """The first line of a header's text."""

    def __init__(self, text: str) -> None:
        source, self.namespace, self.entities, self.functions, self.classes, self.assigned, self.outside = (
            json.loads(text[: text.index("\n")])
        )
        self.source = SourceFile(*source)


def header_of(text: str) -> Header:
    """The header that a text says."""
    summary = Summary(text)
    visible, functions, classes, imports, stars, exports, all_names, declarations = json.loads(
        text[text.index("\n") :]
    )
    return Header(
        summary.source,
        summary.namespace,
        summary.entities,
        [(entity, kind, descriptor) for entity, kind, descriptor in visible],
        [_function(row) for row in functions],
        [_class(row) for row in classes],
        [Binding(module, name, root) for module, name, root in imports],
        stars,
        exports,
        all_names,
        {variable: tuple(codes) for variable, codes in declarations},
        summary.assigned,
        summary.outside,
    )


def _function(row: Sequence[Any]) -> FunctionInfo:
    entity, name, klass, binding, params, returned, yielded, is_generator, passed, returns_type = row
    return FunctionInfo(
        entity, name, klass, binding,
        [Param(param[0], param[1], param[2], param[3], param[4]) for param in params],
        returned, yielded, is_generator, tuple(passed), returns_type,
    )  # fmt: skip


def _class(row: Sequence[Any]) -> ClassInfo:
    entity, bases, metaclass, attributes, fields, methods = row
    return ClassInfo(entity, tuple(bases), metaclass, attributes, fields, methods)


class Names:
    """What functions, classes and variables of one file are called.

    Two declarations of a file may have the same descriptor; then their order tells them apart.
    """

    def __init__(self, header: Header) -> None:
        descriptors = {entity: descriptor for entity, _, descriptor in header.visible}
        self.functions = _apart([descriptors[info.entity] for info in header.functions])
        self.classes = _apart([descriptors[info.entity] for info in header.classes])
        self.function = {name: number for number, name in enumerate(self.functions)}
        self.klass = {name: number for number, name in enumerate(self.classes)}
        self.variable: dict[str, int] = {}
        self.symbol: dict[int, str] = {}  # the first of several
        for symbol, variable in self._symbols(header):
            if variable:
                self.variable[symbol] = variable
                self.symbol.setdefault(variable, symbol)

    def _symbols(self, header: Header) -> Iterator[tuple[str, int]]:
        for name, variable in header.exports.items():
            yield f"e\n{name}", variable
        for key, klass in zip(self.classes, header.classes, strict=True):
            for name, variable in klass.attributes.items():
                yield f"a\n{key}\n{name}", variable
        for key, function in zip(self.functions, header.functions, strict=True):
            for place, param in enumerate(function.params):
                yield f"p\n{key}\n{place}", param.variable
            yield f"r\n{key}", function.returned
            yield f"y\n{key}", function.yielded


def _apart(descriptors: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for descriptor in descriptors:
        count = seen[descriptor] = seen.get(descriptor, 0) + 1
        found.append(descriptor if count == 1 else f"{descriptor}\n{count}")
    return found
