"""Facts to N-Quads, as text: a block of lines per file, in an order that depends on the file alone."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.facts import FileFacts, LinkedFile, SourceFile, entity_iri

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_TO_ESCAPE = re.compile(r'[\\"\n\r\t\b\f\x00-\x1f\x7f]')
_TYPE = f"<{v.RDF_TYPE}>"
_RELATIONS = frozenset(v.RELATIONS)
#: kind -> the relation that ties it to its parent
_CONTAINMENT = {kind: f"<{v.GM}{v.containment_of(kind)}>" for kind in v.KINDS}


@dataclass(frozen=True, slots=True)
class FileText:
    """What the graph says of a file as a whole."""

    sha256: str
    size: int
    lines: int


def term(iri: str) -> str:
    """An IRI in N-Quads."""
    return f"<{iri}>"


def literal(value: str | bool | int) -> str:
    """A typed literal in N-Quads. Lone surrogates and NUL, which RDF cannot hold, become U+FFFD."""
    if isinstance(value, bool):
        return f'"{"true" if value else "false"}"^^<{v.XSD}boolean>'
    if isinstance(value, int):
        return f'"{value}"^^<{v.XSD}integer>'
    if not value.isascii() or "\x00" in value:
        value = value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "�")
    return f'"{_TO_ESCAPE.sub(_escape, value)}"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04X}"


def file_iri(source: SourceFile) -> str:
    """The IRI of a source file."""
    return v.FILE_BASE + source.key


def project_iri(source: SourceFile) -> str:
    """The IRI of the distribution a file belongs to."""
    return v.PROJECT_BASE + "/".join(
        quote(p, safe="") for p in (source.language, source.package, source.version)
    )


@dataclass(slots=True)
class FileQuads:
    """What one file asserts, as N-Quads; no triple is in two of the three."""

    own: str  #: for the file's own graph
    heuristic: str  #: for its graph of heuristic edges
    shared: set[str]  #: said of things that other files speak of too: triples, without graph and final dot


def file_quads(
    facts: FileFacts, linked: LinkedFile, text: FileText, package_module: str | None = None
) -> FileQuads:
    """Everything one file asserts.

    Args:
        facts: What the file declares.
        linked: What it refers to.
        text: Hash and size of the file.
        package_module: IRI of the Python package that declares this module, if it is in the corpus.
    """
    key = facts.source.key
    graph = f" <{v.graph_of_file(v.FILE_GRAPHS, text.sha256, key)}> .\n"
    guesses = f" <{v.graph_of_file(v.HEURISTIC_GRAPHS, text.sha256, key)}> .\n"
    sure, guessed = _reference_triples(linked)
    stated = [*_artifact_triples(facts.source, text), *sorted(sure)]
    if package_module:
        stated.append(_triple(package_module, "declares", facts.iri(0)))
    own = "".join((*_entity_quads(facts, graph), *(triple + graph for triple in stated)))
    shared = {*_project_triples(facts.source), *_package_triples(facts)}
    for iri, qualified_name in linked.externals.items():
        shared.update(_external_triples(linked.source.language, iri, qualified_name))
    return FileQuads(own, "".join(triple + guesses for triple in sorted(guessed - sure)), shared)


def in_graph(triples: Iterable[str], graph: str) -> list[str]:
    """Triples as sorted N-Quads lines of one named graph."""
    return [f"{triple} <{graph}> .\n" for triple in sorted(triples)]


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


def _entity_quads(facts: FileFacts, graph: str) -> Iterator[str]:
    """One block of lines per entity: nearly half of all quads, so nothing is computed twice."""
    # Each line is "subject predicate object graph"; `then` ends one and begins the next of one subject.
    same = f"{graph}{{}} <{v.GM}"
    number = f'"^^<{v.XSD}integer>'
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
            yield f"<{iris[entity.parent]}> {_CONTAINMENT[entity.kind]} {subject}{graph}"
        if entity.kind == "Package":
            continue
        then = same.format(subject)
        yield (
            f"{subject} {_TYPE} <{v.GM}{entity.kind}>{graph}{subject} {constant}{subject} {constant_file}"
            f"{subject} <{v.GM}name> {literal(entity.name)}"
            f"{then}qualifiedName> {literal(entity.qualified_name)}"
            f'{then}startByte> "{entity.start}{number}{then}endByte> "{entity.end}{number}'
            f'{then}nameStartByte> "{entity.name_start}{number}{then}nameEndByte> "{entity.name_end}{number}'
            f'{then}startLine> "{entity.start_line}{number}{then}endLine> "{entity.end_line}{number}{graph}'
        )
        for prop, value in entity.literals.items():
            _known(prop, v.LITERALS)
            values = value if isinstance(value, (list, tuple, set, frozenset)) else (value,)
            for one in sorted(set(values)) if len(values) > 1 else values:
                if one is not None:
                    yield f"{subject} <{v.GM}{prop}> {literal(one)}{graph}"


def _package_triples(facts: FileFacts) -> Iterator[str]:
    """A Java package is spread over files: what one of them says of it must hold in all."""
    for index, entity in enumerate(facts.entities):
        if entity.kind == "Package":
            yield from _one_package(facts.source, entity.qualified_name)
            inner = facts.iri(index)
            name = entity.qualified_name.rpartition(".")[0]
            while name:  # `a.b.c` lies in `a.b`, whether or not that has files of its own
                outer = package_iri(facts.source, name)
                yield from _one_package(facts.source, name)
                yield f"{term(outer)} <{v.GM}declares> {term(inner)}"
                inner, name = outer, name.rpartition(".")[0]


def package_iri(source: SourceFile, name: str) -> str:
    """The IRI of a package of the same project."""
    return entity_iri(source.language, source.package, source.version, name, "")


def _one_package(source: SourceFile, name: str) -> Iterator[str]:
    subject = term(package_iri(source, name))
    yield f"{subject} {_TYPE} <{v.GM}Package>"
    yield f"{subject} <{v.GM}language> {literal(source.language)}"
    yield f"{subject} <{v.GM}name> {literal(name)}"
    yield f"{subject} <{v.GM}qualifiedName> {literal(name)}"


def _reference_triples(linked: LinkedFile) -> tuple[set[str], set[str]]:
    """Triples with at least one exact or inferred witness, and triples with a heuristic one."""
    witnessed = {
        (o.subject, o.relation, o.target, o.how == "heuristic")
        for o in linked.occurrences
        if o.relation and o.target
    }
    witnessed.update((e.subject, e.relation, e.object, e.how == "heuristic") for e in linked.edges)
    sure: set[str] = set()
    guessed: set[str] = set()
    for subject, relation, target, is_guess in witnessed:
        (guessed if is_guess else sure).add(_triple(subject, relation, target))
    return sure, guessed


def _triple(subject: str, relation: str, target: str) -> str:
    return f"<{subject}> <{v.GM}{_known(relation, _RELATIONS)}> <{target}>"


def _known(name: str, names: Container[str]) -> str:
    """Extractors may use declared terms only.

    Raises:
        ValueError: If the name is none.
    """
    if name not in names:
        raise ValueError(
            f"{name!r} is not a term the ontology has for this place; declare it in graphmer.ttl"
        )
    return name


@cache
def _external_triples(language: str, iri: str, qualified_name: str) -> tuple[str, ...]:
    subject = term(iri)
    return (
        f"{subject} {_TYPE} <{v.GM}{v.EXTERNAL}>",
        f"{subject} <{v.GM}qualifiedName> {literal(qualified_name)}",
        f"{subject} <{v.GM}name> {literal(simple_name(qualified_name))}",
        f"{subject} <{v.GM}language> {literal(language)}",
    )


def simple_name(qualified_name: str) -> str:
    """The last component of a dotted name, without an argument list."""
    return qualified_name.partition("(")[0].rpartition(".")[2]


def provenance_quads(files: Iterable[tuple[SourceFile, FileText]], tools: Mapping[str, str]) -> list[str]:
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
    return in_graph(triples, v.PROVENANCE_GRAPH)
