"""Type uses: resolving a written type and recording each name in it."""

from __future__ import annotations

from graphmer_geo.kg.facts import Role
from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.emission import Emission
from graphmer_geo.kg.resolve.java.model import PRIMITIVE_TYPES, ClassInfo, Scope, Type, TypeVar
from graphmer_geo.kg.resolve.java.world import World


class TypeUses:
    """Resolves types as written in one file and emits their occurrences."""

    def __init__(self, world: World, out: Emission) -> None:
        self.world = world
        self.out = out

    def use(
        self,
        ref: o.TypeRef,
        scope: Scope,
        subject: str,
        role: Role = "type",
        relation: str | None = None,
    ) -> Type | None:
        """Records a written type: the outermost name with the relation, everything else as a plain use."""
        parts, args, dims, extra = ref
        if len(parts) == 1:
            name, start = parts[0]
            primitive = PRIMITIVE_TYPES.get(name)
            if primitive is not None:
                if relation is not None and name != "void":
                    self.out.row(name, start, role, relation, subject, self.out.external(name))
                return (primitive[0], (), dims) if dims else primitive
            decl = scope.find_type(name)
            self.out.row(name, start, role, relation, subject, self._iri(decl))
        else:
            decl = self._use_parts(parts, scope, subject, role, relation)
        types = []
        for arg in args or ():
            types.append(self.use(arg, scope, subject) if arg is not None else None)
        for arg in extra:
            if arg is not None:
                self.use(arg, scope, subject)
        return (decl, tuple(types), dims) if decl is not None else None

    def _use_parts(
        self,
        parts: tuple[tuple[str, int], ...],
        scope: Scope,
        subject: str,
        role: Role,
        relation: str | None,
    ) -> ClassInfo | TypeVar | None:
        found = self.world.resolve_parts(parts, scope)
        for (name, start), decl in zip(parts[:-1], found, strict=False):
            if decl is not None:
                self.out.row(name, start, "type", None, subject, self._iri(decl))
        last = found[-1] if len(found) == len(parts) else None
        self.out.row(*parts[-1], role, relation, subject, self._iri(last))
        return last if isinstance(last, (ClassInfo, TypeVar)) else None

    def _iri(self, decl: object) -> str | None:
        if isinstance(decl, ClassInfo):
            return self.out.class_iri(decl)
        return decl.iri if isinstance(decl, TypeVar) else None
