"""Facts to N-Quads, as bytes: what a file declares, what it refers to, and what all files say together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile, entity_iri

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_TO_ESCAPE = re.compile(r'[\\"\x00-\x1f\x7f]')
_TYPE = f"<{v.RDF_TYPE}>"
_INTEGER = f'"^^<{v.XSD}integer>'
_RELATIONS = {name: f"> <{v.GM}{name}> <" for name in v.RELATIONS}
_LITERALS = {name: f"<{v.GM}{name}> " for name in v.LITERALS}
_KINDS = {kind: f"{_TYPE} <{v.GM}{kind}>" for kind in v.KINDS}


@dataclass(frozen=True, slots=True)
class FileText:
    """What the graph says of a file as a whole."""

    sha256: str
    size: int
    lines: int


@dataclass(frozen=True, slots=True)
class Quads:
    """N-Quads, and how many."""

    text: bytes
    count: int

    def __reduce__(self) -> tuple[type[Quads], tuple[bytes, int]]:
        """Pickled as what makes it: nothing may set the fields of a frozen class once it is compiled."""
        return Quads, (self.text, self.count)


def term(iri: str) -> str:
    """An IRI in N-Quads."""
    return f"<{iri}>"


def literal(value: str | bool | int) -> str:
    """A typed literal in N-Quads. Lone surrogates and NUL, which RDF cannot hold, become U+FFFD."""
    if isinstance(value, bool):
        return f'"{"true" if value else "false"}"^^<{v.XSD}boolean>'
    if isinstance(value, int):
        return f'"{value}{_INTEGER}'
    if value.isascii():
        return f'"{_TO_ESCAPE.sub(_escape, value)}"' if _TO_ESCAPE.search(value) else f'"{value}"'
    text = value.encode("utf-8", "replace").decode("utf-8")
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char == "\x00":
        return "�"
    return _ESCAPES.get(char) or f"\\u{ord(char):04X}"


def file_iri(source: SourceFile) -> str:
    """The IRI of a source file."""
    return v.FILE_BASE + source.key


def project_iri(source: SourceFile) -> str:
    """The IRI of the distribution a file belongs to."""
    return v.PROJECT_BASE + "/".join(
        quote(p, safe="") for p in (source.language, source.package, source.version)
    )


def declarations(facts: FileFacts, text: FileText) -> Quads:
    """What a file says on its own, for its named graph: the file, and every entity it declares.

    Each fact is written once, in the order of the entities.

    Raises:
        ValueError: If an entity has a term that the ontology does not know.
    """
    key = facts.source.key
    graph = f" <{v.graph_of_file(v.FILE_GRAPHS, text.sha256, key)}> .\n"
    artifact = (triple + graph for triple in _artifact_triples(facts.source, text))
    return _counted("".join((*artifact, *_entity_quads(facts, graph))))


def _entity_quads(facts: FileFacts, graph: str) -> Iterator[str]:
    """One block of lines per entity: nearly half of all quads, so nothing is computed twice."""
    # Each line is "subject predicate object graph"; `then` ends one and begins the next of one subject.
    same = f"{graph}{{}} <{v.GM}"
    constant = f"<{v.GM}language> {literal(facts.source.language)}{graph}"
    constant_file = f"<{v.GM}definedInFile> {term(file_iri(facts.source))}{graph}"
    iris = facts.iris()
    seen: set[str] = set()
    for index, entity in enumerate(facts.entities):
        if entity.descriptor in seen:  # reported by the extraction; a second one would merge with the first
            continue
        seen.add(entity.descriptor)
        subject = f"<{iris[index]}>"
        if entity.parent >= 0:
            yield f"<{iris[entity.parent]}{_RELATIONS[v.containment_of(entity.kind)]}{iris[index]}>{graph}"
        if entity.kind == "Package":
            continue
        then = same.format(subject)
        yield (
            f"{subject} {_known(entity.kind, _KINDS)}{graph}{subject} {constant}{subject} {constant_file}"
            f"{subject} <{v.GM}name> {literal(entity.name)}"
            f"{then}qualifiedName> {literal(entity.qualified_name)}"
            f'{then}startByte> "{entity.start}{_INTEGER}{then}endByte> "{entity.end}{_INTEGER}'
            f'{then}startLine> "{entity.start_line}{_INTEGER}'
            f'{then}endLine> "{entity.end_line}{_INTEGER}{graph}'
        )
        for prop, value in entity.literals.items():
            prefix = _known(prop, _LITERALS)
            values = value if isinstance(value, (list, tuple, set, frozenset)) else (value,)
            for one in sorted(set(values)) if len(values) > 1 else values:
                if one is not None:
                    yield f"{subject} {prefix}{literal(one)}{graph}"


def references(
    linked: LinkedFile, text: FileText, module: str = "", package_module: str | None = None
) -> Quads:
    """What a file refers to; what only heuristics say goes into a graph of its own.

    Args:
        linked: The references.
        text: Hash and size of the file.
        module: IRI of its first entity.
        package_module: IRI of the Python package that declares this module, if it is in the corpus.
    """
    witnessed = {
        (subject, relation, target, how == "heuristic")
        for _, _, _, _, relation, subject, target, how, _ in linked.occurrences
        if relation and target
    }
    witnessed.update((e.subject, e.relation, e.object, e.how == "heuristic") for e in linked.edges)
    sure: set[str] = set()
    guessed: set[str] = set()
    for subject, relation, target, is_guess in witnessed:
        triple = f"<{subject}{_known(relation, _RELATIONS)}{target}>"
        (guessed if is_guess else sure).add(triple)
    if package_module:
        sure.add(f"<{package_module}{_RELATIONS['declares']}{module}>")
    guessed -= sure
    key = linked.source.key
    parts: list[str] = []
    for prefix, triples in ((v.FILE_GRAPHS, sure), (v.HEURISTIC_GRAPHS, guessed)):
        if triples:
            end = f" <{v.graph_of_file(prefix, text.sha256, key)}> .\n"
            parts += [end.join(sorted(triples)), end]
    return _counted("".join(parts))


@dataclass(slots=True)
class Shared:
    """What several files say alike: projects, Java packages, external symbols; each triple once."""

    triples: set[str] = field(default_factory=set)
    externals: dict[str, tuple[str, str]] = field(default_factory=dict)  # IRI -> language, qualified name
    docstrings: dict[str, tuple[int, str]] = field(default_factory=dict)  # IRI of a package -> the first one

    def add(self, facts: FileFacts, linked: LinkedFile, place: int) -> None:
        """Note what the file at some place in the corpus says."""
        self.triples.update(_project_triples(facts.source))
        self.triples.update(_package_triples(facts))
        for index, entity in enumerate(facts.entities):
            if entity.kind == "Package" and "docstring" in entity.literals:
                self._describe(facts.iri(index), (place, entity.literals["docstring"]))
        for iri, qualified_name in linked.externals.items():
            self.externals[iri] = (linked.source.language, qualified_name)

    def merge(self, other: Shared) -> None:
        """Note what other files say."""
        self.triples |= other.triples
        self.externals |= other.externals
        for package, docstring in other.docstrings.items():
            self._describe(package, docstring)

    def noted(self) -> str:
        """All of it as JSON, but for the places of files."""
        docstrings = {iri: text for iri, (_, text) in self.docstrings.items()}
        return json.dumps([sorted(self.triples), self.externals, docstrings], sort_keys=True)

    @classmethod
    def recalled(cls, noted: str, place: int) -> Shared:
        """What the file at some place in the corpus was noted to say."""
        triples, externals, docstrings = json.loads(noted)
        return cls(
            set(triples),
            {iri: (language, name) for iri, (language, name) in externals.items()},
            {iri: (place, text) for iri, text in docstrings.items()},
        )

    def _describe(self, package: str, docstring: tuple[int, str]) -> None:
        self.docstrings[package] = min(docstring, self.docstrings.get(package, docstring))

    def quads(self) -> Quads:
        """Everything noted, sorted."""
        everything = set(self.triples)
        everything.update(
            f"<{iri}> <{v.GM}docstring> {literal(d)}" for iri, (_, d) in self.docstrings.items()
        )
        for iri, (language, qualified_name) in self.externals.items():
            name = simple_name(qualified_name)
            everything.update(_named(iri, v.EXTERNAL, language, name, qualified_name))
        return _in_graph(everything, v.SHARED_GRAPH)


def _in_graph(triples: Iterable[str], graph: str) -> Quads:
    return _counted("".join(f"{triple} <{graph}> .\n" for triple in sorted(triples)))


def _counted(lines: str) -> Quads:
    return Quads(lines.encode(), lines.count("\n"))


def _project_triples(source: SourceFile) -> Iterator[str]:
    project = term(project_iri(source))
    yield f"{project} {_TYPE} <{v.GM}Project>"
    yield f"{project} <{v.GM}name> {literal(source.package)}"
    yield f"{project} <{v.GM}version> {literal(source.version)}"


def _artifact_triples(source: SourceFile, text: FileText) -> Iterator[str]:
    file = term(file_iri(source))
    yield f"{term(project_iri(source))} <{v.GM}directlyContains> {file}"
    yield f"{file} {_TYPE} <{v.GM}SourceFile>"
    values: dict[str, str | int] = {
        "path": source.path, "language": source.language, "sha256": text.sha256,
        "byteSize": text.size, "lineCount": text.lines,
    }  # fmt: skip
    for name, value in values.items():
        yield f"{file} <{v.GM}{name}> {literal(value)}"


def _package_triples(facts: FileFacts) -> Iterator[str]:
    """A Java package is spread over files: what one of them says of it must hold in all."""
    for index, entity in enumerate(facts.entities):
        if entity.kind == "Package":
            inner, language = facts.iri(index), facts.source.language
            yield from _named(inner, "Package", language, entity.qualified_name, entity.qualified_name)
            name = entity.qualified_name.rpartition(".")[0]
            while name:  # `a.b.c` lies in `a.b`, whether or not that has files of its own
                outer = package_iri(facts.source, name)
                yield from _named(outer, "Package", language, name, name)
                yield f"{term(outer)} <{v.GM}declares> {term(inner)}"
                inner, name = outer, name.rpartition(".")[0]


def package_iri(source: SourceFile, name: str) -> str:
    """The IRI of a package of the same project."""
    return entity_iri(source.language, source.package, source.version, name, "")


def _named(iri: str, kind: str, language: str, name: str, qualified_name: str) -> Iterator[str]:
    """What every file says alike of a thing that is declared in none of them alone."""
    subject = term(iri)
    yield f"{subject} {_TYPE} <{v.GM}{kind}>"
    yield f"{subject} <{v.GM}language> {literal(language)}"
    yield f"{subject} <{v.GM}name> {literal(name)}"
    yield f"{subject} <{v.GM}qualifiedName> {literal(qualified_name)}"


def _known(name: str, names: dict[str, str]) -> str:
    """Extractors may use declared terms only.

    Raises:
        ValueError: If the name is none.
    """
    try:
        return names[name]
    except KeyError:
        raise ValueError(
            f"{name!r} is not a term the ontology has for this place; declare it in graphmer.ttl"
        ) from None


def simple_name(qualified_name: str) -> str:
    """The last component of a dotted name, without an argument list."""
    return qualified_name.partition("(")[0].rpartition(".")[2]


def provenance_quads(files: Iterable[tuple[SourceFile, FileText]], tools: Mapping[str, str]) -> Quads:
    """PROV-O: which graph was made from which file by which tools.

    No times are noted: equal inputs give equal bytes.
    """
    triples: set[str] = set()
    activity = term(v.EXTRACTION)
    triples.add(f"{activity} {_TYPE} <{v.PROV}Activity>")
    for name, version in tools.items():
        agent = term(v.AGENT_BASE + quote(name, safe="") + "/" + quote(version, safe=""))
        triples.add(f"{agent} {_TYPE} <{v.PROV}SoftwareAgent>")
        triples.add(f"{agent} <{v.RDFS}label> {literal(f'{name} {version}')}")
        triples.add(f"{activity} <{v.PROV}wasAssociatedWith> {agent}")
    for source, text in files:
        file = term(file_iri(source))
        triples.add(f"{activity} <{v.PROV}used> {file}")
        for prefix in (v.FILE_GRAPHS, v.HEURISTIC_GRAPHS):
            graph = term(v.graph_of_file(prefix, text.sha256, source.key))
            triples.add(f"{graph} <{v.PROV}wasDerivedFrom> {file}")
            triples.add(f"{graph} <{v.PROV}wasGeneratedBy> {activity}")
    return _in_graph(triples, v.PROVENANCE_GRAPH)
