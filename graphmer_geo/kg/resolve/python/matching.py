"""Whether what a file sends now is what was noted, and what was noted in the numbers of now.

Containers of the files that are linked again have other places than before. Which is which comes to light as
they are sent: what was noted must be the same up to their names.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.objects import Kind, Object
from graphmer_geo.kg.resolve.python.portable import (
    OF_CLASS,
    OF_FIRST,
    OF_FUNCTION,
    OF_SECOND,
    Translator,
    first_token,
    maker,
    shared_place,
)
from graphmer_geo.kg.resolve.python.solver import Message, Name

#: A message as it was noted: its kind, and the numbers of its name and object.
Row = tuple[int, int, int]


class Unknown(Exception):
    """Something that was noted means nothing now."""


class Forms:
    """Names and objects that were noted, by their numbers."""

    def __init__(self, names: pa.Array, objects: pa.Array) -> None:
        self._texts = names, objects
        self._read: tuple[dict[int, Any], dict[int, Any]] = {}, {}

    def name(self, number: int) -> Any:
        """The name of a variable."""
        return self._form(0, number)

    def object(self, number: int) -> Any:
        """An object; 0 if there is none."""
        return self._form(1, number)

    def _form(self, which: int, number: int) -> Any:
        read = self._read[which]
        found = read.get(number)
        if found is None:
            found = read[number] = json.loads(self._texts[which][number].as_py())
        return found


class Matching:
    """Reads what was noted, for one run.

    Args:
        flow: The run.
        translator: Knows what is called how.
        forms: What was noted.
        generation: Tells containers without an earlier name from those of earlier runs.
    """

    def __init__(self, flow: Flow, translator: Translator, forms: Forms, generation: int) -> None:
        self._flow = flow
        self._table = flow.objects.table
        self._translator = translator
        self._forms = forms
        self._generation = generation
        self._box_of: dict[tuple[int, str], Object] = {}  # (file, token) -> container
        self._token_of: dict[Object, str] = {}
        self._trail: list[tuple[int, str]] = []

    # -- what was noted, in the numbers of now -----------------------------------------------------

    def message(self, row: Row) -> Message:
        """A message as it is now.

        Raises:
            Unknown: If it has something that is no more, or that nobody has sent yet.
        """
        kind, name, value = row
        form = self._forms.object(value)
        return kind, self._name(self._forms.name(name)), self._object(form) if form else 0

    def _name(self, form: Any) -> Name:
        file, what, *rest = form
        if what == "variable":
            local = self._translator.names(file).variable.get(rest[0])
            if local is None:
                raise Unknown
            return file, local
        if what == "own":
            return file, what, _known(self._translator.function_number(file, rest[0])), rest[1]
        if what in ("field", "added"):
            return file, what, _known(self._translator.class_number(file, rest[0])), rest[1]
        return file, what, self._object(rest[0]), *rest[1:]

    def _object(self, form: Any) -> int:
        kind, first, second = form
        if kind in OF_FUNCTION:
            first = _known(self._translator.function_number(*first))
        elif kind in OF_CLASS:
            first = _known(self._translator.class_number(*first))
        elif kind in OF_FIRST:
            first = self._object(first)
        elif kind == Kind.BOX:
            return self._box(first, second)
        return self._flow.object(kind, first, self._object(second) if kind in OF_SECOND else second)

    def _box(self, first: Any, length: int | None) -> int:
        container, file, token, what = first
        shared = shared_place(token)
        if shared is not None:
            function = _known(self._translator.function_number(file, shared[1]))
            return self._flow.box(container, file, shared[0], function, length)
        if file not in self._flow.desks:
            return self._flow.object(Kind.BOX, (container, file, what, token), length)
        found = self._box_of.get((file, token))
        if found is None:
            raise Unknown
        return self._flow.object(*found)

    # -- what was noted against what is sent now ---------------------------------------------------

    def equal(self, rows: list[Row], messages: list[Message]) -> bool:
        """Whether these messages are what was noted."""
        if len(rows) != len(messages):
            return False
        self._trail.clear()
        if all(self._is_message(row, message) for row, message in zip(rows, messages, strict=True)):
            return True
        for key in self._trail:  # what was concluded from some of them does not hold
            del self._token_of[self._box_of.pop(key)]
        return False

    def _is_message(self, row: Row, message: Message) -> bool:
        kind, name, value = message
        if row[0] != kind or not self._is_name(self._forms.name(row[1]), name):
            return False
        form = self._forms.object(row[2])
        return self._is_object(form, value) if form else value == 0

    def _is_name(self, form: Any, name: Name) -> bool:
        if form[0] != name[0]:
            return False
        try:
            if form[1] in ("variable", "own", "field", "added"):
                return self._name(form) == name
        except Unknown:
            return False
        if form[1] != name[1] or not self._is_object(form[2], name[2]):
            return False
        return form[3:] == list(name[3:]) and type(form[-1]) is type(name[-1] if len(name) > 3 else form[-1])

    def _is_object(self, form: Any, number: int) -> bool:
        kind, first, second = self._table[number]
        if form[0] != kind:
            return False
        if kind in OF_FUNCTION:
            is_first = first == self._translator.function_number(*form[1])
        elif kind in OF_CLASS:
            is_first = first == self._translator.class_number(*form[1])
        elif kind in OF_FIRST:
            is_first = self._is_object(form[1], first)
        elif kind == Kind.BOX:
            is_first = self._is_box(form[1], self._table[number])
        else:
            is_first = form[1] == first
        if kind in OF_SECOND:
            return is_first and self._is_object(form[2], second)
        return is_first and form[2] == second and type(form[2]) is type(second)

    def _is_box(self, form: Any, box: Object) -> bool:
        container, file, token, what = form
        if (container, file) != box[1][:2] or what != maker(box[1][2]):
            return False
        if shared_place(token) is not None or file not in self._flow.desks:
            try:
                return self._table[self._box(form, box[2])] == box
            except Unknown:
                return False
        known = self._box_of.get((file, token))
        if known is None and box not in self._token_of and box[1][2] not in ("*", "**"):
            self._box_of[file, token], self._token_of[box] = box, token
            self._trail.append((file, token))
            return True
        return known == box

    def token(self, box: Object) -> str:
        """What a container is called from now on."""
        place = box[1][3]
        if isinstance(place, str):
            return place
        return self._token_of.get(box) or f"{self._generation} {first_token(box)}"


def _known(number: int | None) -> int:
    if number is None:
        raise Unknown
    return number
