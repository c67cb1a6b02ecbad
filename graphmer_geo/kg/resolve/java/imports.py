"""Import declarations."""

from __future__ import annotations

from graphmer_geo.kg.languages.java import ops as o
from graphmer_geo.kg.resolve.java.emission import Emission
from graphmer_geo.kg.resolve.java.files import FileScope
from graphmer_geo.kg.resolve.java.members import find_field, find_methods
from graphmer_geo.kg.resolve.java.model import ClassInfo, member_type
from graphmer_geo.kg.resolve.java.world import World


def link_imports(world: World, file: FileScope, out: Emission) -> None:
    """Records what a file imports; the subject is its primary type, or the package where it declares none."""
    subject = primary_type(file)
    for item in file.syntax.imports:
        if item.is_static and not item.is_star:
            _static(world, item, subject, out)
        elif item.is_star and not item.is_static:
            _package_or_type(world, item, subject, out)
        else:
            _type(world, item, subject, out)


def primary_type(file: FileScope) -> str:
    """The top-level type named like the file, else the first one, else the package."""
    stem = file.facts.source.path.rpartition("/")[2].partition(".")[0]
    tops = [c for c in file.classes if c.outer is None and c.decl is not None and not c.decl.is_local]
    for info in tops:
        if info.name == stem:
            return info.iri
    return tops[0].iri if tops else file.iri(0)


def _dotted(item: o.ImportDecl, drop: int = 0) -> str:
    return ".".join(name for name, _ in item.parts[: len(item.parts) - drop])


def _type(world: World, item: o.ImportDecl, subject: str, out: Emission) -> None:
    name, start = item.parts[-1]
    cls = world.class_or_external(_dotted(item))
    out.row(name, start, "import", "imports", subject, out.class_iri(cls) if cls is not None else None)
    _outer_types(world, item, subject, out, 1)


def _outer_types(world: World, item: o.ImportDecl, subject: str, out: Emission, drop: int) -> None:
    """``Map`` in ``java.util.Map.Entry``."""
    for end in range(len(item.parts) - drop, 0, -1):
        name, start = item.parts[end - 1]
        if not name[:1].isupper():
            break
        cls = world.class_or_external(".".join(part for part, _ in item.parts[:end]))
        if cls is not None:
            out.row(name, start, "type", None, subject, out.class_iri(cls))


def _package_or_type(world: World, item: o.ImportDecl, subject: str, out: Emission) -> None:
    name, start = item.parts[-1]
    dotted = _dotted(item)
    target = world.package_iri(dotted)
    if target is None:
        cls = world.known(dotted)
        target = out.class_iri(cls) if cls is not None else out.external(dotted)
    out.row(name, start, "import", "imports", subject, target)


def _static(world: World, item: o.ImportDecl, subject: str, out: Emission) -> None:
    """``import static a.B.c``: all static members of that name."""
    name, start = item.parts[-1]
    cls = world.class_or_external(_dotted(item, 1))
    _outer_types(world, item, subject, out, 1)
    if cls is None:
        return
    targets = _static_members(cls, name)
    if not targets and (cls.opaque or cls.external or any(cls.inherits_opaque())):
        owner = cls if cls.external else next(cls.inherits_opaque())
        targets = [out.external(f"{owner.qualified}.{name}")]
    elif cls.external and not cls.opaque:
        inner = member_type(cls, name)
        targets = [out.class_iri(inner)] if inner is not None else [out.external(f"{cls.qualified}.{name}")]
    for target in targets or [None]:
        out.row(name, start, "import", "imports", subject, target)


def _static_members(cls: ClassInfo, name: str) -> list[str | None]:
    found: list[str | None] = []
    field = find_field(cls, name)
    if field is not None and field.is_static:
        found.append(field.iri)
    found.extend(m.iri for m in find_methods(cls, name) if m.decl.is_static)
    inner = member_type(cls, name)
    if inner is not None:
        found.append(inner.iri)
    return found
