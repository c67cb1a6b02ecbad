"""A world of which few files are linked: what the others declare is read when it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from graphmer_geo.kg.facts import FileFacts
from graphmer_geo.kg.languages.python.ir import ClassInfo, FunctionInfo
from graphmer_geo.kg.resolve.python.headers import Header
from graphmer_geo.kg.resolve.python.texts import Summary, header_of
from graphmer_geo.kg.resolve.python.world import World

T = TypeVar("T")


class Headers:
    """What all files share."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.summaries = [Summary(text) for text in texts]
        self._read: dict[int, Header] = {}

    def __getitem__(self, file: int, /) -> Header:
        found = self._read.get(file)
        if found is None:
            found = self._read[file] = header_of(self.texts[file])
        return found


class _Lazy(Generic[T]):
    """What files have, under the numbers of all files, file by file when it is asked for."""

    def __init__(self, starts: Sequence[int], read: Callable[[int], Sequence[T]]) -> None:
        self._starts = starts
        self._read = read
        self._files: dict[int, Sequence[T]] = {}

    def __getitem__(self, number: int, /) -> T:
        file = bisect_right(self._starts, number) - 1
        found = self._files.get(file)
        if found is None:
            found = self._files[file] = self._read(file)
        return found[number - self._starts[file]]


class _Files:
    """Which file has a thing with a number."""

    def __init__(self, starts: Sequence[int]) -> None:
        self._starts = starts

    def __getitem__(self, number: int, /) -> int:
        return bisect_right(self._starts, number) - 1


class PartialWorld(World):
    """The numbers are those of a world whose files are all linked."""

    def __init__(self, headers: Headers, mine: Mapping[int, FileFacts]) -> None:
        self.headers = headers
        self.size = len(headers.summaries)
        self.mine = mine
        self.syntax = {file: facts.syntax for file, facts in mine.items()}
        self.modules = {}
        self.packages = set()
        self.variable_base = {}
        self.entity_base, self.function_base, self.class_base = [], [], []
        self.assigned, self.outside = set(), set()
        entities = functions = classes = 0
        for index, summary in enumerate(headers.summaries):
            self.note_module(index, summary.source.module)
            self.assigned.update(summary.assigned)
            self.outside.update(summary.outside)
            self.entity_base.append(entities)
            self.function_base.append(functions)
            self.class_base.append(classes)
            entities += summary.entities
            functions += summary.functions
            classes += summary.classes
        self.number_variables()
        functions_of: _Lazy[FunctionInfo] = _Lazy(self.function_base, lambda file: headers[file].functions)
        classes_of: _Lazy[ClassInfo] = _Lazy(self.class_base, lambda file: headers[file].classes)
        kinds: _Lazy[str] = _Lazy(
            self.entity_base, lambda file: self.names(headers[file], mine.get(file))[0]
        )
        iris: _Lazy[str] = _Lazy(self.entity_base, lambda file: self.names(headers[file], mine.get(file))[1])
        self.functions, self.classes, self.kinds, self.iris = functions_of, classes_of, kinds, iris
        self.function_file, self.class_file = _Files(self.function_base), _Files(self.class_base)
        self._functions_of: dict[int, dict[int, int]] = {}
        self._classes_of: dict[int, dict[int, int]] = {}
        self.begin()

    def used(self, names: frozenset[str]) -> frozenset[str]:
        """All of them may be: to know for sure, all headers would have to be read."""
        return names

    def function_of(self, entity: int) -> int | None:
        """The function that an entity is, if it is one."""
        if entity < 0:
            return None
        file = bisect_right(self.entity_base, entity) - 1
        found = self._functions_of.get(file)
        if found is None:
            infos = self.headers[file].functions
            found = self._functions_of[file] = {info.entity: number for number, info in enumerate(infos)}
        number = found.get(entity - self.entity_base[file])
        return None if number is None else self.function_base[file] + number

    def class_of(self, entity: int) -> int | None:
        """The class that an entity is, if it is one."""
        if entity < 0:
            return None
        file = bisect_right(self.entity_base, entity) - 1
        found = self._classes_of.get(file)
        if found is None:
            infos = self.headers[file].classes
            found = self._classes_of[file] = {info.entity: number for number, info in enumerate(infos)}
        number = found.get(entity - self.entity_base[file])
        return None if number is None else self.class_base[file] + number
