"""Links all files of a corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.languages.base import Message
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.bodies import BodyLinker
from graphmer_geo.kg.resolve.java.emission import Emission
from graphmer_geo.kg.resolve.java.files import FileScope
from graphmer_geo.kg.resolve.java.frames import Context
from graphmer_geo.kg.resolve.java.headers import IMPLICIT_SUPERS, Header
from graphmer_geo.kg.resolve.java.imports import link_imports
from graphmer_geo.kg.resolve.java.members import overridden
from graphmer_geo.kg.resolve.java.model import ClassInfo, MethodInfo, Scope, Variable
from graphmer_geo.kg.resolve.java.names import TypeUses
from graphmer_geo.kg.resolve.java.projects import Worlds
from graphmer_geo.kg.resolve.java.world import World


class JavaLinker:
    """Links the files of a process."""

    def __init__(self, headers: Sequence[Header], facts: Mapping[int, FileFacts]) -> None:
        self._worlds = Worlds(headers, facts)

    def exchange(self, inbox: Sequence[Message]) -> list[Message]:
        """Declarations say enough: no file has anything to say to another one."""
        return []

    def link(self, index: int) -> LinkedFile:
        """Binds the names of one file."""
        file = self._worlds.scope(index)
        return FileLinker(file.world, file).run()


class FileLinker:
    """Links one file."""

    def __init__(self, world: World, file: FileScope) -> None:
        self.world = world
        self.file = file
        self.out = Emission(file)
        self.uses = TypeUses(world, self.out)
        self.bodies = BodyLinker(self.uses, file.classes, self._class)

    def run(self) -> LinkedFile:
        """Links everything the file says."""
        self._definitions()
        link_imports(self.world, self.file, self.out)
        for use in self.file.syntax.package_annotations:
            self.uses.use(use.type, self.file.scope, self.file.iri(0), "annotation", "annotatedWith")
        for info in self.file.classes:
            if info.decl is not None and not info.decl.is_local and info.outer is None:
                self._class(info)
        return self.out.result()

    def _definitions(self) -> None:
        file = self.file
        for index, entity in enumerate(file.facts.entities):
            if entity.name_end > entity.name_start:
                subject = file.iri(entity.parent if entity.parent >= 0 else index)
                name = "<init>" if entity.kind == "Constructor" else entity.name
                self.out.span(
                    entity.name_start, entity.name_end, name, "definition", None, subject, file.iri(index)
                )

    # -- classes --------------------------------------------------------------------------------

    def _class(self, info: ClassInfo) -> None:
        """Links a class with everything in it; local classes are linked where their block declares them."""
        decl = info.decl
        if decl is None:
            return
        self._header(info, decl)
        for use in decl.annotations:
            self._annotation(info, use)
        for field in decl.fields:
            self._field(info, field)
        for methods in info.methods.values():
            for method in methods:
                self._method(info, method)
        for entity, ops in decl.initializers:
            self._run(ops, entity, info)
        for initializer, name, start, ops, args, body in decl.constants:
            frame = self.bodies.run_pending(ops, self._context(info, initializer))
            self.bodies.constructors.enum_constant(frame, name, start, info, args)
            self.bodies.finish(frame)
            if body >= 0:
                inner = self.file.classes[body]
                self.out.edge(inner.iri, "extends", info.iri)
                self.bodies.enter_class(inner, info.body_scope)
        for inner in info.types.values():
            self._class(inner)

    def _header(self, info: ClassInfo, decl: o.ClassDecl) -> None:
        scope = info.header_scope
        self._type_parameters(decl.type_parameters, scope)
        for ref in decl.extends:
            self.uses.use(ref, scope, info.iri, "base", "extends")
        for ref in decl.implements:
            self.uses.use(ref, scope, info.iri, "base", "implements")
        for ref in decl.permits:
            self.uses.use(ref, scope, info.iri)
        implicit = IMPLICIT_SUPERS.get(decl.kind)
        above = self.world.known(implicit) if implicit is not None else None
        if above is not None and above is not info and not above.external:  # its methods may be overridden
            self.out.edge(info.iri, "extends", self.out.class_iri(above))

    def _type_parameters(self, parameters: Sequence[o.TypeParameterDecl], scope: Scope) -> None:
        for parameter in parameters:
            for ref in parameter.bounds:
                self.uses.use(ref, scope, self.file.iri(parameter.entity))

    def _context(self, info: ClassInfo, entity: int) -> Context:
        return Context(self.file.iri(entity), info, Scope(self.file, info.body_scope))

    def _run(self, ops: o.Ops, entity: int, info: ClassInfo) -> None:
        self.bodies.run(ops, self._context(info, entity))

    def _annotation(self, info: ClassInfo, use: o.AnnotationUse) -> None:
        subject = self.file.iri(use.entity)
        scope = info.body_scope
        self.uses.use(use.type, scope, subject, "annotation", "annotatedWith")
        if use.ops:
            self.bodies.run(use.ops, Context(subject, info, Scope(self.file, scope), quiet=True))

    # -- members --------------------------------------------------------------------------------

    def _field(self, info: ClassInfo, field: o.FieldDecl) -> None:
        iri, type_ = self.file.iri(field.entity), None
        if field.type is not None and field.writes_type:
            type_ = self.uses.use(field.type, info.body_scope, iri, "type", "hasType")
        elif field.type is not None:  # `int a, b`: the type stands at a
            type_ = self.world.resolve(field.type, info.body_scope)
            self._type_edge(iri, "hasType", type_)
        if field.ops is not None:
            frame = self.bodies.run_pending(field.ops, self._context(info, field.initializer))
            self.bodies.expect(frame, field.value, type_)
            self.bodies.finish(frame)
            entity = self.file.facts.entities[field.entity]
            self.out.row(
                entity.name, entity.name_start, "write", "writes", self.file.iri(field.initializer), iri
            )

    def _type_edge(self, subject: str, relation: str, type_: object) -> None:
        """A type that is written elsewhere."""
        decl = type_[0] if isinstance(type_, tuple) else None
        if isinstance(decl, ClassInfo):
            self.out.edge(subject, relation, self.out.class_iri(decl))
        elif decl is not None:
            target = getattr(decl, "iri", None) or self.out.external(decl.name)
            self.out.edge(subject, relation, target)

    def _method(self, info: ClassInfo, method: MethodInfo) -> None:
        decl, iri = method.decl, method.iri
        scope = method.scope
        self._type_parameters(decl.type_parameters, scope)
        returns = (
            self.uses.use(decl.returns, scope, iri, "type", "returnsType")
            if decl.returns is not None
            else None
        )
        body = Scope(self.file, scope)
        for parameter in decl.parameters:
            parameter_iri = self.file.iri(parameter.entity)
            type_ = None
            if parameter.type is not None and decl.implicit_parameters:
                type_ = self.world.resolve(parameter.type, scope)
                self._type_edge(parameter_iri, "hasType", type_)
            elif parameter.type is not None:
                type_ = self.uses.use(parameter.type, scope, parameter_iri, "type", "hasType")
            body.declare(parameter.name, Variable(type_, False, parameter_iri))
        for ref in decl.throws:
            self.uses.use(ref, scope, iri, "type", "declaresThrown")
        for other in overridden(method):
            if not other.owner.external:
                self.out.edge(iri, "overrides", other.iri)
        if decl.ops is not None:
            self.bodies.run(decl.ops, Context(iri, info, body, returns))
