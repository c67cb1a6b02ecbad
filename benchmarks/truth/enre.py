"""ENRE's cases for Java and Python: entities and relations of one construct each.

The mapping between ENRE's terms and ours is the two tables below. Beyond them:

* names are compared from their end, as far as both are qualified: ENRE leaves out package, class or both in
  places, and in others prefixes the name of its own test file (``test_…``), which is then not compared;
* positions are not compared: in half of the Java cases they are no line and column. The same relation between
  the same two names counts as often as it is listed, so every place has to be found;
* a local variable is no node of our graph; it is declared by a ``definition`` row of the occurrence table;
* ENRE's subject of a relation in a field's initial value or in a lambda is the class or method around it, so
  our initialisers and lambdas stand for what is around them; its ``File`` is ours by name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.truth.case import Case, Entity, Facts, Outcome, Row

_KINDS = {
    "annotation": {"AnnotationType"},
    "annotation member": {"Method"},
    "anonymousfunction": {"Lambda"},
    "attribute": {"Field", "Method", "GlobalVariable"},
    "class": {"Class", "Record", "Enum"},
    "enum": {"Enum"},
    "enum constant": {"EnumConstant"},
    "file": {"File"},
    "function": {"Function", "Method", "Constructor", "Lambda"},
    "interface": {"Interface"},
    "method": {"Method", "Constructor", "Lambda"},
    "module": {"Module"},
    "package": {"Package", "Module"},
    "parameter": {"Parameter"},
    "record": {"Record"},
    "type parameter": {"TypeParameter"},
    "variable": {"Field", "Parameter", "GlobalVariable", "LocalVariable", "EnumConstant"},
}
#: Parameters have a kind of their own in ENRE's Python, and are variables in its Java.
_PYTHON_KINDS = {**_KINDS, "variable": {"GlobalVariable", "LocalVariable", "Field"}}
#: ENRE relation -> (our relations, roles of rows that state it without a triple, from and to swapped).
_RELATIONS: dict[str, tuple[frozenset[str], frozenset[str], bool]] = {
    "annotate": (frozenset({"annotatedWith", "decoratedBy"}), frozenset(), True),
    "annotate python": (frozenset({"hasType", "returnsType"}), frozenset(), False),
    "alias": (frozenset({"imports"}), frozenset(), False),
    "call": (frozenset({"calls"}), frozenset(), False),
    "cast": (frozenset(), frozenset({"type"}), False),
    "contain": (frozenset({"declares"}), frozenset(), False),
    "define": (frozenset({"declares", "hasParameter", "hasTypeParameter"}), frozenset({"definition"}), False),
    "implement": (frozenset({"implements"}), frozenset(), False),
    "import": (frozenset({"imports"}), frozenset(), False),
    "inherit": (frozenset({"extends"}), frozenset(), False),
    "override": (frozenset({"overrides"}), frozenset(), False),
    "parameter": (frozenset({"hasParameter"}), frozenset(), False),
    # A class literal is a reference to a type.
    "reflect": (frozenset({"calls", "instantiates", "refersTo"}), frozenset({"type"}), False),
    "set": (frozenset({"writes"}), frozenset({"write"}), False),
    "typed": (frozenset({"hasType"}), frozenset({"type"}), False),
    "use": (frozenset({"reads", "refersTo", "instantiates", "calls"}), frozenset({"read", "call"}), False),
    "usevar": (frozenset({"reads"}), frozenset({"read"}), False),
}
_ANONYMOUS = re.compile(r"<anon|\(anon", re.IGNORECASE)
_REFERENCE = re.compile(r"(?P<kind>[^:]+):'(?P<name>[^']*)'")
_THROUGH = frozenset({"Initializer", "Lambda"})


class Named(NamedTuple):
    """One end of a relation, or an entity."""

    kind: str
    name: str


def same_name(theirs: str, ours: str) -> bool:
    """Whether dotted names agree from their end as far as both go; the unnamed agrees with the unnamed."""
    a, b = theirs.split("."), ours.split(".")
    if _ANONYMOUS.search(a[-1]):
        return b[-1].startswith(("<", "$")) or b[-1][:1].isdigit()
    size = min(len(a), len(b))
    return a[-size:] == b[-size:] or (len(a) > 1 and a[0].startswith("test_") and a[1:] == b[1 - len(a) :])


def kinds(theirs: str, language: str) -> set[str]:
    """Our kinds for one of ENRE's."""
    return (_PYTHON_KINDS if language == "python" else _KINDS).get(theirs.lower(), set())


def matches(wanted: Named, found: Named, language: str) -> bool:
    """Whether ours may be what the truth lists."""
    return found.kind in kinds(wanted.kind, language) and same_name(wanted.name, found.name)


def _name(entity: Entity) -> str:
    """ENRE names a Java constructor after its class."""
    name = entity.qualified_name or entity.name
    head, _, last = name.rpartition(".")
    return f"{head}.{head.rpartition('.')[2]}" if last == "<init>" else name


def _file(path: str) -> Named:
    return Named("File", path.replace("/", "."))


def _referenced(text: str) -> Named:
    match = _REFERENCE.match(text)
    return Named(match["kind"], match["name"]) if match else Named("", text)


class _View:
    """The graph in ENRE's terms."""

    def __init__(self, facts: Facts, language: str) -> None:
        self.facts = facts
        self.language = language
        self.named = {e.iri: Named(e.kind, _name(e)) for e in facts.entities.values()}

    def entities(self) -> list[Named]:
        """Everything declared, files included."""
        declared = [n for n in self.named.values() if n.kind != "ExternalSymbol"]
        return declared + [_file(path) for path in self.facts.sources]

    def around(self, iri: str) -> list[Named]:
        """What a subject may be called: itself, or what runs it; and its file."""
        found, entity = [], self.facts.entities.get(iri)
        if iri in self.named:
            found.append(self.named[iri])
        while entity is not None and entity.kind in _THROUGH:
            entity = self.facts.entities.get(entity.parent)
            if entity is not None:
                found.append(self.named[entity.iri])
        file = entity.file if entity is not None else ""
        return [*found, _file(file)] if file else found

    def pairs(self, relation: str) -> Iterator[tuple[list[Named], Named]]:
        """(names of the subject, object) of every place that states a relation, without it once a triple."""
        if relation == "contain":
            yield from self._contained()
        key = "annotate python" if (relation, self.language) == ("annotate", "python") else relation
        ours, roles, swapped = _RELATIONS.get(key, (frozenset(), frozenset(), False))
        if relation == "modify":
            rows = self._updates()
        else:
            updated = {(r.file, r.start) for r in self._updates()} if relation in ("set", "usevar") else set()
            rows = [
                r for r in self.facts.rows if r.relation in ours or (r.relation is None and r.role in roles)
            ]
            rows = [r for r in rows if (r.file, r.start) not in updated]
        stated = set()
        for row in rows:
            stated.add((row.subject, row.relation, row.entity))
            yield from self._pair(row.subject, row.entity, swapped)
        for triple in sorted(self.facts.triples):
            if triple[1] in ours and triple not in stated:
                yield from self._pair(triple[0], triple[2], swapped)

    def _pair(self, subject: str, target: str | None, swapped: bool) -> Iterator[tuple[list[Named], Named]]:
        if target is None or target not in self.named:
            return
        if swapped:
            if subject in self.named:
                yield [self.named[target]], self.named[subject]
        else:
            yield self.around(subject), self.named[target]

    def _updates(self) -> list[Row]:
        """``x += 1``: a place that is read and written."""
        rows = self.facts.rows
        read = {(r.file, r.start, r.entity) for r in rows if r.role == "read"}
        return [r for r in rows if r.role == "write" and (r.file, r.start, r.entity) in read]

    def _contained(self) -> Iterator[tuple[list[Named], Named]]:
        packages = [n for n in self.named.values() if n.kind == "Package"]
        for entity in self.facts.entities.values():
            if entity.file:
                yield [_file(entity.file)], self.named[entity.iri]
            if entity.kind == "Package":
                yield (
                    [p for p in packages if p.name == entity.qualified_name.rpartition(".")[0]],
                    self.named[entity.iri],
                )


def score(case: Case, facts: Facts) -> list[Outcome]:
    """Entities and relations apart; precision only where the truth lists all of one type."""
    view = _View(facts, case["language"])
    outcomes = []
    if case["entity"]["items"]:
        outcomes.append(_entities(case, view))
    if case["relation"]["items"]:
        outcomes.append(_relations(case, view))
    return outcomes


def _entities(case: Case, view: _View) -> Outcome:
    left = list(view.entities())
    wanted = [i for i in case["entity"]["items"] if not i.get("negative")]
    missing = []
    # The best qualified first, so that `foo` does not take what `a.foo` needs.
    for item in sorted(wanted, key=lambda i: -str(i.get("qualified") or i["name"]).count(".")):
        name = Named(item["type"], _item_name(item))
        found = next((n for n in left if matches(name, n, view.language)), None)
        if found is None:
            missing.append(f"{name.kind} {name.name}")
        else:
            left.remove(found)
    closed = case["entity"]["closed_type"]
    if closed is None:
        return Outcome(case["id"], case["category"], "entities", len(wanted), tuple(missing))
    ours = kinds(closed, view.language)
    extra = tuple(f"{n.kind} {n.name}" for n in left if n.kind in ours)
    reported = len(wanted) - len(missing) + len(extra)
    return Outcome(case["id"], case["category"], "entities", len(wanted), tuple(missing), reported, extra)


def _item_name(item: dict[str, Any]) -> str:
    """The qualified name; where it is another entity's (a slip of one case), the plain one."""
    qualified, plain = str(item.get("qualified") or item["name"]), str(item["name"])
    return qualified if qualified.endswith(plain) or not plain.isidentifier() else plain


def _relations(case: Case, view: _View) -> Outcome:
    items: list[dict[str, Any]] = case["relation"]["items"]
    found = {t: list(view.pairs(t)) for t in {item["type"].lower() for item in items}}
    missing, extra = [], []
    taken: Counter[str] = Counter()
    wanted = 0
    for item in items:
        kind, left = item["type"].lower(), found[item["type"].lower()]
        subject, target = _referenced(item["from"]), _referenced(item["to"])
        hits = (p for p in left if matches(target, p[1], view.language))
        hit = next((p for p in hits if any(matches(subject, s, view.language) for s in p[0])), None)
        text = f"{item['type']} {item['from']} -> {item['to']}"
        if item.get("negative"):
            extra += [text] if hit is not None else []
            continue
        wanted += 1
        if hit is None:
            missing.append(text)
        else:
            left.remove(hit)
            taken[kind] += 1
    closed = case["relation"]["closed_type"]
    if closed is None:
        reported = len(extra) if extra else None
        return Outcome(
            case["id"], case["category"], "relations", wanted, tuple(missing), reported, tuple(extra)
        )
    rest = [p for p in found.get(closed.lower(), []) if p[1].kind != "ExternalSymbol"]  # the truth lists none
    extra += [f"{closed} {s[0].name if s else '?'} -> {t.name}" for s, t in rest]
    reported = taken[closed.lower()] + len(extra)
    return Outcome(case["id"], case["category"], "relations", wanted, tuple(missing), reported, tuple(extra))
