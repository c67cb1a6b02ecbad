"""What the writer of a file's references will want to know of classes whose files another process links."""

from __future__ import annotations

from collections.abc import Container, Iterator

from graphmer_geo.kg.languages.python.ir import Site
from graphmer_geo.kg.resolve.python.emit import Emitter
from graphmer_geo.kg.resolve.python.flow import Flow
from graphmer_geo.kg.resolve.python.objects import Kind


def ask(flow: Flow, files: Container[int]) -> None:
    """Subscribe to the constructors and ``__call__`` of what is called in some of the files linked here."""
    emitter = Emitter(flow)
    for file, desk in flow.desks.items():
        if file not in files:
            continue
        flow.at, emitter.file = desk, file
        for site in flow.world.syntax[file].sites:
            if site.role == "call":
                for klass, name in _asked(flow, emitter, site):
                    found = flow.find(flow.order(klass), name)
                    if isinstance(found, tuple):
                        flow.look(found)
                        flow.member(found)
        flow.finish()


def _asked(flow: Flow, emitter: Emitter, site: Site) -> Iterator[tuple[int, str]]:
    """(class, method) of all that a call may need."""
    objects = flow.values(flow.at.variables + site.variable) if site.variable else []
    classes = [flow.table[obj][1] for obj in objects if flow.table[obj][0] == Kind.CLASS]
    if not objects or all(flow.table[obj][0] in (Kind.INSTANCE, Kind.MODULE) for obj in objects):
        targets = emitter.attribute_targets(site) if site.base else emitter.name_targets(site)
        found = (flow.world.class_of(target.entity) for target, _ in targets)
        classes += [klass for klass in found if klass is not None]
    for klass in classes:
        yield klass, "__init__"
        yield klass, "__new__"
    for obj in objects:
        if flow.table[obj][0] == Kind.INSTANCE:
            yield flow.table[obj][1], "__call__"
