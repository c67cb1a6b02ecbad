"""Look for the pitfalls of ontology design in a Turtle file, after OOPS! (Poveda-Villalon et al., 2014).

Run ``python benchmarks/ontology_pitfalls.py [FILE]``: one line per finding, exit status 1 if there is any.
The names in brackets are those of the OOPS! catalogue.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rdflib import OWL, RDF, RDFS, Graph, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from graphmer_geo.kg.vocabulary import GM
from graphmer_geo.resources import ontology_file

Finding = tuple[str, str]
STATUS = Namespace(GM)["status"]
_PROPERTIES = (OWL.ObjectProperty, OWL.DatatypeProperty)


def missing_annotations(graph: Graph) -> Iterator[Finding]:
    """A term without a label, a comment or a status [P08]."""
    for term in _terms(graph):
        for predicate in (RDFS.label, RDFS.comment, STATUS):
            if graph.value(term, predicate) is None:
                yield _name(term), f"has no {_name(predicate)}"


def missing_domain_or_range(graph: Graph) -> Iterator[Finding]:
    """A property without a domain or a range [P11]."""
    for term in _terms(graph, *_PROPERTIES):
        for side in (RDFS.domain, RDFS.range):
            if graph.value(term, side) is None:
                yield _name(term), f"has no {_name(side)}"


def several_domains(graph: Graph) -> Iterator[Finding]:
    """Several domains or ranges, which mean their intersection where a union was meant [P19]."""
    for term in _terms(graph, *_PROPERTIES):
        for side in (RDFS.domain, RDFS.range):
            if len(set(graph.objects(term, side))) > 1:
                yield _name(term), f"has several {_name(side)}s, which is their intersection"


def no_inverse(graph: Graph) -> Iterator[Finding]:
    """An object property that is not symmetric and has no declared inverse [P13]."""
    for term in _terms(graph, OWL.ObjectProperty):
        symmetric = (term, RDF.type, OWL.SymmetricProperty) in graph
        if not symmetric and not _inverses(graph, term):
            yield _name(term), "has no inverse"


def wrong_inverse(graph: Graph) -> Iterator[Finding]:
    """An inverse whose domain and range are not the other's swapped, or the property itself [P05, P25]."""
    for term in _terms(graph, OWL.ObjectProperty):
        for inverse in _inverses(graph, term):
            if inverse == term:
                yield _name(term), "is its own inverse; declare it symmetric"
            for side, other in ((RDFS.domain, RDFS.range), (RDFS.range, RDFS.domain)):
                if _classes(graph, term, side) != _classes(graph, inverse, other):
                    yield _name(term), f"its {_name(side)} is not the {_name(other)} of {_name(inverse)}"


def hierarchy_cycles(graph: Graph) -> Iterator[Finding]:
    """A class or property below itself [P06]."""
    for relation in (RDFS.subClassOf, RDFS.subPropertyOf):
        for term in _terms(graph):
            above = {
                o
                for parent in graph.objects(term, relation)
                for o in graph.transitive_objects(parent, relation)
            }
            if term in above:
                yield _name(term), f"lies below itself by {_name(relation)}"


def undeclared_terms(graph: Graph) -> Iterator[Finding]:
    """A name of the namespace that is used and not declared [P34, P35]."""
    declared = {*_terms(graph), STATUS}
    used = {t for triple in graph for t in triple if isinstance(t, URIRef) and str(t).startswith(GM)}
    for term in sorted(used - declared):
        yield _name(term), "is used but not declared"


def two_kinds(graph: Graph) -> Iterator[Finding]:
    """A name that is both a class and a property, or both an object and a datatype property [P37]."""
    for term in _terms(graph):
        kinds = [k for k in (OWL.Class, *_PROPERTIES) if (term, RDF.type, k) in graph]
        if len(kinds) > 1:
            yield _name(term), "is declared as " + " and ".join(_name(k) for k in kinds)


def equivalences(graph: Graph) -> Iterator[Finding]:
    """Equivalent terms, which make a reasoner merge what two names were given for [P02, P31]."""
    for relation in (OWL.equivalentClass, OWL.equivalentProperty, OWL.sameAs):
        for subject, other in graph.subject_objects(relation):
            yield _name(subject), f"is said to be {_name(relation)} {_name(other)}"


def same_label(graph: Graph) -> Iterator[Finding]:
    """Two terms of a kind with one label [P32]."""
    for kind in (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty):
        seen: dict[str, URIRef] = {}
        for term in _terms(graph, kind):
            label = str(graph.value(term, RDFS.label))
            if seen.setdefault(label, term) != term:
                yield _name(term), f"has the label {label!r} of {_name(seen[label])}"


def not_simple(graph: Graph) -> Iterator[Finding]:
    """A transitive property, a chain's head, or one above it, with a trait that OWL 2 DL forbids there."""
    heads = {*graph.subjects(RDF.type, OWL.TransitiveProperty), *graph.subjects(OWL.propertyChainAxiom, None)}
    composite = {o for h in heads for o in graph.transitive_objects(h, RDFS.subPropertyOf)}
    traits = (
        OWL.FunctionalProperty, OWL.InverseFunctionalProperty,
        OWL.IrreflexiveProperty, OWL.AsymmetricProperty,
    )  # fmt: skip
    for term in sorted(composite, key=str):
        for trait in traits:
            if (term, RDF.type, trait) in graph:
                yield _name(term), f"is not simple and may not be {_name(trait)}"


def unsatisfiable(graph: Graph) -> Iterator[Finding]:
    """A class below two classes that are disjoint."""
    groups = [set(Collection(graph, head)) for _, head in graph.subject_objects(OWL.members)]
    groups += [{a, b} for a, b in graph.subject_objects(OWL.disjointWith)]
    for term in _terms(graph, OWL.Class):
        above = set(graph.transitive_objects(term, RDFS.subClassOf))
        for group in groups:
            if len(above & group) > 1:
                both = " and ".join(sorted(_name(c) for c in above & group))
                yield _name(term), f"can have no instance: it is below {both}, which are disjoint"


def outside_the_profile(graph: Graph) -> Iterator[Finding]:
    """A construct that OWL 2 RL does not have, as far as this ontology could come to use it."""
    banned = (
        OWL.someValuesFrom,
        OWL.minCardinality,
        OWL.minQualifiedCardinality,
        OWL.disjointUnionOf,
        OWL.hasSelf,
    )
    for predicate in banned:
        for _ in graph.subject_objects(predicate):
            yield _name(predicate), "is not in OWL 2 RL, or not where it may stand here"
    for subject in graph.subjects(RDF.type, OWL.ReflexiveProperty):
        yield _name(subject), "is reflexive, which OWL 2 RL does not have"
    for union in graph.subjects(OWL.unionOf, None):
        if (None, RDFS.subClassOf, union) in graph:
            yield "unionOf", "stands above a class; OWL 2 RL allows unions below only"


PITFALLS: tuple[Callable[[Graph], Iterator[Finding]], ...] = (
    missing_annotations, missing_domain_or_range, several_domains, no_inverse, wrong_inverse,
    hierarchy_cycles, undeclared_terms, two_kinds, equivalences, same_label, not_simple, unsatisfiable,
    outside_the_profile,
)  # fmt: skip


def find_pitfalls(graph: Graph) -> dict[str, list[Finding]]:
    """Pitfall -> (term, what is wrong with it), for the pitfalls that were found."""
    found = {pitfall.__name__: sorted(set(pitfall(graph))) for pitfall in PITFALLS}
    return {name: findings for name, findings in found.items() if findings}


def _terms(graph: Graph, *kinds: Node) -> list[URIRef]:
    wanted = kinds or (OWL.Class, *_PROPERTIES)
    found = {s for k in wanted for s in graph.subjects(RDF.type, k) if isinstance(s, URIRef)}
    return sorted(s for s in found if str(s).startswith(GM))


def _inverses(graph: Graph, term: URIRef) -> set[Node]:
    return {*graph.objects(term, OWL.inverseOf), *graph.subjects(OWL.inverseOf, term)}


def _classes(graph: Graph, term: Node, side: URIRef) -> set[Node]:
    found: set[Node] = set()
    for target in graph.objects(term, side):
        union = graph.value(target, OWL.unionOf)
        found |= {target} if union is None else set(Collection(graph, union))
    return found


def _name(term: Node) -> str:
    return str(term).rpartition("#")[2] or str(term)


def main(arguments: list[str]) -> int:
    """Print what was found."""
    data = Path(arguments[0]).read_bytes() if arguments else ontology_file().read_bytes()
    found = find_pitfalls(Graph().parse(data=data, format="turtle"))
    for name, findings in found.items():
        for term, problem in findings:
            print(f"{name}: {term} {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
