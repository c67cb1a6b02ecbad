"""The entity table of prepared data: short labels, and the names that make a tail readable in a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from graphmer_geo.data.chunks import TYPES
from graphmer_geo.data.tokenizer import CodeTokenizer
from graphmer_geo.kg.vocabulary import EXTERNAL

MEMBERS = frozenset({"Method", "Field", "EnumConstant"})

#: Identifiers of all languages, as bytes: letters, digits, ``_``, ``$`` and whatever is not ASCII.
IDENTIFIER = re.compile(rb"[A-Za-z_$\x80-\xff][\w$\x80-\xff]*", re.ASCII)


@dataclass(frozen=True)
class EntityTable:
    """Entities in the order of their ids (sorted IRIs). ``parent`` is an id or -1."""

    iri: list[str]
    kind: list[str]
    language: list[str]
    file: list[str | None]
    label: list[str]
    simple_name: list[str]  # what a reader would look for in the text
    parent: NDArray[np.int64]

    @classmethod
    def from_kg(cls, table: pa.Table) -> Self:
        """From :meth:`KnowledgeGraph.entities`."""
        columns: dict[str, list[Any]] = {
            key: table[key].to_pylist()
            for key in ("iri", "kind", "name", "qualified_name", "language", "file", "parent")
        }
        ids = {iri: index for index, iri in enumerate(columns["iri"])}
        parent = np.array([ids.get(iri, -1) for iri in columns["parent"]], np.int64)
        labels, simple = [], []
        for kind, name, qualified, language, above in zip(
            columns["kind"],
            columns["name"],
            columns["qualified_name"],
            columns["language"],
            parent.tolist(),
            strict=True,
        ):
            owner = columns["name"][above] if above >= 0 and columns["kind"][above] in TYPES else None
            labels.append(label_of(kind, name, qualified, language, owner))
            simple.append(simple_name_of(kind, name, qualified, owner))
        keep = ("iri", "kind", "language", "file")
        return cls(**{key: columns[key] for key in keep}, label=labels, simple_name=simple, parent=parent)

    def __len__(self) -> int:
        return len(self.iri)

    def names(self) -> tuple[NDArray[np.int64], dict[bytes, int]]:
        """The number of each entity's simple name ``[num_entities]``, and names by their bytes."""
        unique = sorted(set(self.simple_name))
        number = {name: index for index, name in enumerate(unique)}
        spelled = {name.encode("utf-8", "surrogatepass"): index for name, index in number.items()}
        return np.array([number[name] for name in self.simple_name], np.int64), spelled

    def to_arrow(
        self, unit_of_file: Mapping[str, str], split_of_unit: Mapping[str, str], tokenizer: CodeTokenizer
    ) -> pa.Table:
        """``entities.parquet``."""
        units = [unit_of_file.get(file or "", "external") for file in self.file]
        return pa.table(
            {
                "id": pa.array(range(len(self)), pa.int64()),
                "iri": self.iri,
                "label": self.label,
                "kind": self.kind,
                "language": self.language,
                "unit": units,
                "split": [split_of_unit.get(unit, "external") for unit in units],
                "label_tok": pa.array([tokenizer.encode_label(x) for x in self.label], pa.list_(pa.int32())),
                "parent": pa.array(self.parent),
                "name_key": pa.array(self.names()[0]),
            }
        )


def label_of(kind: str, name: str, qualified: str, language: str, owner: str | None) -> str:
    """The canonical short form of an entity; ``owner`` is the name of the type that declares it."""
    if kind == EXTERNAL:
        return _external_label(qualified, language)
    if kind in ("Module", "Package"):
        return qualified
    if owner is None:
        return name
    if kind == "Constructor":
        return owner if language == "java" else f"{owner}.{name}"
    if kind == "Initializer":
        return owner
    return f"{owner}.{name}" if kind in MEMBERS else name


def _external_label(qualified: str, language: str) -> str:
    """``os.path.join`` → ``path.join``; built-ins lose their module, Java types their package."""
    parts = [part for part in qualified.split(".") if part]
    if parts[:1] == ["builtins"]:
        parts = parts[1:]
    if language == "java":
        first_type = next((n for n, part in enumerate(parts) if part[:1].isupper()), 0)
        parts = parts[first_type:]
    return ".".join(parts[-2:]) or qualified


def simple_name_of(kind: str, name: str, qualified: str, owner: str | None) -> str:
    """What a text must contain for the entity to be readable there; a constructor goes by its class."""
    if kind in ("Constructor", "Initializer") and owner is not None:
        return owner
    if kind in (EXTERNAL, "Module", "Package"):
        return qualified.rpartition(".")[2] or qualified
    return name
