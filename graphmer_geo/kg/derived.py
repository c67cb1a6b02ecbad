"""Facts that follow from the asserted ones by rules that are no OWL axioms, each in a named graph of its own.

They run before the OWL rules, so that super-properties, inverses and superclasses of what they add are
inferred as well. Each reads asserted facts only and adds terms that none of them reads, so one pass is the
fixpoint.
"""

from __future__ import annotations

from graphmer_geo.kg import vocabulary as v

_MEMBERS = {
    "hasMethod": "Method Constructor",
    "hasConstructor": "Constructor",
    "hasField": "Field",
    "hasInnerType": "Class Enum Record Interface AnnotationType",
}
_TYPES = "gm:Class gm:Enum gm:Record gm:Interface gm:AnnotationType"
_CLASSES = "gm:Class gm:Enum gm:Record"

#: Names of the exceptions that are not subclasses of anything in a corpus. Every class of `builtins` and of
#: `java.lang` that is so named is an exception.
_ROOTS = (
    r"^(builtins\\.(BaseException|BaseExceptionGroup|ExceptionGroup|GeneratorExit|KeyboardInterrupt|SystemExit"
    r"|StopIteration|StopAsyncIteration|\\w*(Exception|Error|Warning))"
    r"|java\\.lang\\.(Throwable|\\w*(Exception|Error)))$"
)


def derived_rules() -> dict[str, list[str]]:
    """Rule -> WHERE patterns that bind ``?s ?p ?o``."""
    return {
        "gm-member": [_member(relation, kinds) for relation, kinds in _MEMBERS.items()],
        "gm-namespace": _namespaces(),
        "gm-abstract": [
            _marked("AbstractClass", _CLASSES),
            _marked("AbstractMethod", "gm:Method"),
        ],
        "gm-exception": _exceptions(),
        "gm-dataclass": [
            f"""?decorator gm:qualifiedName "dataclasses.dataclass" . ?s gm:decoratedBy ?decorator ; a ?kind .
            VALUES ?kind {{ {_CLASSES} }} {_is_a("DataClass")}"""
        ],
        "gm-fan": [_fan("fanIn", "?caller gm:calls ?s", "?caller"), _fan("fanOut", "?s gm:calls ?to", "?to")],
    }


def _is_a(name: str) -> str:
    return f"BIND(rdf:type AS ?p) BIND(gm:{name} AS ?o)"


def _member(relation: str, kinds: str) -> str:
    wanted = " ".join(f"gm:{k}" for k in kinds.split())
    return f"""VALUES ?type {{ {_TYPES} }} ?s a ?type ; gm:declares ?o .
        VALUES ?kind {{ {wanted} }} ?o a ?kind . BIND(gm:{relation} AS ?p)"""


def _namespaces() -> list[str]:
    """The nearest namespace: walk up through everything that is none."""
    down = "(" + "|".join(f"gm:{r}" for r in v.CONTAINMENT) + ")"
    return [
        f"""VALUES ?outer {{ gm:Module gm:Package }} ?o a ?outer ; gm:declares ?top .
        FILTER NOT EXISTS {{ VALUES ?inner {{ gm:Module gm:Package }} ?top a ?inner }}
        ?top {down}* ?s . BIND(gm:inNamespace AS ?p)""",
        """VALUES ?outer { gm:Module gm:Package } ?o a ?outer ; gm:declares ?s .
        VALUES ?inner { gm:Module gm:Package } ?s a ?inner . BIND(gm:inNamespace AS ?p)""",
    ]


def _marked(name: str, kinds: str) -> str:
    return f"?s gm:isAbstract true ; a ?kind . VALUES ?kind {{ {kinds} }} {_is_a(name)}"


def _exceptions() -> list[str]:
    root = f"""?root gm:qualifiedName ?name . FILTER(REGEX(?name, "{_ROOTS}"))"""
    return [
        f"""{{ SELECT DISTINCT ?root {{ {root} }} }} ?s gm:extends+ ?root ; a ?kind .
        VALUES ?kind {{ {_CLASSES} }} {_is_a("ExceptionClass")}""",
        f"""{root} ?root a ?kind . VALUES ?kind {{ {_CLASSES} }}
        BIND(?root AS ?s) {_is_a("ExceptionClass")}""",
    ]


def _fan(name: str, pattern: str, counted: str) -> str:
    """A number for every callable that has such a neighbour."""
    kinds = "gm:Function gm:Method gm:Constructor gm:Lambda gm:Initializer"
    return f"""{{ SELECT ?s (COUNT(DISTINCT {counted}) AS ?o) {{ {pattern} }} GROUP BY ?s }}
        ?s a ?kind . VALUES ?kind {{ {kinds} }} BIND(gm:{name} AS ?p)"""
