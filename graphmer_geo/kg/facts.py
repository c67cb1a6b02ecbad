"""What one source file says, and what linking many files adds: plain, picklable records.

A language module turns bytes into :class:`FileFacts` (one file, no knowledge of any other). A resolver turns
the facts of many files into one :class:`LinkedFile` each. Everything after that (RDF, occurrence table,
manifest) is written from these records and is the same for every language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

ID_BASE = "https://w3id.org/graphmer/id/"

#: How a target was found. ``exact``: by the language's own binding rules. ``inferred``: through a type or a
#: value that was itself inferred. ``heuristic``: plausible, not proven. ``unresolved``: no target (no node,
#: no triple).
How = Literal["exact", "inferred", "heuristic", "unresolved"]

#: What an occurrence is, syntactically.
Role = Literal[
    "definition",
    "import",
    "call",
    "read",
    "write",
    "base",
    "decorator",
    "annotation",
    "type",
    "raise",
    "catch",
]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Where a file comes from.

    ``path`` is POSIX, relative to the source root; ``module`` is its dotted module (Python) or package (Java)
    name.
    """

    language: str
    package: str
    version: str
    path: str
    module: str

    def __reduce__(self) -> tuple[type[SourceFile], tuple[str, ...]]:
        """Pickled as what makes it: nothing may set the fields of a frozen class once it is compiled."""
        return SourceFile, (self.language, self.package, self.version, self.path, self.module)

    @property
    def key(self) -> str:
        """Identifier of this file in a KG: ``language/package/version/path``, percent-encoded."""
        return "/".join(quote(p, safe="/") for p in (self.language, self.package, self.version, self.path))

    def iri(self, descriptor: str) -> str:
        """The IRI of an entity declared in this file; the module itself has the empty descriptor."""
        return entity_iri(self.language, self.package, self.version, self.module, descriptor)


def entity_iri(language: str, package: str, version: str, module: str, descriptor: str) -> str:
    """``…/id/<language>/<package>/<version>/<module path>#<descriptor>``, each part percent-encoded."""
    path = "/".join(quote(part, safe="") for part in module.split("."))
    head = "/".join(quote(part, safe="") for part in (language, package, version))
    return f"{ID_BASE}{head}/{path}#{descriptor_fragment(descriptor)}"


def descriptor_fragment(descriptor: str) -> str:
    """A descriptor, percent-encoded."""
    if _PLAIN.fullmatch(descriptor):  # nearly all are
        return descriptor.replace("#", "%23")
    if descriptor.isascii():
        return descriptor.translate(_ESCAPES)
    return quote(descriptor, safe=_DESCRIPTOR_SAFE)


#: Characters of the descriptor grammar that RFC 3987 allows in a fragment as they are.
_DESCRIPTOR_SAFE = "/.()+:,;@$!*'~-_"
_ESCAPES = {code: quote(chr(code), safe=_DESCRIPTOR_SAFE) for code in range(128)}
_PLAIN = re.compile(r"[A-Za-z0-9_.#()+/-]*")


def external_iri(language: str, qualified_name: str) -> str:
    """The IRI of a symbol outside the corpus (standard library, third party, built-in)."""
    return f"{ID_BASE}{quote(language, safe='')}/external/-/-#{descriptor_fragment(qualified_name)}"


@dataclass(slots=True)
class Entity:
    """A declaration. Offsets are 0-based bytes, lines 1-based."""

    kind: str  # local name of its ontology class: Module, Class, Method, Parameter, …
    name: str
    descriptor: str  # unique within the module: "Class/method()." style, see docs; "" for the module
    qualified_name: str  # package.module.Class.method
    parent: int  # index into FileFacts.entities; -1 for the outermost
    start: int
    end: int
    name_start: int  # == name_end where the name is not written (modules, lambdas)
    name_end: int
    start_line: int
    end_line: int
    #: datatype property local name -> value or list of values
    literals: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ParseProblem:
    """Something the parser could not make sense of."""

    line: int
    message: str


@dataclass(slots=True)
class FileFacts:
    """All that one file says on its own."""

    source: SourceFile
    entities: list[Entity]  # parents before children; [0] is the module (Python) or the package (Java)
    syntax: Any  # the language's own summary for its resolver: picklable, opaque to everything else
    problems: list[ParseProblem] = field(default_factory=list)
    _iris: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def iris(self) -> list[str]:
        """The IRIs of all entities, made once."""
        if len(self._iris) != len(self.entities):
            head = self.source.iri("")
            self._iris = [head + descriptor_fragment(entity.descriptor) for entity in self.entities]
        return self._iris

    def iri(self, index: int) -> str:
        """The IRI of the entity at this index."""
        return self.iris()[index]


class Occurrence(NamedTuple):
    """One place in a file where a name is declared or used."""

    start: int  # byte span of the identifier itself (`join` in `os.path.join(…)`)
    end: int
    line: int
    role: Role
    relation: str | None  # gm: local name of the triple it is evidence for; None: no triple
    subject: str  # IRI of the enclosing entity, the triple's subject
    target: str | None  # IRI; None when unresolved
    how: How
    name: str  # the text as written


class Edge(NamedTuple):
    """A triple that no single piece of text states (``overrides``, implicit constructors)."""

    subject: str
    relation: str
    object: str
    how: How


@dataclass(slots=True)
class LinkedFile:
    """One file's references after linking.

    A triple is asserted for every occurrence that has both a relation and a target, and for every edge;
    containment (`declares`, `hasParameter`, …) follows from the entities' parents.
    """

    source: SourceFile
    occurrences: list[Occurrence]  # any order; one "definition" row per entity with a written name
    edges: list[Edge]
    externals: dict[str, str]  # external IRI -> qualified name, for every external target used above
