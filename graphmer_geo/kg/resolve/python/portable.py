"""Objects and names of variables, written so that another run understands them, and read again.

Everything that has a number is written as its file and its name there. Containers have none: each has a
token, which says nothing but which of them are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from graphmer_geo.kg.resolve.python.objects import Kind, Object, Objects
from graphmer_geo.kg.resolve.python.solver import Name
from graphmer_geo.kg.resolve.python.texts import Names
from graphmer_geo.kg.resolve.python.world import World

NOTED = "noted"  #: what a container is made by whose file is not linked now; its place is its token, a text
OF_FUNCTION = (Kind.FUNCTION, Kind.BOUND, Kind.GENERATOR, Kind.PROPERTY)
OF_CLASS = (Kind.CLASS, Kind.INSTANCE, Kind.SUPER)
OF_SECOND = (Kind.BOUND, Kind.METHOD, Kind.SUPER)  # their second value is an object
OF_FIRST = (Kind.PARTIAL, Kind.TYPED)  # their first one
_TYPED = "typed:"  # what makes a container of which an annotation names the class
_SHARED = ("*", "**")  # containers that whoever calls a function makes alike


class Translator:
    """Knows what is called how in every file of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._names: dict[int, Names] = {}

    def names(self, file: int) -> Names:
        """What functions, classes and variables of a file are called."""
        found = self._names.get(file)
        if found is None:
            found = self._names[file] = Names(self.world.headers[file])
        return found

    def function(self, number: int) -> tuple[int, str]:
        """Its file and name."""
        file = self.world.function_file[number]
        return file, self.names(file).functions[number - self.world.function_base[file]]

    def klass(self, number: int) -> tuple[int, str]:
        """Its file and name."""
        file = self.world.class_file[number]
        return file, self.names(file).classes[number - self.world.class_base[file]]

    def function_number(self, file: int, name: str) -> int | None:
        """The function of that name, if there still is one."""
        number = self.names(file).function.get(name)
        return None if number is None else self.world.function_base[file] + number

    def class_number(self, file: int, name: str) -> int | None:
        """The class of that name, if there still is one."""
        number = self.names(file).klass.get(name)
        return None if number is None else self.world.class_base[file] + number


class Writer:
    """Writes objects and names.

    Args:
        translator: Knows the files.
        objects: What the numbers of objects mean.
        token: What a container is called.
    """

    def __init__(self, translator: Translator, objects: Objects, token: Callable[[Object], str]) -> None:
        self._translator = translator
        self._table = objects.table
        self._token = token
        self._texts: dict[int, str] = {0: "0"}

    def object(self, number: int) -> str:
        """An object as JSON; 0 stands for none."""
        text = self._texts.get(number)
        if text is None:
            text = self._texts[number] = json.dumps(self._form(number))
        return text

    def name(self, name: Name) -> str:
        """The name of a variable as JSON."""
        file, what = name[0], name[1]
        form: list[Any]
        if not isinstance(what, str):
            form = [file, "variable", self._translator.names(file).symbol[what]]
        elif what == "own":
            form = [file, what, self._translator.function(name[2])[1], name[3]]
        elif what in ("field", "added"):
            form = [file, what, self._translator.klass(name[2])[1], name[3]]
        else:
            form = [file, what, self._form(name[2]), *name[3:4]]
        return json.dumps(form)

    def _form(self, number: int) -> list[Any]:
        kind, first, second = self._table[number]
        if kind in OF_FUNCTION:
            first = self._translator.function(first)
        elif kind in OF_CLASS:
            first = self._translator.klass(first)
        elif kind in OF_FIRST:
            first = self._form(first)
        elif kind == Kind.BOX:
            first = [first[0], first[1], self._box_token(number), maker(first[2])]
        return [kind, first, self._form(second) if kind in OF_SECOND else second]

    def _box_token(self, number: int) -> str:
        _, _, what, place = self._table[number][1]
        if what in _SHARED:
            return f"{what}\n{self._translator.function(place)[1]}"
        return self._token(self._table[number])


def maker(what: str) -> str:
    """What is noted of what makes a container: it matters only where it says the class."""
    return what if what.startswith(_TYPED) else NOTED


def first_token(box: Object) -> str:
    """What a container is called that has no token yet."""
    _, _, what, place = box[1]
    return f"{what} {place}"


def shared_place(token: str) -> tuple[str, str] | None:
    """What makes a container that is the same for all callers of a function, and the function's name."""
    what, _, function = token.partition("\n")
    return (what, function) if what in _SHARED else None
