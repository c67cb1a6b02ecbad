"""PyCG's micro-benchmark: call edges between dotted names.

How its names map to ours:

* a class call is an edge to ``X.__init__`` if one is defined, which is what ``gm:calls`` says beside
  ``gm:instantiates``; an instantiation of an external class is an edge to the class itself;
* ``<builtin>.print`` is our ``builtins.print``; ``<**PyStr**>.join`` our ``builtins.str.join``;
* the body of package ``p`` is ``p.__init__`` there, ``p`` here; lambdas are ``f.<lambda1>`` in both.
"""

from __future__ import annotations

from benchmarks.truth.case import Case, Facts, Outcome

_TYPES = {
    "Str": "str",
    "List": "list",
    "Dict": "dict",
    "Tup": "tuple",
    "Set": "set",
    "Num": "int",
    "Bytes": "bytes",
}


def our_name(name: str, modules: set[str]) -> str:
    """PyCG's name of a function or module in our spelling."""
    head, dot, rest = name.partition(".")
    if head == "<builtin>":
        return f"builtins.{rest}"
    if head.startswith("<**Py"):
        return f"builtins.{_TYPES.get(head[5:-3], head)}{dot}{rest}"
    owner, _, last = name.rpartition(".")
    return owner if last == "__init__" and owner in modules else name


def edges(facts: Facts) -> set[tuple[str, str]]:
    """Call edges, as PyCG counts them."""
    found = {(a.qualified_name, b.qualified_name) for a, b in facts.pairs("calls")}
    for caller, klass in facts.pairs("instantiates"):
        if klass.kind == "ExternalSymbol":
            found.add((caller.qualified_name, klass.qualified_name))
    return found


def score(case: Case, facts: Facts) -> list[Outcome]:
    """Every edge counts; edges that the truth does not have are wrong."""
    modules = {e.qualified_name for e in facts.entities.values() if e.kind == "Module"}
    wanted = {(our_name(a, modules), our_name(b, modules)) for a, b in case["edges"]}
    found = edges(facts)
    missing = tuple(f"{a} -> {b}" for a, b in sorted(wanted - found))
    extra = tuple(f"{a} -> {b}" for a, b in sorted(found - wanted))
    return [Outcome(case["id"], case["category"], "calls", len(wanted), missing, len(found), extra)]
