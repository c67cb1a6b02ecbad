"""Inference: the rules of OWL 2 RL that the ontology needs, each into a named graph of its own.

Before them run the rules of :mod:`graphmer_geo.kg.derived`, which OWL cannot say. Asserted and derived facts
use one direction of each relation, so one pass in this order reaches the fixpoint. owlrl is
the oracle: a test compares the entailments on a small graph. Domains and ranges are not rules here. They are
checked in a closed world by the shapes, where a wrong fact is found instead of being believed.
"""

from __future__ import annotations

import pyoxigraph as ox

from graphmer_geo.kg import vocabulary as v
from graphmer_geo.kg.derived import derived_rules
from graphmer_geo.kg.ontology import Ontology, load_ontology

#: Transitive closures that are large and rarely asked for; `infer` leaves them out.
ON_DEMAND = frozenset({"dependsOnTransitively", "reachesCall"})


def infer(store: ox.Store, *, on_demand: bool = False) -> dict[str, int]:
    """Replace all inferred triples.

    Args:
        store: Must be writable.
        on_demand: Also derive the large closures of :data:`ON_DEMAND`.

    Returns:
        Rule -> number of triples in its graph.
    """
    forget(store)
    return {rule: _run(store, rule, updates) for rule, updates in rules(load_ontology(), on_demand).items()}


def forget(store: ox.Store) -> None:
    """Remove all inferred triples."""
    for graph in [g for g in store.named_graphs() if g.value.startswith(v.INFERRED_GRAPHS)]:
        store.remove_graph(graph)


def rules(ontology: Ontology, on_demand: bool = False) -> dict[str, list[str]]:
    """Rule -> WHERE patterns that bind ``?s ?p ?o``, in the order they must run.

    The names are those of the OWL 2 RL rule tables (Motik et al., OWL 2 Web Ontology Language Profiles,
    section 4.3).
    """
    left_out = frozenset() if on_demand else ON_DEMAND
    forward = [
        r
        for name, r in sorted(ontology.relations.items())
        if _is_forward(name, ontology) and name not in left_out
    ]
    transitive = {r.name for r in forward if "Transitive" in r.characteristics}
    below: dict[str, list[str]] = {}
    for relation in forward:
        for ancestor in _ancestors(relation.name, ontology):
            below.setdefault(ancestor, []).append(relation.name)
    supers = sorted(set(below) - transitive - left_out)
    used = v.KINDS | set(v.DERIVED_CLASSES) | {"Project", "SourceFile"}
    classes = sorted(name for name in used if len(ontology.classes[name].ancestors) > 1)
    return {
        **derived_rules(),
        "cax-sco": [_subclass(c, a) for c in classes for a in sorted(ontology.classes[c].ancestors - {c})],
        "prp-spo1": [_rename(p, ancestor) for ancestor in supers for p in below[ancestor]],
        "prp-trp": [_closure(below[t], t) for t in sorted(transitive)],
        "prp-inv": [_inverse(r.name, r.inverse) for r in forward if r.inverse],
    }


def _is_forward(name: str, ontology: Ontology) -> bool:
    """Asserted or derived by a rule, or a super-property of such a relation."""
    asserted = {*v.RELATIONS, *v.DERIVED_RELATIONS, "directlyContains", "definedInFile"}
    return name in asserted or any(name in _ancestors(a, ontology) for a in asserted)


def _ancestors(name: str, ontology: Ontology) -> set[str]:
    found: set[str] = set()
    todo = list(ontology.relations[name].supers)
    while todo:
        relation = todo.pop()
        if relation not in found:
            found.add(relation)
            todo.extend(ontology.relations[relation].supers)
    return found


def _subclass(name: str, ancestor: str) -> str:
    return f"?s a gm:{name} . BIND(rdf:type AS ?p) BIND(gm:{ancestor} AS ?o)"


def _rename(name: str, ancestor: str) -> str:
    return f"?s gm:{name} ?o . BIND(gm:{ancestor} AS ?p)"


def _closure(below: list[str], name: str) -> str:
    path = "|".join(f"gm:{b}" for b in below)
    return f"?s ({path})+ ?o . BIND(gm:{name} AS ?p)"


def _inverse(name: str, inverse: str) -> str:
    return f"?o gm:{name} ?s . BIND(gm:{inverse} AS ?p)"


def _run(store: ox.Store, rule: str, patterns: list[str]) -> int:
    """Insert what the patterns bind."""
    graph = ox.NamedNode(v.INFERRED_GRAPHS + rule)
    for pattern in patterns:
        query = f"SELECT DISTINCT ?s ?p ?o {{ {pattern} }}"
        rows = store.query(query, prefixes=v.PREFIXES, use_default_graph_as_union=True)
        assert isinstance(rows, ox.QuerySolutions)
        store.extend(ox.Quad(row["s"], row["p"], row["o"], graph) for row in rows)
    return sum(1 for _ in store.quads_for_pattern(None, None, None, graph))
