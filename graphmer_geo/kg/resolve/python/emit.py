"""From the fix-point to occurrences and edges, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote

from graphmer_geo.kg.facts import Edge, How, LinkedFile, Occurrence, external_iri
from graphmer_geo.kg.languages.python.ir import Site
from graphmer_geo.kg.resolve.python.classes import Member
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.hooks import Hooks
from graphmer_geo.kg.resolve.python.objects import Kind, external_member, is_supposed_class, looks_like_class
from graphmer_geo.kg.resolve.python.types import inferred_types
from graphmer_geo.kg.resolve.python.world import Target

MAX_TARGETS = 8  #: targets of one reference; more than that says nothing
_TYPES = ("Class", "Interface", "Enum", "Record")
_CALLABLE = ("Function", "Method", "Constructor", "Lambda")
_TYPE_NAMES = ("GlobalVariable", "Field", "TypeParameter")
_CALLED = frozenset((*_CALLABLE, *_TYPES, "ExternalSymbol"))
_ROLES = {"base": "extends", "decorator": "decoratedBy", "raise": "raises", "catch": "catches"}

Found = tuple[Target, How]


class Emitter:
    """Writes linked files."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.world = flow.world
        self.kinds = self.world.kinds
        self.iris = self.world.iris
        self.exact_variables: set[int] = set()
        self.file = 0
        self.class_names: dict[tuple[int, str], list[Target]] = {}
        self.external_iris: dict[str, str] = {}  # of all files: most are used in many
        self.externals: dict[str, str] = {}
        self.rows: list[Occurrence] = []
        self.implied: dict[Edge, None] = {}  # calls that no text names
        self.hooks = Hooks(self)

    def emit(self, file: int) -> LinkedFile:
        """One file's references."""
        facts = self.world.mine[file]
        self.file, self.externals, self.rows, self.implied = file, {}, [], {}
        self.flow.at = self.flow.desks[file]
        base = self.world.entity_base[file]
        lines = self.world.syntax[file].name_lines
        for index, entity in enumerate(facts.entities):
            if entity.name_end > entity.name_start:
                iri = self.iris[base + index]
                self.rows.append(
                    Occurrence(
                        entity.name_start,
                        entity.name_end,
                        lines.get(index, entity.start_line),
                        "definition",
                        None,
                        iri,
                        iri,
                        "exact",
                        entity.name,
                    )
                )
        self.emit_locals()
        self.emit_imports()
        for site in self.world.syntax[file].sites:
            self.emit_site(site)
        edges = self.emit_edges()
        rows = list(dict.fromkeys(self.rows))
        return LinkedFile(facts.source, rows, edges, dict(sorted(self.externals.items())))

    # -- targets -----------------------------------------------------------------------------------

    def iri(self, target: Target) -> str:
        """The IRI of a target; notes externals."""
        if target.entity >= 0:
            return self.iris[target.entity]
        iri = self.external_iris.get(target.external)
        if iri is None:
            iri = self.external_iris[target.external] = external_iri("python", target.external)
        self.externals[iri] = target.external
        return iri

    def kind(self, target: Target) -> str:
        """The ontology class of a target."""
        return self.kinds[target.entity] if target.entity >= 0 else "ExternalSymbol"

    def row(self, site: Site, role: str, relation: str | None, found: Found | None) -> None:
        """Add an occurrence. Members of what may be no class at all are guesses."""
        subject = self.iris[self.world.entity_base[self.file] + site.subject]
        target, how = (self.iri(found[0]), found[1]) if found is not None else (None, "unresolved")
        owner = found[0].external.rpartition(".")[0] if found is not None else ""
        if how == "inferred" and owner and is_supposed_class(owner):
            how = "heuristic"
        self.rows.append(
            Occurrence(site.start, site.end, site.line, role, relation, subject, target, how, site.name)  # type: ignore[arg-type]
        )

    def imply(self, subject: int, methods: Iterable[Target]) -> None:
        """An entity of the file calls methods that its text does not name."""
        caller = self.iris[self.world.entity_base[self.file] + subject]
        for method in methods:
            self.implied[Edge(caller, "calls", self.iri(method), "inferred")] = None

    def declared(self, site: Site) -> list[Target]:
        """What a name or attribute stands for by declaration."""
        world = self.world
        unbound = world.syntax[self.file].globals_read.get(site.variable)
        if unbound is not None:
            return list(world.unbound(self.file, unbound))
        return list(world.declarations(self.file, site.variable))

    def valued_member(self, member: Member) -> list[Target]:
        """The same of an attribute of a class, of whatever file."""
        _, file, local = member
        self.flow.look(member)
        if file in self.world.mine:
            return self.valued(self.world.variable_base[file] + local)
        return self.valued(self.flow.at.inlets.get((file, local), 0))

    def valued(self, variable: int) -> list[Target]:
        """The declarations of the functions, classes and modules that a variable holds."""
        flow, world = self.flow, self.world
        found: dict[Target, None] = {}
        for obj in flow.values(variable):
            kind, first, _ = flow.table[obj]
            if kind in (Kind.FUNCTION, Kind.BOUND):
                found[Target(world.function_entity(first), "")] = None
            elif kind == Kind.PARTIAL and flow.table[first][0] in (Kind.FUNCTION, Kind.BOUND):
                found[Target(world.function_entity(flow.table[first][1]), "")] = None
            elif kind == Kind.CLASS:
                found[Target(world.class_entity(first), "")] = None
            elif kind in (Kind.EXTERNAL, Kind.METHOD):
                found[Target(-1, first)] = None
            elif kind == Kind.MODULE:
                found[Target(world.entity_base[first], "")] = None
        return list(found)

    def members(self, obj: int, name: str) -> list[Target]:
        """What ``obj.name`` stands for by declaration."""
        flow, world = self.flow, self.world
        kind, first, second = flow.table[obj]
        if kind == Kind.MODULE:
            return list(world.member(world.headers[first].source.module, name))
        if kind == Kind.NAMESPACE:
            return list(world.member(first, name))
        if kind in (Kind.INSTANCE, Kind.CLASS):
            return self.members_of(first, name)
        if kind == Kind.SUPER:
            return self.class_members(flow.after(second, first), name)
        if kind in (Kind.EXTERNAL, Kind.FOREIGN, Kind.BOX, Kind.VALUE):
            target = flow.new()
            flow.load(obj, target, name)
            return self.valued(target)
        return []

    def external_chain(self, obj: int, site: Site, exact: bool) -> list[Target]:
        """``path`` in ``os.path.join`` is ``os.path``; of a value from outside they are unknown."""
        kind, first, _ = self.flow.table[obj]
        if kind != Kind.EXTERNAL:
            return []
        whole = external_member(first, site.name)
        target = Target(-1, whole or "")
        variable = self.world.variable_base[self.file] + site.variable if site.variable else 0
        return [target] if whole and (exact or target in self.valued(variable)) else []

    def members_of(self, klass: int, name: str) -> list[Target]:
        """The first declaration of a name along the MRO of a class."""
        key = (klass, name)
        found = self.class_names.get(key)
        if found is None:
            found = self.class_names[key] = self.class_members(self.flow.order(klass), name)
        return found

    def class_members(self, order: list[int | str | None], name: str) -> list[Target]:
        """The first declaration of a name along an MRO.

        What only assignments to ``self.name`` declare belongs to the base class that has it already.
        """
        flow, world = self.flow, self.world
        own: list[Target] = []
        for entry in order:
            if not isinstance(entry, int):
                continue
            info, file = world.classes[entry], world.class_file[entry]
            local = info.attributes.get(name)
            if local is not None:
                found = world.declarations(file, local)
                if found and (not own or all(self.kind(target) == "Field" for target in found)):
                    return list(found)
            elif name in info.fields:
                own = [Target(world.entity_base[file] + info.fields[name], "")]
        if own:
            return own
        outside = flow.find(order, name)
        if isinstance(outside, str):
            whole = external_member(outside, name)
            return [Target(-1, whole)] if whole else []
        return []

    # -- sites -------------------------------------------------------------------------------------

    def emit_site(self, site: Site) -> None:
        """Write the rows of one reference."""
        found = self.attribute_targets(site) if site.base else self.name_targets(site)
        if site.role == "call":
            self.emit_call(site, found)
        elif site.role in ("read", "write"):
            self.emit_access(site, found)
        else:
            self.emit_typed(site, found)
        if site.base and site.role in ("read", "write", "call"):
            self.imply(site.subject, self.hooks.accessed(site))

    def name_targets(self, site: Site) -> list[Found]:
        """What a plain name stands for."""
        targets = self.declared(site)
        if self.world.is_supposed(self.file, self.world.syntax[self.file].globals_read.get(site.variable)):
            return [(target, "inferred") for target in targets]
        if len(targets) == 1 and self.kind(targets[0]) in ("Class", "Module", "ExternalSymbol"):
            self.exact_variables.add(self.world.variable_base[self.file] + site.variable)
        return [(target, "exact") for target in targets]

    def attribute_targets(self, site: Site) -> list[Found]:
        """By the objects that the base may hold."""
        flow = self.flow
        variable = self.world.variable_base[self.file] + site.base
        receiver = self.world.syntax[self.file].receivers.get(site.base, -1)
        own: list[Target] = []
        if receiver >= 0:
            klass = self.world.class_base[self.file] + receiver
            own = self.members_of(klass, site.name)
        found: dict[Target, How] = {}
        exact = variable in self.exact_variables or variable in flow.literal
        objects = flow.values(variable)
        for obj in objects:
            if flow.table[obj][0] == Kind.SUPER:
                klass = flow.table[obj][1]
                own = self.class_members(flow.order(klass)[1:], site.name)
            for target in self.external_chain(obj, site, exact) or self.members(obj, site.name):
                how: How = "exact" if target in own or (exact and len(objects) == 1) else "inferred"
                if found.get(target) != "exact":
                    found[target] = how
        if exact and len(found) == 1:
            self.exact_variables.add(self.world.variable_base[self.file] + site.variable)
        return list(found.items())

    def emit_call(self, site: Site, declared: list[Found]) -> None:
        """Calls go to what the callee may hold; a declaration counts where nothing is known of its value."""
        flow = self.flow
        variable = self.world.variable_base[self.file] + site.variable
        exact = {target for target, how in declared if how == "exact"}
        known = dict.fromkeys(target for target, _ in declared)
        found: list[tuple[Target, How]] = []
        for target, how in declared:
            if site.base and self.is_property(target):
                self.row(site, "read", "calls", (target, how))
        for obj in flow.values(variable):
            if flow.table[obj][0] == Kind.INSTANCE:
                member = flow.find(flow.order(flow.table[obj][1]), "__call__")
                if isinstance(member, tuple):
                    found += [(t, "inferred") for t in self.valued_member(member)]
        for target in self.valued(variable):
            if self.kind(target) != "Module":
                found.append((target, "exact" if target in exact else "inferred"))
        if not found:
            for target in known:
                if self.kind(target) in _CALLED and not self.is_property(target):
                    found.append((target, "exact" if target in exact else "inferred"))
        if not found or len(found) > MAX_TARGETS:
            self.row(site, "call", "calls", None)
            return
        for target, how in found:
            self.emit_called(site, target, how)

    def emit_called(self, site: Site, target: Target, how: How) -> None:
        """Write the rows of one callee."""
        if self.kind(target) in _TYPES:
            self.row(site, "call", "instantiates", (target, how))
            klass = self.world.class_of(target.entity)
            assert klass is not None
            for name in ("__init__", "__new__"):
                member = self.flow.find(self.flow.order(klass), name)
                if isinstance(member, tuple):
                    for found in self.valued_member(member):
                        if self.kind(found) in _CALLABLE:
                            self.row(site, "call", "calls", (found, how))
            for meta in self.hooks.metaclass(klass):
                self.imply(site.subject, self.hooks.methods(meta, "__call__"))
        elif (
            target.entity < 0
            and target.external.startswith("builtins.")
            and looks_like_class(target.external)
        ):
            self.row(site, "call", "instantiates", (target, how))
        else:
            self.row(site, "call", "calls", (target, how))

    def emit_access(self, site: Site, found: list[Found]) -> None:
        """Write the rows of a read or write."""
        if not found or len(found) > MAX_TARGETS:
            if site.base or site.variable in self.world.syntax[self.file].globals_read:
                self.row(site, site.role, None, None)
            return
        for target, how in found:
            kind = self.kind(target)
            relation: str | None = None
            if kind in ("Field", "GlobalVariable"):
                relation = "writes" if site.role == "write" else "reads"
            elif kind in _CALLABLE and site.base and self.is_property(target):
                relation = "calls"
            elif site.role == "read" and not site.inner and kind not in ("Module", "Parameter"):
                relation = "refersTo"
            self.row(site, site.role, relation, (target, how))

    def is_property(self, target: Target) -> bool:
        """Whether the target is a property."""
        function = self.world.function_of(target.entity)
        return function is not None and self.world.functions[function].binding == "property"

    def emit_typed(self, site: Site, declared: list[Found]) -> None:
        """Bases, decorators, annotations, exceptions."""
        relation = _ROLES.get(site.role)
        if site.role == "annotation":
            kind = self.kinds[self.world.entity_base[self.file] + site.subject]
            relation = "returnsType" if kind in _CALLABLE else "hasType"
        usable = [f for f in declared if self.kind(f[0]) in self.wanted(site.role)]
        if not usable:
            usable = [
                (target, "inferred")
                for target in self.types_held(site)
                if self.kind(target) in self.wanted(site.role)
            ]
        subject = self.world.entity_base[self.file] + site.subject
        usable = [f for f in usable if f[0].entity != subject]
        if site.role == "base":
            klass = self.world.class_of(subject)
            usable = [
                f for f in usable if f[1] == "exact" or klass is None or not self.is_below(f[0], klass)
            ]
        if not usable and site.role in ("type", "annotation"):  # a type variable or an alias: known, no type
            usable = [f for f in declared if self.kind(f[0]) in _TYPE_NAMES]
            relation = None if usable else relation
        if not usable or len(usable) > MAX_TARGETS:
            self.row(site, site.role, relation, None)
        for found in usable[:MAX_TARGETS]:
            self.row(site, site.role, relation, found)

    def is_below(self, base: Target, klass: int) -> bool:
        """Whether a class that a value may be inherits from ``klass``, which then cannot inherit from it."""
        number = self.world.class_of(base.entity)
        return number is not None and klass in self.flow.order(number)

    @staticmethod
    def wanted(role: str) -> tuple[str, ...]:
        """The kinds of target that a role allows."""
        return (*_TYPES, *_CALLABLE, "ExternalSymbol") if role == "decorator" else (*_TYPES, "ExternalSymbol")

    def types_held(self, site: Site) -> list[Target]:
        """The classes that the value of a reference may be (an instance of)."""
        variable = self.world.variable_base[self.file] + site.variable
        found = self.valued(variable)
        if site.role == "raise" and not found:
            for obj in self.flow.values(variable):
                kind, first, _ = self.flow.table[obj]
                if kind == Kind.INSTANCE:
                    found.append(Target(self.world.class_entity(first), ""))
                elif kind == Kind.FOREIGN:
                    found.append(Target(-1, first))
        return found

    def emit_locals(self) -> None:
        """Local variables are no nodes of the graph: they live in the occurrence table, which says where."""
        base = self.world.entity_base[self.file]
        for owner, start, end, line, name in self.world.syntax[self.file].locals:
            subject = self.iris[base + owner]
            written = name if name.isascii() else quote(name)
            iri = f"{subject}{written}@{start}"  # the place tells namesakes apart
            self.rows.append(Occurrence(start, end, line, "definition", None, subject, iri, "exact", name))

    # -- imports and edges -------------------------------------------------------------------------

    def emit_imports(self) -> None:
        """Write the rows of the import statements."""
        world = self.world
        module = self.iris[world.entity_base[self.file]]
        syntax = world.syntax[self.file]
        for site in syntax.import_sites:
            binding = syntax.imports[site.binding]
            where = world.locate(self.file, binding.module)
            how: How = "exact" if where == binding.module else "inferred"
            found = world.imported(self.file, binding)
            if not found:
                row = Occurrence(
                    site.start,
                    site.end,
                    site.line,
                    "import",
                    "imports",
                    module,
                    None,
                    "unresolved",
                    site.name,
                )
                self.rows.append(row)
            for target in found:
                iri = self.iri(target)
                relation = "imports" if iri != module else None
                self.rows.append(
                    Occurrence(
                        site.start, site.end, site.line, "import", relation, module, iri, how, site.name
                    )
                )

    def emit_edges(self) -> list[Edge]:
        """Implied calls, bases that an expression computes, and overriding."""
        flow, world = self.flow, self.world
        edges: dict[Edge, None] = {}
        for caller, function in flow.at.implied:
            target = self.iris[world.function_entity(function)]
            edges[Edge(self.iris[caller], "calls", target, "inferred")] = None
        for caller, made in flow.at.made:
            target = self.iris[world.class_entity(made)]
            edges[Edge(self.iris[caller], "instantiates", target, "inferred")] = None
        stated = {(row.subject, row.target) for row in self.rows if row.relation == "extends"}
        first = world.class_base[self.file]
        for index, info in enumerate(world.syntax[self.file].classes):
            klass = self.iris[world.class_entity(first + index)]
            for variable in info.bases:
                for base in self.valued(world.variable_base[self.file] + variable):
                    target = self.iri(base)
                    is_class = self.kind(base) in ("Class", "ExternalSymbol")
                    if is_class and (klass, target) not in stated and not self.is_below(base, first + index):
                        edges[Edge(klass, "extends", target, "inferred")] = None
            self.imply(self.hooks.runs(first + index), self.hooks.defined(first + index))
            order = flow.order(first + index)[1:]
            for name, function in info.methods.items():
                own = self.iris[world.function_entity(world.function_base[self.file] + function)]
                for entry in order:
                    if isinstance(entry, int) and name in world.classes[entry].methods:
                        number = (
                            world.function_base[world.class_file[entry]] + world.classes[entry].methods[name]
                        )
                        edges[Edge(own, "overrides", self.iris[world.function_entity(number)], "exact")] = (
                            None
                        )
                        break
        self.emit_types(edges)
        return sorted(edges | self.implied)

    def emit_types(self, edges: dict[Edge, None]) -> None:
        """Types by flow, of what has no declared type."""
        base = self.world.entity_base[self.file]
        declared = {(r.subject, r.relation) for r in self.rows if r.relation in ("hasType", "returnsType")}
        for entity, relation, types in inferred_types(self.flow, self.file):
            subject = self.iris[base + entity]
            if (subject, relation) not in declared:
                for target in types:
                    how: How = "heuristic" if is_supposed_class(target.external) else "inferred"
                    edges[Edge(subject, relation, self.iri(target), how)] = None


def emitter(flow: Flow) -> Callable[[int], LinkedFile]:
    """A function that writes the linked file of a given number."""
    return Emitter(flow).emit
